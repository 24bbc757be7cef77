"""A line of 100 Mbit/s and 80 ms between two network namespaces, with and without loss."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

from measure import BIN, MIB, PEERS, Background
from programs import dailies, peers

# Of which a sender that keeps one connection needs a fraction, and a sender that guesses wrong, all.
WINDOW = 40
SIZE = 100 * MIB
# The receiver's end, as `bench-shape` has it.
FAR = "10.77.0.2"
# Loss in percent on the way to the server, and who decides how much is sent.
LINES = [(0, "cubic"), (1, "cubic"), (1, "bbr")]


class Line:
    """The sink, or another server, at one end, programs at the other. Everything is gone after it.

    `shape` says how the line is to be where it is not as `bench-shape` has it.
    """

    def __init__(self, loss, congestion, server=None, shape=()):
        self.server = server or [str(BIN / "bench-sink"), "--listen", f"{FAR}:0"]
        self.near, self.far = f"dailies-near-{os.getpid()}", f"dailies-far-{os.getpid()}"
        self.shape, self.congestion = ["--loss", str(loss), *shape], congestion
        self.running = []

    def ip(self, *arguments):
        subprocess.run(["ip", *arguments], check=True)

    def __enter__(self):
        self.ip("netns", "add", self.near)
        self.ip("netns", "add", self.far)
        # Over which the far end's own questions to its sink go.
        self.ip("-n", self.far, "link", "set", "lo", "up")
        self.start([str(PEERS / "bench-shape"), self.near, self.far, *self.shape])
        # Per route: a namespace has no list of its own of what may be chosen.
        self.ip("-n", self.near, "route", "change", "10.77.0.0/24", "dev", "line0", "src", "10.77.0.1",
                "congctl", self.congestion)
        # Of the sink, that is its address.
        self.said = self.start(["ip", "netns", "exec", self.far, *self.server]).line
        return self

    def start(self, command):
        background = Background(command)
        self.running.append(background)
        return background

    def received(self):
        ask = ["ip", "netns", "exec", self.far, "curl", "-sf", f"{self.said}/received"]
        return int(subprocess.check_output(ask))

    def goodput(self, command, env):
        """Mbit/s of payload until the program ends, or within the window."""
        before, started = self.received(), time.monotonic()
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.near, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **env}, start_new_session=True)
        try:
            process.wait(WINDOW)
        except subprocess.TimeoutExpired:
            pass
        took = time.monotonic() - started
        arrived = self.received() - before
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        elif process.returncode != 0:
            raise SystemExit(f"{command[0]} failed on the shaped line with {process.returncode}")
        # What was sent twice was no use.
        return min(arrived, SIZE) * 8 / 1e6 / took

    def __exit__(self, *_):
        for background in reversed(self.running):
            background.__exit__()
        for namespace in (self.near, self.far):
            self.ip("netns", "delete", namespace)


def shaped_line(count, work):
    """The table, or why there is none."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "Not measured: network namespaces need root and iproute2."
    file = work / "line.mp4"
    file.write_bytes(b"\0\0\0\x18ftypisom" + os.urandom(SIZE - 12))
    columns = []
    for loss, congestion in LINES:
        figures = {}
        with Line(loss, congestion) as line:
            programs = [
                ("curl -T", ["curl", "-sf", "-o", "/dev/null", "-T", str(file), f"{line.said}/b/curl"], {}),
                ("dailies", *dailies(work / "profile", line.said, file)),
                *peers(line.said, "b", "key", "secret", file),
            ]
            for _ in range(count):
                for name, command, env in programs:
                    if name == "dailies":
                        shutil.rmtree(work / "profile", ignore_errors=True)
                    figures.setdefault(name, []).append(line.goodput(command, env))
                    print(f"  {loss} % {congestion}, {name}: {figures[name][-1]:.1f} Mbit/s", file=sys.stderr)
        columns.append(figures)
    heads = [f"{loss} % lost, {congestion}" for loss, congestion in LINES]
    rows = [f"| program | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for name in columns[0]:
        cells = [f"{statistics.median(column[name]):.1f}" for column in columns]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)
