"""Runs the tests of the real window; see run.sh."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import clips
import local_file
import order
import outside
import shoot
import updates
import x11
from desktop import APP, HERE, SERVER, SHOTS, Desktop, wait
from pages import PLAY, ROW, USE_THIS_COMPUTER, connected, first_run, only_row, play, ready, rows
from team import Team, digest

# For one test.
LIMIT = 300
# What takes some seconds even where the server writes a gigabyte in one.
LARGE = int(os.environ.get("DAILIES_WINDOW_TEST_MIB", "1024"))


def drop_and_play(folder):
    """First run, a real drag, Ready, Play; light."""
    clip = clips.clip(folder / "harbour at dawn.mp4")
    with Desktop("light", folder, "light") as desktop:
        page = first_run(desktop)
        [app] = desktop.pids(APP)
        by_processor = b"WEBKIT_SKIA_ENABLE_CPU_RENDERING=1" in Path(f"/proc/{app}/environ").read_bytes().split(b"\0")
        assert by_processor != any(Path("/dev/dri").glob("renderD*")), "who paints the page"
        desktop.shot("2-empty")

        def held():
            said = "return document.querySelector('.overlay')?.innerText ?? ''"
            page.wait("word about the drag", lambda: "1" in page.run(said), 10)
            desktop.shot_of_screen("3-drag")

        desktop.drag([clip], held)
        page.wait("row", lambda: only_row(page), 20)
        page.wait("end of the drag", lambda: not page.find("//*[@class='overlay']"), 5)
        page.wait("Ready", lambda: ready(page), 60)
        page.wait("picture of the video", lambda: page.find(f"//*[@data-upload]//img"), 20)
        desktop.shot("4-ready")
        play(page)
        desktop.shot("5-playing")
        [video] = Team(desktop.data / "server/credentials.json").videos()
        assert video["status"] == "ready", video
        desktop.quit_app()


def pasted(folder):
    """What was copied in a file manager is added by Ctrl+V; nothing, or a text of our own, is no error."""
    film = clips.clip(folder / "größe und ü.mp4")
    with Desktop("paste", folder) as desktop:
        page = first_run(desktop)
        order.ask(page, "paste_files")
        copied = [sys.executable, str(HERE / "copy_source.py"), str(film), str(folder / "gone.mp4")]
        source = desktop.start(copied, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert source.stdout.readline().strip() == b"ready", "nothing was copied"
        page.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'v', ctrlKey: true }))")
        page.wait("Ready", lambda: ready(page), 60)
        assert "größe und ü" in only_row(page)["text"], rows(page)
        source.stdin.close()
        source.wait(10)
        order.ask(page, "copy_links", ids=[only_row(page)["id"]])
        order.ask(page, "paste_files")
        assert only_row(page), "a link was taken for a file"
        desktop.quit_app()


def killed_at_half(folder):
    """Killed with about half confirmed, started again: one video, equal bytes; dark."""
    clip = clips.large_clip(folder / "A003_C012_0418_interview_wide.mp4", LARGE)
    with Desktop("dark", folder, "dark") as desktop:
        page = first_run(desktop)
        desktop.drag([clip], lambda: desktop.shot_of_screen("2-drag"))
        row = page.wait("row", lambda: only_row(page), 20)
        page.wait("half", lambda: (only_row(page) or row)["confirmed"] >= 46, 120)
        confirmed = only_row(page)["confirmed"]
        desktop.kill_app()
        assert confirmed < 90, f"{confirmed} % were confirmed: the file is too small for this test"
        print(f"  killed with {confirmed} % confirmed")

        page = desktop.open_app()
        again = page.wait("row after the restart", lambda: only_row(page), 30)
        assert again["id"] == row["id"], f"{row} became {again}"
        page.wait("bytes that move", lambda: "/s" in page.run("return document.body.innerText"), 30)
        shown = only_row(page)
        desktop.shot("3-uploading")
        low = min(confirmed, 95) - 1
        assert shown["phase"] != "uploading" or shown["confirmed"] >= low, f"fell back: {shown}"
        page.wait("Ready", lambda: ready(page), 120)
        desktop.shot("4-ready")
        team = Team(desktop.data / "server/credentials.json")
        [video] = team.videos()
        assert video["status"] == "ready", video
        with open(clip, "rb") as file:
            assert team.digest(video) == digest(file), "the stored bytes differ"
        play(page)
        desktop.shot("5-playing")
        desktop.quit_app()


def server_comes_back(folder):
    """The server is killed in the middle of an upload, which ends Ready all the same."""
    clip = clips.large_clip(folder / "drone pass 07.mp4", LARGE // 2)
    with Desktop("server", folder) as desktop:
        page = first_run(desktop)
        # A second start hands its files to the first one, and ends.
        second = desktop.start([APP, clip])
        assert second.wait(30) == 0, "the second start did not end well"
        page.wait("bytes that arrive", lambda: (only_row(page) or {"confirmed": 0})["confirmed"] > 10, 60)
        [killed] = desktop.pids(SERVER)
        os.kill(killed, signal.SIGKILL)
        wait("another server", lambda: desktop.pids(SERVER) not in ([], [killed]), 20)
        page.wait("Ready", lambda: ready(page), 120)
        assert len(Team(desktop.data / "server/credentials.json").videos()) == 1
        desktop.quit_app()


def closed_window(folder):
    """Closing the window hides it; starting again shows it."""
    with Desktop("closed", folder) as desktop:
        page = first_run(desktop)
        hidden = "return document.hidden"
        assert not page.run(hidden)
        [window] = desktop.windows("Dailies")
        x11.ask_to_close(int(window))
        wait("the window to go", lambda: not desktop.windows("Dailies"), 10)
        assert desktop.pids(APP) and desktop.pids(SERVER), "closing the window ended something"
        assert desktop.start([APP]).wait(30) == 0, "the second start did not end well"
        wait("the window to come back", lambda: desktop.windows("Dailies"), 10)
        page.wait("page in sight", lambda: not page.run(hidden), 10)
        desktop.quit_app()


def watched_folder(folder):
    """A folder chosen in the system's dialog is watched: what is in it and what comes into it goes
    up, and nothing while it is paused."""
    card = folder / "card"
    card.mkdir()
    clips.clip(card / "harbour at dawn.mp4")
    (card / "notes.txt").write_text("no video")
    with Desktop("watched", folder, "dark") as desktop:
        page = first_run(desktop)
        page.click("//nav//a[@href='#folders']")
        page.click("//button[normalize-space()='Watch a folder…']")
        desktop.choose("Watch a folder", card)
        shown = "return document.querySelector('main').innerText"
        page.wait("a dry run", lambda: "No file would be uploaded now" in page.run(shown), 30)
        page.click("//label[normalize-space()='Goes up, too']")
        page.wait("another", lambda: "1 file would be uploaded now" in page.run(shown), 30)
        desktop.shot("2-rules")
        page.click("//button[normalize-space()='Start watching']")
        page.wait("what was there", lambda: "1 with your team" in page.run(shown), 60)
        said = page.run(shown)
        assert "Watching" in said and "1 ignored" in said, said
        clips.clip(card / "harbour at noon.mp4", 13)
        page.wait("what came", lambda: "2 with your team" in page.run(shown), 60)
        desktop.shot("3-folder")
        page.click("//button[@role='switch']")
        page.wait("a pause", lambda: "Paused" in page.run(shown), 20)
        clips.clip(card / "harbour at dusk.mp4", 14)
        page.click("//nav//a[@href='#queue']")
        page.wait("both, ready", lambda: [row["phase"] for row in rows(page)] == ["ready"] * 2, 60)
        time.sleep(4)
        titles = sorted(video["title"] for video in Team(desktop.data / "server/credentials.json").videos())
        assert titles == ["harbour at dawn", "harbour at noon"], titles
        assert len(rows(page)) == 2, "a paused folder sent something"
        desktop.quit_app()
        # What was set is kept, and so is what came meanwhile.
        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.click("//nav//a[@href='#folders']")
        page.wait("the pause", lambda: "Paused" in page.run(shown), 20)
        page.click("//button[@role='switch']")
        page.wait("a dry run", lambda: "1 file would be uploaded now" in page.run(shown), 30)
        page.click("//button[normalize-space()='Start watching']")
        page.wait("what came meanwhile", lambda: "3 with your team" in page.run(shown), 60)
        desktop.quit_app()


def switches(folder):
    """What is switched in the settings holds at the next start."""
    names = ["Pause on metered networks", "Pause on battery", "Keep the computer awake while uploading"]
    state = """return arguments[0].map((name) =>
      document.querySelector(`[role=switch][aria-label="${name}"]`)?.ariaChecked)"""
    with Desktop("switches", folder) as desktop:
        page = first_run(desktop)
        page.click("//nav//a[@href='#settings']")
        page.wait("switches", lambda: page.run(state, names) == ["true", "false", "true"], 20)
        desktop.shot("1-settings")
        for name in names[1:]:
            page.click(f"//button[@aria-label='{name}']")
        page.wait("what was switched", lambda: page.run(state, names) == ["true", "true", "false"], 10)
        desktop.quit_app()
        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.click("//nav//a[@href='#settings']")
        page.wait("the same", lambda: page.run(state, names) == ["true", "true", "false"], 20)
        desktop.quit_app()


def connect_by_key(desktop, data):
    """Connects to another team server, started here; its key, and where the app keeps that."""
    desktop.start([SERVER, "serve", "--data", data, "--listen", "127.0.0.1:0"])
    wait("the team server", (data / "credentials.json").exists, 20)
    credentials = json.loads((data / "credentials.json").read_text())
    page = desktop.open_app()
    card = "//section[@aria-labelledby='key']"
    page.type(f"{card}//input[@type='url']", credentials["url"])
    page.type(f"{card}//input[@type='password']", credentials["apiKey"])
    page.click("//button[normalize-space()='Connect']")
    page.wait("queue", lambda: connected(page), 30)
    kept = "return window.__TAURI_INTERNALS__.invoke('shell').then((shell) => shell.teams[0]?.openedBy)"
    where = page.wait("a place for the key", lambda: page.run(kept), 20)
    # It is in memory first: the keychain may ask somebody to unlock it.
    time.sleep(2)
    where = page.run(kept)
    for file in desktop.data.rglob("*"):
        if file.is_file():
            assert credentials["apiKey"].encode() not in file.read_bytes(), f"the key is in {file}"
    return where


def key_is_kept(folder):
    """Another team server by its key: kept in the keychain, used again at the next start."""
    with Desktop("key", folder, keyring=True) as desktop:
        assert connect_by_key(desktop, folder / "team") == "kept_key"
        desktop.quit_app()
        page = desktop.open_app()
        page.wait("queue without being asked again", lambda: connected(page), 30)
        desktop.quit_app()


def key_without_keychain(folder):
    """The same where the keychain refuses: the key is in memory only, and asked for again."""
    with Desktop("memory", folder) as desktop:
        assert connect_by_key(desktop, folder / "team") == "key_in_memory"
        desktop.quit_app()
        page = desktop.open_app()
        page.wait("word that somebody is needed", lambda: page.find("//button[normalize-space()='Sign in again']"), 30)
        page.click("//button[normalize-space()='Sign in again']")
        page.wait("question for the key", lambda: page.find("//dialog//input[@type='password']"), 10)
        desktop.quit_app()


def page_is_confined(folder):
    """What the page must not do, even if it wanted to."""
    with Desktop("confined", folder) as desktop:
        page = desktop.open_app()
        page.wait("first run", lambda: page.find(USE_THIS_COMPUTER), 30)
        for command in [
            "plugin:dialog|open",
            "plugin:notification|notify",
            "plugin:event|emit",
            "plugin:window|close",
            "plugin:webview|create_webview_window",
            "plugin:path|resolve_directory",
            "plugin:updater|check",
            "plugin:updater|download_and_install",
        ]:
            said = page.run(
                "return window.__TAURI_INTERNALS__.invoke(arguments[0], {})"
                ".then(() => 'done', (error) => String(error))",
                command,
            )
            assert "not allowed" in said, f"{command}: {said}"
        # It names no folder by its path, no rule by what is none, and no link by its address.
        no_pattern = {"include": ["a["]}
        link = {"expiresInDays": 1, "allowDownload": False, "password": None}
        for command, arguments, words in [
            ("add_folder", {"projectId": None, "rules": {}, "path": "/etc"}, "wrong_state"),
            ("preview", {"id": None, "rules": {}, "path": "/etc"}, "wrong_state"),
            ("preview", {"id": "../..", "rules": {}}, "invalid args"),
            ("change_folder", {"id": "0" * 26, "projectId": None, "rules": {}}, "not_found"),
            ("change_folder", {"id": "0" * 26, "projectId": None, "rules": no_pattern}, "invalid args"),
            ("local_playback", {"id": "0" * 26, "path": "/etc/passwd"}, "not_found"),
            ("local_playback", {"id": "../.."}, "invalid args"),
            ("turn", {"switch": "firewall", "on": False}, "invalid args"),
            ("videos", {"projectId": "/etc", "search": "", "cursor": None}, "not_connected"),
            ("download", {"videoId": "v", "path": "/etc/passwd"}, "not_connected"),
            ("show_download", {"id": 1, "path": "/etc"}, "not_found"),
            ("show_download", {"id": "../.."}, "invalid args"),
            ("remove_download", {"id": -1}, "invalid args"),
            ("share", {"videoId": "v", "link": link}, "not_connected"),
            ("share", {"videoId": "v", "link": {**link, "url": "https://team.example"}}, "invalid args"),
            ("share", {"videoId": "v", "link": {**link, "expiresInDays": -1}}, "invalid args"),
            ("copy_share_link", {"videoId": "v", "linkId": "l"}, "not_connected"),
            ("revoke", {"linkId": ["l"]}, "invalid args"),
        ]:
            said = page.run(
                "return window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1])"
                ".then(() => 'done', (error) => JSON.stringify(error))",
                command,
                arguments,
            )
            assert words in said, f"{command} {arguments}: {said}"
        here = page.run("return location.href")
        page.run("location.href = 'http://127.0.0.1:9/'")
        assert page.run("return window.open('https://team.example/')") is None
        time.sleep(0.5)
        assert page.run("return location.href") == here, "the page went elsewhere"
        said = page.run(
            """const blocked = new Promise((done) =>
              addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective)));
            const script = document.createElement('script');
            script.textContent = 'window.inline = true';
            document.head.append(script);
            return Promise.race([blocked, new Promise((done) => setTimeout(done, 2000, 'nothing'))]);"""
        )
        assert said.startswith("script-src") and not page.run("return window.inline"), said
        desktop.quit_app()


TESTS = [
    drop_and_play,
    pasted,
    killed_at_half,
    server_comes_back,
    closed_window,
    watched_folder,
    switches,
    key_is_kept,
    key_without_keychain,
    page_is_confined,
    *local_file.TESTS,
    *order.TESTS,
    *outside.TESTS,
    *shoot.TESTS,
    *updates.TESTS,
]


def too_long(*_):
    raise AssertionError(f"the test took more than {LIMIT} s")


def main():
    for binary in (APP, SERVER):
        assert binary.exists(), f"{binary} is not built"
    for old in SHOTS.glob("*-failed.png"):
        old.unlink()
    signal.signal(signal.SIGALRM, too_long)
    names = sys.argv[1:]
    unknown = set(names) - {test.__name__ for test in TESTS}
    assert not unknown, f"no such test: {unknown}"
    passed = failed = 0
    for test in [test for test in TESTS if not names or test.__name__ in names]:
        folder = Path(tempfile.mkdtemp(prefix=f"{test.__name__}-"))
        began = time.monotonic()
        signal.alarm(LIMIT)
        try:
            test(folder)
            passed += 1
            print(f"ok      {test.__name__} ({time.monotonic() - began:.0f} s)", flush=True)
        except Exception:  # noqa: BLE001
            failed += 1
            traceback.print_exc()
            print(f"FAILED  {test.__name__}: screenshot in {SHOTS}", flush=True)
        finally:
            signal.alarm(0)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
