"""Tests of updates: the app of an earlier version, a server that has newer ones, and keys made for them."""

import json
import os
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import clips
from desktop import APP, ROOT, SERVER, Desktop, wait
from outside import QUEUE, SETTINGS, shell, text
from pages import first_run, only_row, ready

# Made by updating.sh.
BUILD = ROOT / "target/updating"
SIGNER = ROOT / "ui/node_modules/.bin/tauri"
ARCHITECTURE = {"x86_64": "amd64"}.get(os.uname().machine, os.uname().machine)
# Of the usual build, and of the one that is updated to it.
NEWER, OLDER = "0.1.0", "0.0.9"


class Versions(ThreadingHTTPServer):
    """Says which version there is, and has its package."""

    daemon_threads = True

    def __init__(self):
        [endpoint] = json.loads((BUILD / "config.json").read_text())["plugins"]["updater"]["endpoints"]
        self.address = endpoint.rpartition("/")[0]
        self.said, self.package, self.cut, self.asked = {}, b"", False, []
        super().__init__(("127.0.0.1", urlsplit(endpoint).port), Answer)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(BUILD / "tls.pem", BUILD / "tls.key")
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """Whoever hangs up has seen enough."""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/in-the-open":
            self.send_response(302)
            self.send_header("Location", self.server.address.replace("https", "http") + "/package")
            self.end_headers()
            return
        said = json.dumps(self.server.said).encode()
        body = said if self.path == "/latest.json" else self.server.package
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.server.cut and body is not said else body)

    def log_message(self, *_):
        pass


def bundled(kind, place):
    """The earlier version at a place, marked as Tauri's bundler marks what it puts into a package."""
    program, mark = (BUILD / "dailies-desktop").read_bytes(), b"__TAURI_BUNDLE_TYPE_VAR_"
    assert program.count(mark + b"UNK") == 1, "the bundler's mark is another one now"
    place.write_bytes(program.replace(mark + b"UNK", mark + kind))
    place.chmod(0o755)
    (place.parent / "dailies-server").symlink_to(SERVER)
    return place


def sign(file, version, key="key"):
    command = [SIGNER, "signer", "sign", "-f", BUILD / key, "-p", "", "--app-version", version, file]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return Path(f"{file}.sig").read_text()


def announced(folder, address):
    """As a release says it."""
    command = ["node", ROOT / "packaging/update-manifest.mjs", folder, NEWER, address]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=20).stdout)


def updatable(name, folder, app):
    desktop = Desktop(name, folder, app=app)
    desktop.env |= {"SSL_CERT_FILE": str(BUILD / "tls.pem")}
    return desktop


def look(page, words, versions=None):
    """Looks for a newer version, by hand, until it is said what came of it."""
    before = len(versions.asked) if versions else 0
    page.click("//button[normalize-space()='Look now']")
    if versions:
        # Until then the words may be there of the look before.
        wait("a question", lambda: len(versions.asked) > before, 20)
        still = ("looking", "downloading")
        wait("the end of it", lambda: shell(page)["update"]["state"]["kind"] not in still, 60)
    page.wait(words, lambda: words in text(page), 30)


def open_settings(desktop):
    page = desktop.open_app()
    page.click(SETTINGS, 30)
    return page


