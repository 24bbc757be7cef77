"""Tests of what is around the queue: settings, sign-in, and all that is outside the window."""

import json
import subprocess
import sys
import time
from urllib.parse import quote

import clips
import order
import x11
from desktop import APP, HERE, ROOT, SERVER, Desktop, wait
from pages import connected, first_run, lift_limit, only_row, ready, rows
from team import Team

SETTINGS = "//nav//a[@href='#settings']"
QUEUE = "//nav//a[@href='#queue']"
DARK = "return matchMedia('(prefers-color-scheme: dark)').matches"
# What takes some seconds at five megabytes a second.
CLIP_MIB = 40
LIMIT = 5_000_000


def text(page):
    return page.run("return document.querySelector('main').innerText")


def shell(page):
    return page.run("return window.__TAURI_INTERNALS__.invoke('shell')")


def choose(page, select, option):
    """As somebody does with a list of the page's."""
    page.click(f"//select[{select}]/option[normalize-space()='{option}']")


def says(process):
    return json.loads(process.stdout.readline())


def limit_and_quit(folder):
    """A limit holds, also at the next start after a quit in the middle; then it goes on without."""
    clip = clips.large_clip(folder / "harbour.mp4", CLIP_MIB)
    size = clip.stat().st_size
    with Desktop("limit", folder) as desktop:
        page = first_run(desktop)
        page.click(SETTINGS)
        choose(page, "@aria-label='Speed limit'", "5.0 MB/s")
        page.wait(
            "the limit",
            lambda: page.run("return window.__TAURI_INTERNALS__.invoke('rules')")["limit"] == LIMIT,
            10,
        )
        page.click(QUEUE)
        began = time.monotonic()
        assert desktop.start([APP, clip]).wait(30) == 0
        row = page.wait("a third", lambda: (only_row(page) or {"confirmed": 0})["confirmed"] >= 33 and only_row(page), 60)
        took = time.monotonic() - began
        assert took > 0.2 * size / LIMIT, f"a third of {size} bytes in {took:.1f} s is above the limit"
        desktop.shot("1-limited")
        desktop.quit_app()
        page = desktop.open_app()
        again = page.wait("row after the restart", lambda: only_row(page), 30)
        assert again["id"] == row["id"] and again["confirmed"] >= row["confirmed"], f"{row}: {again}"
        lift_limit(page, "5.0 MB/s")
        page.wait("Ready", lambda: ready(page), 60)
        desktop.quit_app()


def settings_are_kept(folder):
    """Language, colours and schedule hold at once, and at the next start."""
    with Desktop("kept", folder) as desktop:
        # It decides over everything else.
        desktop.env.pop("GTK_THEME")
        page = first_run(desktop)
        page.click(SETTINGS)
        page.click("//label[normalize-space()='Dark']")
        page.wait("dark colours", lambda: page.run(DARK), 10)
        page.click("//button[normalize-space()='Add a rule']")
        choose(page, "option[normalize-space()='Deutsch']", "Deutsch")
        page.wait("German", lambda: "Teams und Anmeldung" in text(page), 10)
        desktop.shot("1-german")
        desktop.quit_app()
        page = desktop.open_app()
        page.wait("queue", lambda: page.find("//h1[normalize-space()='Warteschlange']"), 30)
        assert page.run("return document.documentElement.lang") == "de"
        assert page.run(DARK), "the colours are the system's again"
        rules = page.run("return window.__TAURI_INTERNALS__.invoke('rules')")
        assert rules["schedule"] == ["mon,tue,wed,thu,fri 09:00-18:00 5M"], rules
        desktop.quit_app()


def colours(folder):
    """The system's colours, as it changes them; chosen ones stay, whatever the system says."""
    with Desktop("colours", folder) as desktop:
        desktop.env.pop("GTK_THEME")
        portal = python(desktop, "portal_host.py", "1", stdin=subprocess.PIPE)
        assert says(portal) == "ready"

        def prefer(line):
            portal.stdin.write(f"{line}\n")
            portal.stdin.flush()
            assert says(portal) == "said"

        page = first_run(desktop)
        page.wait("the system's dark", lambda: page.run(DARK), 10)
        desktop.shot("1-dark")
        prefer(2)
        page.wait("the system's light", lambda: not page.run(DARK), 10)
        page.click(SETTINGS)
        page.click("//label[normalize-space()='Dark']")
        page.wait("dark as chosen", lambda: page.run(DARK), 10)
        for line in (1, 0, 2):
            prefer(line)
        time.sleep(2)
        assert page.run(DARK), "what the system prefers is taken for what was chosen"
        page.click("//label[normalize-space()='As the system']")
        page.wait("the system's light again", lambda: not page.run(DARK), 10)
        prefer(1)
        page.wait("the system's dark again", lambda: page.run(DARK), 10)
        # A desktop's older way of being dark.
        (desktop.home / ".config/gtk-3.0").mkdir(parents=True)
        ini = desktop.home / ".config/gtk-3.0/settings.ini"
        ini.write_text("[Settings]\ngtk-theme-name = Adwaita-dark\n")
        page.click("//label[normalize-space()='Light']")
        page.wait("light as chosen", lambda: not page.run(DARK), 10)
        desktop.quit_app()
        page = desktop.open_app()
        page.wait("queue", lambda: page.find("//h1[normalize-space()='Queue']"), 30)
        assert not page.run(DARK), "a dark theme's colours for the chosen ones"
        page.click(SETTINGS)
        page.click("//label[normalize-space()='As the system']")
        page.wait("the theme's dark", lambda: page.run(DARK), 10)
        # As on a desktop without a tray.
        page.click("//button[normalize-space()='Quit Dailies']")
        wait("the app to end", lambda: not desktop.pids(APP) and not desktop.pids(SERVER), 20)


