"""Plays what is not with the team yet."""

import os
import re
import urllib.error
import urllib.request
from pathlib import Path

import clips
from desktop import Desktop
from pages import ROW, first_run, only_row, ready

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]{43}/[0-9A-Z]{26}")


def limit(page, rate):
    page.run("return window.__TAURI_INTERNALS__.invoke('set_limit', { limit: arguments[0] })", rate)


def moves(page, beyond=0.0):
    """The picture goes on beyond a second of the video, and says where it comes from."""
    position = "return document.querySelector('video')?.currentTime ?? 0"
    began = page.wait("moving picture", lambda: page.run(position) > beyond and page.run(position), 30)
    page.wait("two seconds of video", lambda: page.run(position) > began + 2, 30)
    width, source = page.run("const { videoWidth, currentSrc } = document.querySelector('video'); return [videoWidth, currentSrc]")
    assert width == 1280, f"no picture: {width} pixels wide"
    return source


def copies(desktop):
    """Files that the webview fills with what it plays. They have no name any more, but take their place."""
    pages = (pid for program in Path("/usr/lib").glob("*/webkit2gtk-4.1/WebKitWebProcess") for pid in desktop.pids(program))
    opened = [os.readlink(file) for pid in pages for file in Path(f"/proc/{pid}/fd").iterdir()]
    assert opened, "no page was found"
    return [file for file in opened if "WebKit-Media" in file]


def status(address, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def plays_before_it_is_sent(folder):
    """The file plays from disk while it goes up, from any place of it, for nobody else and only where it
    is; when it is ready, what the team has made of it plays."""
    clip = clips.large_clip(folder / "harbour at dusk.mp4", 8)
    with Desktop("local", folder) as desktop:
        page = first_run(desktop)
        limit(page, 100_000)
        desktop.drag([clip])
        page.wait("bytes that go up", lambda: (only_row(page) or {}).get("phase") == "uploading", 30)
        page.click("//*[@data-upload]")
        page.run(f"document.querySelector('{ROW}').closest('[role=grid]').focus()")
        page.click("//*[@data-upload]//button[starts-with(@aria-label, 'Actions')]")
        page.click("//*[@role='menuitem'][normalize-space()='Details']")
        desktop.shot("2-details")
        page.click("//aside//button[starts-with(@aria-label, 'Play the local file')]")
        address = moves(page)
        desktop.shot("3-playing")
        assert ADDRESS.fullmatch(address), address
        assert only_row(page)["phase"] == "uploading", "it was sent before it was played"
        # After one in six of these, WebKitGTK by itself stands still for good.
        for _ in range(3):
            page.run("document.querySelector('video').currentTime = 8")
            assert moves(page, 8) == address
        assert not copies(desktop), "the webview keeps a copy of what it plays"
        assert status(address, {"Range": "bytes=0-9"}) == 206
        assert status(address, {"Origin": "https://team.example"}) == 403
        assert status(address, {"Host": "team.example"}) == 403
        page.click("//button[@aria-label='Close']")

        upload = only_row(page)["id"]
        ask = """return window.__TAURI_INTERNALS__.invoke('local_playback', { id: arguments[0] })
          .then(() => 'played', ({ code }) => code)"""
        clip.rename(folder / "elsewhere.mp4")
        assert page.run(ask, upload) == "source_missing"
        assert status(address, {}) == 410
        (folder / "elsewhere.mp4").rename(clip)
        assert page.run(ask, upload) == "played"

        limit(page, None)
        page.wait("Ready", lambda: ready(page), 120)
        page.click("//aside//button[starts-with(@aria-label, 'Play')]")
        assert moves(page).startswith("blob:"), "it is not what the team has made that plays"
        desktop.shot("4-ready")
        desktop.quit_app()


TESTS = [plays_before_it_is_sent]
