"""Milliseconds from the start of the app's process to a first-run page that can be clicked.

For scripts/bench: prints one number per start. DAILIES_WINDOW_BUILD names the build measured.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from desktop import APP, Desktop
from main import USE_THIS_COMPUTER


def began(pid):
    """When a process was started, in seconds since 1970."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    boot = next(
        int(line.split()[1])
        for line in Path("/proc/stat").read_text().splitlines()
        if line.startswith("btime")
    )
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def start():
    with tempfile.TemporaryDirectory() as folder, Desktop("cold", Path(folder)) as desktop:
        page = desktop.open_app()
        page.wait("first run", lambda: page.find(USE_THIS_COMPUTER), 30)
        usable = time.time()
        [pid] = desktop.pids(APP)
        passed = usable - began(pid)
        desktop.quit_app()
        return passed * 1000


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        print(round(start()))
