"""How long the app's own page takes to show a long queue, and each frame while it is scrolled, beside an empty one
and beside nothing but lines of text.

For scripts/bench: prints one JSON object. DAILIES_WINDOW_BUILD names the build measured; the program bench-queue,
which fills the queue, is taken from there, too.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from at_work import needs
from desktop import APP, BINARIES, ROOT, Desktop
from order import ask
from pages import connected, first_run

ROWS = 100_000
TIMES = 5
# Seconds until the page has asked for all of the queue.
SETTLE = 15
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
const there = () => document.querySelector('nav [aria-current][aria-keyshortcuts="Control+1"]');
while (!there() || (arguments[0] && !document.querySelector("[data-upload]"))) await frame();
await frame();
return performance.now() - pressed;
"""
# In the place of the queue, at its length.
PLAIN = """
const plain = document.createElement("div");
plain.id = "plain";
plain.style = "flex: 1; min-height: 0; overflow: auto; isolation: isolate";
for (let line = 0; line < 2000; line++) {
  plain.append(Object.assign(document.createElement("p"), { textContent: `A001_C${line}_1121` }));
  plain.lastChild.style = "height: 52px";
}
document.querySelector("main [role=grid]").replaceWith(plain);
"""


def page_seconds(app):
    """CPU seconds of the process that the page is in."""
    return sum(seconds for (_, name), (seconds, _) in needs(app).items() if name == "WebKitWebProcess")


def opened(page, rows):
    """Milliseconds, the middle of some times."""
    return round(sorted(page.run(OPEN, rows) for _ in range(TIMES))[TIMES // 2])


def scrolled(desktop, page, what="main [role=grid]"):
    [app] = desktop.pids(APP)
    before = page_seconds(app)
    frames = page.run(SCROLL.replace("main [role=grid]", what))
    return {
        "slow": sum(lasted > 32 for lasted in frames),
        "frames": len(frames),
        "median_ms": round(sorted(frames)[len(frames) // 2]),
        "longest_ms": round(max(frames)),
        "cpu_ms": round(1000 * (page_seconds(app) - before) / len(frames), 1),
    }


def measure(folder):
    with Desktop("long-queue", folder) as desktop:
        page = first_run(desktop)
        said = {"rows": ROWS, "empty_ms": opened(page, False)}
        ask(page, "pause_all")
        desktop.quit_app()
        queue = desktop.data / "profile" / "queue.db"
        subprocess.run([BINARIES / "bench-queue", queue, "fill", str(ROWS)], check=True)
        page = desktop.open_app()
        page.wait("queue", lambda: connected(page), 30)
        page.wait("rows", lambda: page.find("//*[@data-upload]"), 30)
        time.sleep(SETTLE)
        said["open_ms"] = opened(page, True)
        said["queue"] = scrolled(desktop, page)
        desktop.shot("scrolled")
        page.run(PLAIN)
        said["plain"] = scrolled(desktop, page, "#plain")
        desktop.quit_app()
    return said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        json.dump(measure(Path(made)), sys.stdout)
        print()
