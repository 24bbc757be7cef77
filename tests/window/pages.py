"""What is looked at and pressed on the page, in every test."""

ROW = "[data-upload]"
PLAY = "//*[@data-upload]//button[normalize-space()='Play']"
USE_THIS_COMPUTER = "//button[normalize-space()='Use this computer']"


def rows(page):
    """The queue as the page shows it."""
    return page.run(
        f"""return [...document.querySelectorAll('{ROW}')].map((row) => ({{
          id: row.dataset.upload,
          phase: row.dataset.phase,
          hold: row.dataset.hold,
          confirmed: Number(row.querySelector('[role=progressbar]')?.ariaValueNow ?? -1),
          text: row.innerText,
        }}))"""
    )


def only_row(page):
    found = rows(page)
    assert len(found) <= 1, f"more rows than one: {found}"
    return found[0] if found else None


def ready(page):
    row = only_row(page)
    if row is None or (row["phase"], row["hold"]) != ("ready", "none"):
        assert row is None or row["hold"] not in ("failed", "needs_user", "cancelled"), row
        return None
    return row


def connected(page):
    """The queue is shown, and not the question where videos should go."""
    return page.find("//*[@role='grid'] | //h1[normalize-space()='Queue']")


def lift_limit(page, limit):
    """By the menu below the queue. A window that has just come may still get its size and its focus, which
    closes a menu: somebody would open it again."""
    button = f"//button[@aria-haspopup='menu'][contains(., '{limit}')]"
    no_limit = "//*[@role='menuitemradio'][contains(., 'No limit')]"

    def lifted():
        if page.find(no_limit):
            page.click(no_limit, 1)
        elif page.find(button):
            page.click(button, 1)
        return page.find("//button[@aria-haspopup='menu'][contains(., 'No limit')]")

    page.wait(f"the limit {limit}", lambda: page.find(button), 20)
    page.wait("no limit", lifted, 20)


def first_run(desktop):
    page = desktop.open_app()
    page.wait("first run", lambda: page.find(USE_THIS_COMPUTER), 30)
    desktop.shot("1-first-run")
    page.click(USE_THIS_COMPUTER)
    page.wait("queue", lambda: connected(page), 30)
    return page


def play(page):
    """Plays the ready row until the picture has moved on for two seconds."""
    page.click(PLAY)
    position = "return document.querySelector('video')?.currentTime ?? 0"
    began = page.wait("moving picture", lambda: page.run(position), 30)
    page.wait("two seconds of video", lambda: page.run(position) > began + 2, 30)
    seen = page.run(
        """const video = document.querySelector('video');
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [64, 36];
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0, 64, 36);
        const pixels = context.getImageData(0, 0, 64, 36).data;
        return { width: video.videoWidth, colours: new Set(pixels).size };"""
    )
    assert seen["width"] > 0 and seen["colours"] > 16, f"no picture: {seen}"
