"""The order of what waits: by the pointer and by keys, after a restart, and as it is obeyed."""

import shutil
import time

import clips
from desktop import Desktop
from pages import connected, first_run, rows

ASK = "return window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1])"


def ask(page, command, **arguments):
    return page.run(ASK, command, arguments)


def titles(page):
    """From the top, as they are seen."""
    return page.run(
        """const rows = [...document.querySelectorAll('[data-upload]')];
        const top = (row) => row.getBoundingClientRect().top;
        return rows.sort((a, b) => top(a) - top(b)).map((row) => row.querySelector('.name').innerText)"""
    )


def waiting(page):
    """From the top, as the engine has them."""
    ids = ask(page, "ids", list="waiting")
    by_id = {upload["id"]: upload["title"] for upload in ask(page, "uploads", ids=ids)}
    return [by_id[upload] for upload in ids]


def both(page, wanted):
    seen, kept = titles(page), waiting(page)
    assert sorted(seen) == sorted(wanted), f"{seen} are not {wanted}"
    return seen == wanted and kept == wanted


def place(desktop, page, title, share):
    """A point of a row on the screen; `share` of its height from its top."""
    [window] = desktop.windows("Dailies")
    geometry = desktop.geometry(window)
    x, y, inner = page.run(
        """const row = [...document.querySelectorAll('[data-upload]')]
          .find((one) => one.querySelector('.name').innerText === arguments[0]);
        const box = row.getBoundingClientRect();
        return [box.left + 220, box.top + box.height * arguments[1], innerHeight]""",
        title,
        share,
    )
    return round(geometry["X"] + x), round(geometry["Y"] + geometry["HEIGHT"] - inner + y)


def carry(desktop, page, title, over, share, held=lambda: None):
    """Takes one row by the pointer to a place over another."""
    x, y = place(desktop, page, title, 0.5)
    to_x, to_y = place(desktop, page, over, share)
    desktop.hand("mousemove", x, y)
    desktop.hand("mousedown", 1)
    for step in range(1, 11):
        desktop.hand("mousemove", x + (to_x - x) * step // 10, y + (to_y - y) * step // 10)
        time.sleep(0.03)
    held()
    desktop.hand("mouseup", 1)


def waits_in_the_order_that_is_wanted(folder):
    """Put into another order by pointer and keys while nothing may be sent; the same after a restart; then
    uploaded in that order."""
    names = [f"take {number}" for number in range(1, 6)]
    # Small ones would share the one place that there is.
    clip = clips.large_clip(folder / "take 1.mp4", 16)
    files = [clip]
    for name in names[1:]:
        files.append(clips.pad(shutil.copy(clip, folder / f"{name}.mp4"), 1))
    with Desktop("order", folder) as desktop:
        page = first_run(desktop)
        ask(page, "set_schedule", rules=["daily 00:00-24:00 pause"])
        ask(page, "set_uploads", uploads=1)
        for file in files:
            assert desktop.start([desktop.app, file]).wait(30) == 0, "the second start did not end well"
        page.wait("five rows", lambda: len(rows(page)) == 5, 30)
        page.wait("five that wait", lambda: both(page, names), 30)

        def held():
            line = "return document.querySelector('[role=grid] .line') !== null"
            page.wait("line where it will stand", lambda: page.run(line), 5)
            desktop.shot_of_screen("2-carried")

        carry(desktop, page, "take 4", "take 2", 0.2, held)
        page.wait("take 4 before take 2", lambda: both(page, ["take 1", "take 4", "take 2", "take 3", "take 5"]), 10)
        desktop.hand("windowfocus", "--sync", desktop.windows("Dailies")[0])
        x, y = place(desktop, page, "take 5", 0.5)
        desktop.hand("mousemove", x, y)
        desktop.hand("click", 1)
        desktop.hand("key", "alt+Home")
        page.wait("take 5 on top", lambda: both(page, ["take 5", "take 1", "take 4", "take 2", "take 3"]), 10)
        desktop.hand("key", "alt+Down")
        wanted = ["take 1", "take 5", "take 4", "take 2", "take 3"]
        page.wait("take 5 one down", lambda: both(page, wanted), 10)
        page.click("//*[@data-upload][.//*[normalize-space()='take 3']]//button[starts-with(@aria-label, 'Actions')]")
        page.click("//*[@role='menuitem'][normalize-space()='Upload next']")
        wanted = ["take 3", *wanted[:-1]]
        page.wait("take 3 next", lambda: both(page, wanted), 10)
        desktop.shot("3-ordered")
        desktop.quit_app()

        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.wait("the same order", lambda: len(rows(page)) == 5 and both(page, wanted), 30)
        uploads = ask(page, "ids", list="waiting")
        ask(page, "set_schedule", rules=[])
        page.wait("all ready", lambda: [row["phase"] for row in rows(page)] == ["ready"] * 5, 120)
        sent = sorted(ask(page, "uploads", ids=uploads), key=lambda upload: upload["uploadedAt"])
        assert [upload["title"] for upload in sent] == wanted, sent
        desktop.shot("4-sent")
        desktop.quit_app()


TESTS = [waits_in_the_order_that_is_wanted]
