"""How long the app's own page takes to show a long queue, and each frame while it is scrolled, beside an empty one.

For scripts/bench: prints one JSON object. DAILIES_WINDOW_BUILD names the build measured; the program bench-queue,
which fills the queue, is taken from there, too.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from at_work import needs
from desktop import APP, BINARIES, ROOT, Desktop
from order import ask
from pages import connected, first_run

ROWS = 100_000
TIMES = 5
SCROLL = (ROOT / "ui/tests/scroll.js").read_text()
# From the press of the sidebar's button to the first frame with the queue in it: its rows, or that it is empty.
OPEN = """
const to = (keys) => document.querySelector(`nav [aria-keyshortcuts="${keys}"]`).click();
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
to("Control+4");
while (document.querySelector("main [role=grid]")) await frame();
for (let step = 0; step < 30; step++) await frame();
const pressed = performance.now();
to("Control+1");
while (!document.querySelector("main h1") || (arguments[0] && !document.querySelector("[data-upload]"))) await frame();
await frame();
return performance.now() - pressed;
"""


def page_seconds(app):
    """CPU seconds of the process that the page is in."""
    return sum(seconds for (_, name), (seconds, _) in needs(app).items() if name == "WebKitWebProcess")


def figures(desktop, page, rows):
    [app] = desktop.pids(APP)
    opened = sorted(page.run(OPEN, rows > 0) for _ in range(TIMES))
    before = page_seconds(app)
    frames = page.run(SCROLL)
    return {
        "rows": rows,
        "open_ms": round(opened[TIMES // 2]),
        "slow": sum(lasted > 32 for lasted in frames),
        "frames": len(frames),
        "longest_ms": round(max(frames)),
        "cpu_ms": round(1000 * (page_seconds(app) - before) / len(frames), 1),
    }


def measure(folder):
    with Desktop("long-queue", folder) as desktop:
        page = first_run(desktop)
        said = [figures(desktop, page, 0)]
        ask(page, "pause_all")
        page.leave()
        desktop.quit_app()
        queue = desktop.data / "profile" / "queue.db"
        subprocess.run([BINARIES / "bench-queue", queue, "fill", str(ROWS)], check=True)
        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.wait("rows", lambda: page.find("//*[@data-upload]"), 30)
        said.append(figures(desktop, page, ROWS))
        desktop.shot("scrolled")
        page.leave()
        desktop.quit_app()
    return said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        json.dump(measure(Path(made)), sys.stdout)
        print()
