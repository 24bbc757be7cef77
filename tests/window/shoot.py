"""A day of shooting, from the card to whoever is to see it."""

import shutil
import subprocess
import time
from collections import Counter

import clips
from desktop import HERE, SHOTS, Desktop
from pages import connected, first_run, lift_limit, rows
from team import Team, digest

TAKES = 9
# What takes some seconds at five megabytes a second.
PADDING = 5
# As cameras and editors leave them beside clips.
NO_VIDEOS = {"notes.txt": b"Take 3 is the one.", "day.cube": b"LUT_3D_SIZE 2", "slate.jpg": b"\xff\xd8\xff\xe0"}


def card_of(folder):
    """A card with twelve files, of which three are no videos; what each video is called, and its path."""
    card = folder / "CARD_A" / "CLIPS"
    card.mkdir(parents=True)
    first = clips.clip(folder / "first.mp4", 3)
    takes = {}
    for number in range(1, TAKES + 1):
        takes[f"take {number}"] = clips.pad(shutil.copy(first, card / f"take {number}.mp4"), PADDING)
    for name, content in NO_VIDEOS.items():
        (card / name).write_bytes(content)
    return card.parent, takes


def phases(page):
    return Counter(row["phase"] for row in rows(page))


def stands_still(page):
    before = [row["confirmed"] for row in rows(page)]
    time.sleep(2)
    return before == [row["confirmed"] for row in rows(page)]


def share(desktop, page, title):
    """Makes a link in the library, which copies it, and what is pasted then."""
    page.click("//nav//a[@href='#library']")
    card = f"//*[@data-video][.//*[normalize-space()='{title}']]"
    page.wait("video in the library", lambda: page.find(card), 20)
    page.click(card + "//button[contains(@aria-label, 'Share')]")
    page.click("//button[normalize-space()='Create and copy link']")
    made = "return document.querySelector('dialog [role=status]')?.innerText"
    page.wait("word that it is copied", lambda: page.run(made), 20)
    desktop.shot("6-shared")
    page.click("//dialog//button[@aria-label='Close']")
    [window] = desktop.windows("Dailies")
    desktop.hand("windowfocus", "--sync", window)
    search = "document.querySelector('main input[type=search]')"
    page.run(f"{search}.focus()")
    desktop.hand("key", "ctrl+v")
    return page.wait("the address", lambda: page.run(f"return {search}.value"), 10)


def a_card_goes_up_and_is_shared(folder):
    """A folder of twelve files is dropped, of which three are no videos and are passed over; with a limit, all is
    paused and goes on, is quit in the middle and started again; one of the videos is shared, and plays for a
    stranger in Chromium."""
    card, takes = card_of(folder)
    with Desktop("card", folder) as desktop:
        page = first_run(desktop)
        page.click("//nav//a[@href='#settings']")
        page.click("//select[@aria-label='Speed limit']/option[normalize-space()='5.0 MB/s']")
        page.click("//nav//a[@href='#queue']")
        overlay = "return document.querySelector('.overlay')?.innerText ?? ''"

        def held():
            page.wait("what the card has", lambda: f"{TAKES} videos" in page.run(overlay), 10)
            desktop.shot_of_screen("2-drag")

        desktop.drag([card], held)
        page.wait("a row for each video", lambda: len(rows(page)) == TAKES, 20)
        page.wait("bytes that arrive", lambda: any(row["confirmed"] > 0 for row in rows(page)), 60)
        page.click("//button[normalize-space()='Pause all']")
        page.wait("the way on", lambda: page.find("//button[normalize-space()='Resume all']"), 10)
        page.wait("rows that stand still", lambda: stands_still(page), 20)
        desktop.shot("3-paused")
        page.click("//button[normalize-space()='Resume all']")
        page.wait("the first that are sent", lambda: phases(page)["ready"] + phases(page)["processing"] >= 3, 90)
        assert phases(page)["uploading"] > 0, "nothing is under way that could be quit in the middle"
        desktop.shot("4-uploading")
        desktop.quit_app()

        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.wait("all rows", lambda: len(rows(page)) == TAKES, 30)
        lift_limit(page, "5.0 MB/s")
        page.wait("all done", lambda: phases(page)["ready"] == TAKES, 120)
        desktop.shot("5-done")
        team = Team(desktop.data / "server/credentials.json")
        videos = {video["title"]: video for video in team.videos()}
        assert sorted(videos) == sorted(takes), videos
        for title, path in takes.items():
            with open(path, "rb") as file:
                assert team.digest(videos[title]) == digest(file), f"{title}: the stored bytes differ"

        address = share(desktop, page, "take 3")
        command = ["node", HERE / "visitor.mjs", address, SHOTS / "card-7-visitor.png"]
        seen = subprocess.run(command, check=True, capture_output=True, timeout=120)
        assert seen.stdout.decode().strip() == "take 3", seen
        desktop.quit_app()


TESTS = [a_card_goes_up_and_is_shared]
