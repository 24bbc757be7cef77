"""Takes the pictures of docs/guide from the real app, as somebody would use it; see scripts/screenshots."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clips
from desktop import BINARIES, ROOT, SHOTS, Desktop
from pages import PLAY, USE_THIS_COMPUTER, connected, first_run, rows

PICTURES = ROOT / "docs" / "guide" / "images"
CLI = BINARIES / "dailies"
PAGE_TEXT = "return document.querySelector('main').innerText"


def footage(path, seed, seconds=5, mebibytes=0):
    """A clip whose picture is one of slowly moving colours, no two alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = f"gradients=size=1280x720:rate=30:duration={seconds}:seed={seed}:nb_colors=4:speed=0.02"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", colours]
    command += ["-f", "lavfi", "-i", f"sine=frequency={200 + seed}:duration={seconds}"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    command += ["-movflags", "+faststart", str(path)]
    subprocess.run(command, check=True, timeout=120)
    if mebibytes:
        clips.pad(path, mebibytes)
    return path


def picture(page, what):
    # What moves has come to rest by then, and what is in the page is on the screen.
    time.sleep(1)
    page.screenshot(PICTURES / f"{what}.png")


def set_rules(desktop):
    """So slow that there is something to see, by the command line, which works on the same kind of queue."""
    profile = desktop.data / "profile"
    for rule in (["limit", "3M"], ["parallel", "2"]):
        command = [str(CLI), "--profile", str(profile), *rule]
        subprocess.run(command, env=desktop.env, check=True, timeout=30, stdout=subprocess.DEVNULL)


def go(page, screen):
    page.click(f"//nav//a[@href='#{screen}']")


def phases(page):
    return [(row["phase"], row["hold"]) for row in rows(page)]


def queue(folder, theme, everything):
    """First run, files that went up, files that go up, and what is shown of them."""
    card = folder / "card"
    done = [footage(card / "B001_harbour_dawn.mov", 3), footage(card / "B002_ferry_wide.mp4", 11)]
    again = shutil.copy(done[1], card / "copy of ferry.mp4")
    now = [
        footage(card / "A003_C012_interview_wide.mp4", 21, mebibytes=240),
        footage(card / "A003_C013_interview_close.mp4", 34, mebibytes=180),
        footage(card / "drone pass 07.mp4", 55, mebibytes=90),
        footage(card / "room tone.mp4", 89, mebibytes=40),
    ]
    notes = card / "shot list.txt"
    notes.write_text("1. harbour")
    with Desktop("guide", folder, theme) as desktop:
        page = desktop.open_app()
        page.wait("first run", lambda: page.find(USE_THIS_COMPUTER), 60)
        if everything:
            picture(page, f"first-run-{theme}")
        page.click(USE_THIS_COMPUTER)
        page.wait("queue", lambda: connected(page), 60)
        if everything:
            picture(page, f"queue-empty-{theme}")
        desktop.drag([*done, notes], lambda: everything and picture(page, f"drag-{theme}"))
        page.wait("two that are ready", lambda: phases(page).count(("ready", "none")) == 2, 120)
        desktop.drag([again])
        page.wait("one that needs somebody", lambda: "needs_user" in [hold for _, hold in phases(page)], 60)
        page.wait("a picture of each", lambda: len(page.run("return [...document.images]")) >= 2, 60)
        desktop.quit_app()

        set_rules(desktop)
        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 60)
        desktop.drag(now)
        page.wait("two that go up", lambda: [row["confirmed"] >= 12 for row in rows(page)].count(True) >= 2, 180)
        page.run("document.querySelector('[aria-label=Dismiss]')?.click()")
        picture(page, f"queue-{theme}")
        if everything:
            page.click("(//*[@data-upload])[1]")
            page.click("(//*[@data-upload])[1]//button[starts-with(@aria-label, 'Actions')]")
            picture(page, f"menu-{theme}")
            page.click("//*[@role='menuitem'][normalize-space()='Details']")
            page.wait("details", lambda: "Parts" in page.run("return document.body.innerText"), 20)
            page.wait("a chart", lambda: max(row["confirmed"] for row in rows(page)) >= 20, 180)
            picture(page, f"details-{theme}")
            page.click("//button[@aria-label='Close details']")
            page.click(PLAY)
            position = "return document.querySelector('video')?.currentTime ?? 0"
            page.wait("moving picture", lambda: page.run(position) > 1, 60)
            # While nothing moves in it, its controls are not hidden.
            page.click("//video")
            picture(page, f"player-{theme}")
            page.click("//button[@aria-label='Close']")
            go(page, "settings")
            page.wait("switches", lambda: page.find("//*[@role='switch']"), 20)
            # Above it stands a path of whoever takes the picture.
            heading = "[...document.querySelectorAll('h2')].find((h) => h.innerText === 'Transfers')"
            page.wait("the heading", lambda: page.run(f"return {heading} !== undefined"), 20)
            page.run(f"{heading}.scrollIntoView()")
            picture(page, f"settings-{theme}")
        desktop.quit_app()


def watched(folder):
    """A folder that is watched, and what activity keeps of its files."""
    # Its name is in the pictures.
    footage_folder = Path("/tmp/Footage")
    exports = footage_folder / "Exports"
    footage_folder.mkdir()
    try:
        watch(folder, exports)
    finally:
        shutil.rmtree(footage_folder)


def watch(folder, exports):
    with Desktop("guide", folder, "light") as desktop:
        for number, name in enumerate(["Reel 01.mov", "Reel 02.mov", "Reel 02_draft.mov", "Trailer.mp4"]):
            footage(exports / name, 100 + number)
        (exports / "notes.txt").write_text("to do")
        page = first_run(desktop)
        go(page, "folders")
        page.wait("the screen", lambda: "Footage that uploads itself" in page.run(PAGE_TEXT), 20)
        picture(page, "folders-empty-light")
        page.click("//button[normalize-space()='Watch a folder…']")
        desktop.choose("Watch a folder", exports)
        page.click("//label[normalize-space()='Goes up, too']")
        page.type("(//textarea)[2]", "*_draft.*")
        page.wait("a dry run", lambda: "3 files would be uploaded now" in page.run("return document.body.innerText"), 60)
        picture(page, "folders-rules-light")
        page.click("//button[normalize-space()='Start watching']")
        page.wait("what was there", lambda: "3 with your team" in page.run(PAGE_TEXT), 120)
        picture(page, "folders-light")
        go(page, "queue")
        page.wait("all ready", lambda: phases(page).count(("ready", "none")) == 3, 120)
        go(page, "activity")
        page.wait("what has ended", lambda: "Trailer" in page.run(PAGE_TEXT), 20)
        picture(page, "activity-light")
        go(page, "library")
        page.wait("posters", lambda: page.run("return document.querySelectorAll('main img').length") >= 3, 60)
        picture(page, "library-light")
        desktop.quit_app()


def main():
    for made in (PICTURES, SHOTS):
        made.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or ["light", "dark", "watched"]
    for what in wanted:
        with tempfile.TemporaryDirectory(prefix="guide-") as folder:
            print(f"taking {what}", flush=True)
            if what == "watched":
                watched(Path(folder))
            else:
                queue(Path(folder), what, everything=what == "light")


if __name__ == "__main__":
    main()
