"""What every measurement here needs: programs run to their end, servers beside them, the machine's name."""

import os
import platform
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "target" / "release"
PEERS = ROOT / "target" / "bench-peers" / "release"
VENV = ROOT / "target" / "venv-bench" / "bin"
MIB = 1 << 20
GIB = 1 << 30


def run(command, env=None, ends_with=(0,)):
    """Runs a program to its end, which is one of these codes: wall seconds, CPU seconds, peak MiB.

    Through time(1), because a child of this interpreter begins with this interpreter's memory.
    """
    with tempfile.NamedTemporaryFile("r") as figures, tempfile.TemporaryFile() as output:
        timed = ["/usr/bin/time", "-f", "%e %U %S %M", "-o", figures.name, *command]
        started = time.monotonic()
        ended = subprocess.run(timed, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        wall = time.monotonic() - started
        if ended.returncode not in ends_with:
            output.seek(0)
            tail = output.read()[-2000:].decode(errors="replace")
            raise SystemExit(f"{command[0]} failed with {ended.returncode}:\n{tail}")
        # A word about its code may stand before it.
        _, user, system, peak = figures.read().split()[-4:]
    return {"wall": wall, "cpu": float(user) + float(system), "rss": int(peak) / 1024}


class Background:
    """A server that runs while its peers are measured. Ended by its process id."""

    def __init__(self, command, env=None, wait=True, log=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE if wait else subprocess.DEVNULL, stderr=log,
            env={**os.environ, **(env or {})}
        )
        # What it says once it listens.
        self.line = self.process.stdout.readline().decode().strip() if wait else None

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what="VmHWM"):
        """Peak resident MiB; with VmRSS, what is resident now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("the server is gone")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def machine():
    cpu = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return f"{os.cpu_count()} × {cpu}, {memory:.0f} GiB, Linux {platform.release()}"
