"""A person's computer for one test: a home, a message bus, the app, and a hand that drags."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from webdriver import Page, Refused

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARIES = (ROOT / "target" / os.environ.get("DAILIES_WINDOW_BUILD", "debug")).resolve()
APP = BINARIES / "dailies-desktop"
SERVER = BINARIES / "dailies-server"
SHOTS = ROOT / "target" / "window"
IDENTIFIER = "dev.dailies.desktop"


class Desktop:
    def __init__(self, name, folder, theme="light", keyring=False, app=APP):
        self.name, self.folder, self.keyring, self.app = name, folder, keyring, app
        self.home = folder / "home"
        self.runtime = folder / "run"
        for made in (self.home, self.runtime):
            made.mkdir(parents=True, mode=0o700)
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.data = self.home / ".local/share" / IDENTIFIER
        self.logs = open(folder / "log", "ab")
        self.started = []
        self.page = None
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
        self.env |= {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "TAURI_WEBVIEW_AUTOMATION": "true",
            "LANG": "C.UTF-8",
            "GTK_THEME": "Adwaita:dark" if theme == "dark" else "Adwaita",
            # No accessibility bus: it would outlive the test.
            "NO_AT_BRIDGE": "1",
        }

    def __enter__(self):
        bus = self.start(
            ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE
        )
        self.env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        if self.keyring:
            unlock = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
            keyring = self.start(unlock, stdin=subprocess.PIPE)
            keyring.stdin.write(b"test")
            keyring.stdin.close()
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            self.shot_of_screen("failed")
        for pid in self.pids(self.app) + self.pids(SERVER):
            end(pid)
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        self.logs.close()
        if error is not None:
            print((self.folder / "log").read_text(errors="replace")[-6000:], file=sys.stderr)

    def start(self, command, **options):
        options = {"stdout": self.logs, "stderr": self.logs, "env": self.env} | options
        process = subprocess.Popen(command, **options)
        self.started.append(process)
        return process

    # The app

    def open_app(self):
        """Starts the app as WebDriver does, which then drives its page."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.start(["WebKitWebDriver", f"--port={port}"])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        for attempt in range(3):
            try:
                self.page = Page(f"http://127.0.0.1:{port}", self.app)
                return self.page
            except Refused as error:
                # The driver gives a busy computer less time to open a window than that may need.
                if attempt == 2:
                    raise
                print(f"  opening the window again: {error}", file=sys.stderr)
                for pid in self.pids(self.app):
                    end(pid)

    def pids(self, program):
        """Processes of a program that belong to this test."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and Path(os.readlink(folder / "exe")) == program:
                    environ = (folder / "environ").read_bytes().split(b"\0")
                    if f"HOME={self.home}".encode() in environ:
                        found.append(int(folder.name))
            except OSError:
                pass
        return sorted(found)

    def kill_app(self):
        """As a crash or an empty battery would. The server has to notice by itself."""
        [app] = self.pids(self.app)
        os.kill(app, signal.SIGKILL)
        wait("the server to end with the app", lambda: not self.pids(SERVER), 20)

    def quit_app(self):
        """As the end of a session does. Its own server has ended before it."""
        [app] = self.pids(self.app)
        servers = self.children(app)
        os.kill(app, signal.SIGTERM)
        wait("the app to end", lambda: not self.pids(self.app), 20)
        left = [pid for pid in servers if pid in self.pids(SERVER)]
        assert not left, "the app ended and left its server"

    def children(self, parent):
        found = []
        for pid in self.pids(SERVER):
            stat = Path(f"/proc/{pid}/stat").read_text()
            # After the name, which may hold spaces: state, parent.
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(pid)
        return found

    def windows(self, title):
        """Windows in sight with exactly this title."""
        command = ["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"]
        options = {"env": self.env, "capture_output": True, "timeout": 10}
        return subprocess.run(command, check=False, **options).stdout.decode().split()

    def geometry(self, window):
        """Where a window is on the screen, and how large, in pixels."""
        command = ["xdotool", "getwindowgeometry", "--shell", window]
        said = subprocess.run(command, check=True, env=self.env, capture_output=True, timeout=10)
        pairs = (line.split("=") for line in said.stdout.decode().split())
        return {name: int(value) for name, value in pairs}

    # The hand

    def drag(self, files, look=lambda: None):
        """Drags files onto the window. Calls `look` while they are held over it."""
        x, y = 1700, 900
        source = self.start(
            [sys.executable, str(HERE / "drag_source.py"), str(x), str(y), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert source.stdout.readline().strip() == b"ready", "the drag source did not open"
        time.sleep(0.5)
        target = (960, 560)
        self.hand("mousemove", x + 50, y + 50)
        self.hand("mousedown", 1)
        for step in range(1, 21):
            self.hand(
                "mousemove",
                x + 50 + (target[0] - x - 50) * step // 20,
                y + 50 + (target[1] - y - 50) * step // 20,
            )
            time.sleep(0.03)
        look()
        self.hand("mousemove", target[0] + 2, target[1] + 2)
        time.sleep(0.2)
        self.hand("mouseup", 1)
        time.sleep(0.5)
        source.stdin.close()
        source.wait(10)

    def choose(self, title, path):
        """Answers a dialog of the system's by keyboard, as GTK takes a path."""
        wait(f"the dialog {title}", lambda: self.windows(title), 20)
        # Without a window manager nobody gives it the keyboard.
        self.hand("windowfocus", "--sync", self.windows(title)[0])
        # The first character opens a field for the path. What is typed before that is there is lost, and
        # nothing says when it is.
        self.hand("type", str(path)[0])
        time.sleep(1.5)
        self.hand("type", "--delay", "30", str(path)[1:])
        time.sleep(0.5)
        self.shot_of_screen("dialog")
        self.hand("key", "Return")
        wait(f"the end of {title}", lambda: not self.windows(title), 20)

    def hand(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.env, check=True, timeout=10)

    # Pictures

    def shot(self, what):
        self.page.screenshot(SHOTS / f"{self.name}-{what}.png")

    def shot_of_screen(self, what):
        command = ["import", "-window", "root", str(SHOTS / f"{self.name}-{what}.png")]
        subprocess.run(command, env=self.env, check=False, timeout=20)


def wait(what, look, seconds):
    limit = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < limit, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