def refused_then_updated(folder):
    """What is not newer, not encrypted, not whole or not signed for it is refused; what is takes the place of
    the app when somebody says so, and the upload that was under way goes on."""
    app = bundled(b"APP", folder / "Dailies.AppImage")
    this = app.read_bytes()
    release = folder / "release"
    release.mkdir()
    package = release / f"Dailies_{NEWER}_{ARCHITECTURE}.AppImage"
    # Without what only a debugger reads, which is most of it.
    subprocess.run(["strip", "-o", package, APP], check=True, timeout=60)
    newer = package.read_bytes()
    sign(package, NEWER)
    # Where what comes is refused, it need not do anything.
    small = folder / "small"
    small.write_bytes(newer[: 1 << 20])
    with Versions() as versions, updatable("update", folder, app) as desktop:
        desktop.env |= {"APPIMAGE": str(app)}
        kept = desktop.home / ".cache/dev.dailies.desktop/updates"
        page = first_run(desktop)
        page.click(SETTINGS)
        page.wait("this version", lambda: f"Dailies {OLDER}" in text(page), 20)
        genuine = announced(release, versions.address)

        def of_small(signature, url=f"{versions.address}/package"):
            place = {"url": url, "signature": signature}
            return {"version": NEWER, "platforms": {name: place for name in genuine["platforms"]}}

        package, right = small.read_bytes(), of_small(sign(small, NEWER))
        changed = bytearray(package)
        changed[len(changed) // 2] ^= 1
        strangers, older = of_small(sign(small, NEWER, "strangers-key")), of_small(sign(small, "0.0.8"))
        in_the_open = of_small(sign(small, NEWER), versions.address.replace("https", "http") + "/package")
        into_the_open = of_small(sign(small, NEWER), f"{versions.address}/in-the-open")
        not_signed, open_way = "is not signed as this update has to be", "is not encrypted"
        for what, words, answer, brings, cut in [
            ("its own version", "There is no newer version.", {**right, "version": OLDER}, package, False),
            ("an earlier version", "There is no newer version.", {**right, "version": "0.0.8"}, package, False),
            ("a changed package", not_signed, right, bytes(changed), False),
            ("half a package", "The download of the update broke off.", right, package, True),
            ("a stranger's signature", not_signed, strangers, package, False),
            ("an earlier one as a newer one", not_signed, older, package, False),
            ("no sense", "makes no sense", {"version": "next"}, package, False),
            ("nothing for this system", "has none for this computer", {**right, "platforms": {}}, package, False),
            ("an address in the open", open_way, in_the_open, package, False),
            ("a way into the open", open_way, into_the_open, package, False),
        ]:
            versions.said, versions.package, versions.cut = answer, brings, cut
            look(page, words, versions)
            assert app.read_bytes() == this, f"{what} took the place of the app"
            assert not kept.exists() or not list(kept.iterdir()), f"{what} was kept"
            print(f"  {what}: {words}")
        assert page.find("//footer//button[normalize-space()='An update was refused']")
        desktop.shot("2-refused")

        versions.said, versions.package, versions.cut = genuine, newer, False
        page.click("//button[normalize-space()='Look now']")
        notice = f"//footer//button[normalize-space()='Dailies {NEWER} is ready: restart to update']"
        page.wait("a newer version", lambda: page.find(notice), 120)
        desktop.shot("3-ready")
        assert app.read_bytes() == this, "it took the place of the app, and nobody said so"
        limit = "return window.__TAURI_INTERNALS__.invoke('set_limit', { limit: arguments[0] })"
        page.run(limit, 3_000_000)
        clip = clips.large_clip(folder / "harbour at dawn.mp4", 64)
        assert desktop.start([app, clip]).wait(30) == 0
        page.click(QUEUE)
        row = page.wait("bytes that arrive", lambda: (only_row(page) or {"confirmed": 0})["confirmed"] > 9 and only_row(page), 60)
        page.run(limit, 100_000)
        page.click(notice)
        page.click("//dialog//button[normalize-space()='Later']")
        assert app.read_bytes() == this, "it took the place of the app although somebody said later"
        [before] = desktop.pids(app)
        page.click(notice)
        page.wait("a question", lambda: page.find("//dialog[@open]"), 10)
        time.sleep(0.5)
        desktop.shot("4-asks")
        page.click("//dialog//button[normalize-space()='Restart now']")
        wait("the newer version", lambda: app.read_bytes() == newer, 60)
        wait("another start", lambda: desktop.pids(app) not in ([], [before]), 60)
        wait("its window", lambda: desktop.windows("Dailies"), 60)
        desktop.quit_app()

        page = desktop.open_app()
        again = page.wait("row after the update", lambda: only_row(page), 30)
        assert again["id"] == row["id"], f"{row} became {again}"
        assert again["confirmed"] >= row["confirmed"] - 1, f"fell back: {row}: {again}"
        assert shell(page)["update"] == {"version": NEWER, "state": {"kind": "off"}}, shell(page)["update"]
        page.run(limit, None)
        page.wait("Ready", lambda: ready(page), 120)
        page.click(SETTINGS)
        page.wait("the newer version", lambda: f"Dailies {NEWER}" in text(page), 20)
        desktop.shot("5-updated")
        desktop.quit_app()
        # What a release's address leads to may open something.
        assert urlsplit(versions.address).netloc not in (folder / "log").read_text(errors="replace")


def packages_are_the_systems(folder):
    """What came as a package says by itself that a newer one is out, and fetches and replaces nothing."""
    app = bundled(b"DEB", folder / "dailies-desktop")
    this = app.read_bytes()
    with updatable("packaged", folder, app) as desktop:
        page = first_run(desktop)
        page.click(SETTINGS)
        look(page, "Nobody could be asked for a newer version.")
        desktop.quit_app()
        with Versions() as versions:
            place = {"url": f"{versions.address}/package", "signature": "of nobody"}
            versions.said = {"version": NEWER, "platforms": {f"linux-{os.uname().machine}": place}}
            page = open_settings(desktop)
            notice = f"//footer//button[normalize-space()='Dailies {NEWER} is out']"
            page.wait("word of a newer version", lambda: page.find(notice), 60)
            page.wait("who brings it", lambda: "package manager brings the newer one" in text(page), 10)
            desktop.shot("2-out")
            refusal = """return window.__TAURI_INTERNALS__.invoke('install_update', { interrupt: true })
                .then(() => 'done', (error) => error.code)"""
            assert page.run(refusal) == "wrong_state"
            page.click("//button[@aria-label='Look for newer versions']")
            wait("an end of it", lambda: not shell(page)["preferences"]["checkUpdates"], 10)
            assert set(versions.asked) == {"/latest.json"}, versions.asked
            desktop.quit_app()
            versions.asked.clear()
            open_settings(desktop)
            # Longer than it rests after a start.
            time.sleep(30)
            assert versions.asked == [], f"it was switched off and asked for {versions.asked}"
        assert app.read_bytes() == this
        desktop.quit_app()


TESTS = [refused_then_updated, packages_are_the_systems]