def signed_in_by_browser(folder):
    """A second team by a sign-in in the browser, kept over a restart; files go where somebody chose."""
    # What the system opens pages with.
    programs = folder / "programs"
    programs.mkdir()
    opened = folder / "opened"
    browser = programs / "xdg-open"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> "{opened}"\n')
    browser.chmod(0o755)
    with Desktop("browser", folder) as desktop:
        desktop.env["PATH"] = f"{programs}:{desktop.env['PATH']}"
        provider = desktop.start(
            ["node", ROOT / "tests/counterparts/oidc_provider.mjs", "3600"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        issuer = says(provider)
        team = start_team(desktop, folder / "team", issuer)
        page = first_run(desktop)
        page.click(SETTINGS)
        page.click("//button[normalize-space()='Add a team…']")
        page.type("//dialog//input[@type='url']", team["url"])
        page.click("//dialog//button[normalize-space()='Sign in in the browser']")
        page.wait("a word about the browser", lambda: page.find("//dialog//*[@role='status']"), 20)
        wait("a page in the browser", opened.exists, 20)
        desktop.shot("1-waiting")
        provider.stdin.write(f"browse ada {opened.read_text().strip()}\n")
        provider.stdin.flush()
        assert says(provider)["status"] == 200
        page.wait("the end of the dialog", lambda: not page.find("//dialog"), 20)
        page.wait("two teams", lambda: text(page).count("Connected") == 2, 20)
        desktop.shot("2-two-teams")
        url = team["url"].rstrip("/") + "/"
        assert shell(page)["teams"] == [{"url": url, "openedBy": "browser"}], shell(page)
        connection = page.run("return window.__TAURI_INTERNALS__.invoke('snapshot')")["connection"]
        assert connection["url"] == url, f"new files go to {connection}"
        page.click("//button[normalize-space()='Send new files here']")
        here = Team(desktop.data / "server/credentials.json")
        desktop.quit_app()

        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.click(SETTINGS)
        page.wait("both again", lambda: text(page).count("Connected") == 2, 20)
        assert len(opened.read_text().split()) == 1, "somebody had to sign in again"
        clip = clips.clip(folder / "harbour at dawn.mp4")
        assert desktop.start([APP, clip]).wait(30) == 0
        page.click(QUEUE)
        page.wait("Ready", lambda: ready(page), 60)
        assert len(here.videos()) == 1, "it did not go to the team that was chosen"

        page.click(SETTINGS)
        page.click("//button[normalize-space()='Sign out…']")
        page.click("//dialog//button[normalize-space()='Sign out']")
        page.wait("one team", lambda: text(page).count("Connected") == 1, 20)
        kept = desktop.data / "profile/connections.json"
        wait("nothing that opens it", lambda: json.loads(kept.read_text()) == [], 20)
        desktop.quit_app()


def start_team(desktop, data, issuer):
    env = desktop.env | {
        "DAILIES_OIDC_ISSUER": issuer["issuer"],
        "DAILIES_OIDC_AUDIENCE": issuer["audience"],
        "DAILIES_OIDC_CLIENT_ID": issuer["client"],
        "DAILIES_OIDC_APP_CLIENT": issuer["client"],
    }
    desktop.start([SERVER, "serve", "--data", data, "--listen", "127.0.0.1:0"], env=env)
    credentials = data / "credentials.json"
    wait("the team server", credentials.exists, 20)
    return json.loads(credentials.read_text())


def told_outside(folder):
    """Of many videos one word each kind, none while the window is looked at; the tray says and does."""
    card = folder / "card"
    card.mkdir()
    for number in range(12):
        clips.clip(card / f"take {number:02}.mp4", 2 + number / 10)
    with Desktop("outside", folder) as desktop:
        daemon = python(desktop, "notifications.py")
        assert says(daemon) == "ready"
        tray = python(desktop, "tray_host.py", stdin=subprocess.PIPE)
        assert says(tray) == "ready"

        def menu(press=""):
            tray.stdin.write(press + "\n")
            tray.stdin.flush()
            return dict(says(tray))

        page = first_run(desktop)
        wait("an icon in the tray", lambda: "Quit Dailies" in menu(), 20)
        shown = menu()
        assert "Nothing to do" in shown and not shown["Pause all"] and "Nothing yet" in shown, shown
        [window] = desktop.windows("Dailies")
        x11.ask_to_close(int(window))
        assert says(daemon)["title"] == "Dailies goes on uploading"
        # Nothing is sent before the tray was seen to pause it.
        page.run("return window.__TAURI_INTERNALS__.invoke('set_limit', { limit: 20000 })")
        started = desktop.start([APP, "--hidden", *sorted(card.iterdir())])
        assert started.wait(30) == 0
        wait("a tray that sends", lambda: menu().get("Pause all"), 20)
        menu("Pause all")
        wait("a tray that is paused", lambda: menu().get("Resume all"), 20)
        assert "12 paused" in menu(), menu()
        assert all(row["hold"] == "paused" for row in rows(page)), rows(page)
        [window] = desktop.windows("Dailies")
        x11.ask_to_close(int(window))
        wait("the window to go", lambda: not desktop.windows("Dailies"), 10)
        page.run("return window.__TAURI_INTERNALS__.invoke('set_limit', { limit: null })")
        menu("Resume all")
        # A page that nobody sees is told nothing: the team knows.
        team = Team(desktop.data / "server/credentials.json")
        wait("all ready", lambda: [video["status"] for video in team.videos()] == ["ready"] * 12, 120)
        wait("the names of five in the tray", lambda: len([name for name in menu() if name.startswith("take ")]) == 5, 20)
        time.sleep(35)
        daemon.terminate()
        told = [json.loads(line)["title"] for line in daemon.stdout]
        assert told.count("Everything is with your team") == 1, told
        many = [title for title in told if title.endswith(("videos are ready", "is ready"))]
        assert 1 <= len(many) <= 4 and len(told) == len(many) + 1, told
        menu("Quit Dailies")
        wait("the app to end", lambda: not desktop.pids(APP), 20)


def python(desktop, script, *words, **options):
    options = {"stdout": subprocess.PIPE, "text": True} | options
    return desktop.start([sys.executable, "-B", HERE / script, *words], **options)


def followed_address(folder):
    """An address of ours brings the window back and plays the video; others do nothing."""
    clip = clips.clip(folder / "harbour at dawn.mp4")
    with Desktop("address", folder) as desktop:
        page = first_run(desktop)
        assert desktop.start([APP, f"file://{quote(str(clip))}"]).wait(30) == 0
        page.wait("Ready", lambda: ready(page), 60)
        team = Team(desktop.data / "server/credentials.json")
        [video] = team.videos()
        [window] = desktop.windows("Dailies")
        x11.ask_to_close(int(window))
        wait("the window to go", lambda: not desktop.windows("Dailies"), 10)
        server = quote(team.credentials["url"], safe="")
        for address, plays in [
            ("dailies://video/none", False),
            (f"dailies://video/{video['_id']}?server=https%3A%2F%2Felsewhere.example", False),
            (f"dailies://video/{video['_id']}?server={server}", True),
        ]:
            assert desktop.start([APP, address]).wait(30) == 0
            wait("the window to come back", lambda: desktop.windows("Dailies"), 10)
            if plays:
                page.wait("a player", lambda: page.find("//video"), 20)
            else:
                time.sleep(1)
                assert not page.find("//video"), f"{address} plays something"
        assert len(rows(page)) == 1, "an address became a file"
        # As if it had gone up elsewhere.
        page.click("//button[@aria-label='Close']")
        order.ask(page, "remove", ids=[rows(page)[0]["id"]])
        page.wait("no row", lambda: not rows(page), 10)
        assert desktop.start([APP, f"dailies://video/{video['_id']}"]).wait(30) == 0
        page.wait("the team's own", lambda: page.find("//video"), 20)
        desktop.quit_app()


def starts_at_login(folder):
    """The system is told to start it, without its window; and told otherwise."""
    with Desktop("login", folder) as desktop:
        page = first_run(desktop)
        page.click(SETTINGS)
        switch = "//button[@aria-label='Start when you sign in to this computer']"
        page.click(switch)
        started = desktop.home / ".config/autostart"
        wait("an entry of the system's", lambda: list(started.glob("*.desktop")), 10)
        [entry] = started.glob("*.desktop")
        [line] = [line for line in entry.read_text().splitlines() if line.startswith("Exec=")]
        assert str(APP) in line and line.endswith("--hidden"), line
        # The system has it before the page does.
        page.click(f"{switch}[@aria-checked='true']")
        wait("the end of the entry", lambda: not entry.exists(), 10)
        desktop.quit_app()
        hidden = desktop.start([APP, "--hidden"])
        wait("its server", lambda: desktop.pids(SERVER), 30)
        time.sleep(2)
        assert not desktop.windows("Dailies") and hidden.poll() is None, "it shows its window"
        assert desktop.start([APP]).wait(30) == 0
        wait("the window", lambda: desktop.windows("Dailies"), 10)
        desktop.quit_app()


TESTS = [
    limit_and_quit,
    settings_are_kept,
    colours,
    signed_in_by_browser,
    told_outside,
    followed_address,
    starts_at_login,
]
