"""Messages from the app to its page while it uploads many files, and what it needs at rest without a window.

For scripts/bench: prints one JSON object. DAILIES_WINDOW_BUILD names the build measured.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import clips
import x11
from desktop import APP, Desktop, wait
from order import ask
from pages import first_run

FILES = 200
# Seconds: of uploads watched, from the last upload to rest, and of rest.
WORK, SETTLE, REST = 30, 10, 60

COUNT = """
const internals = window.__TAURI_INTERNALS__;
window.told = [];
for (const event of ["changes", "shell", "downloads"]) {
  const handler = internals.transformCallback(() => window.told.push(performance.now()));
  internals.invoke("plugin:event|listen", { event, target: { kind: "Any" }, handler });
}
"""


def busiest_second(times):
    """The most messages in any second."""
    return max((sum(0 <= other - one < 1000 for other in times) for one in times), default=0)


def processes(root):
    """A process and all that come from it."""
    parents = {}
    for folder in Path("/proc").iterdir():
        try:
            stat = (folder / "stat").read_text()
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            pass
    found = [root]
    for parent in found:
        found += [pid for pid, its in parents.items() if its == parent]
    return found


def needs(root):
    """CPU seconds and resident MiB of a process and of all that come from it, by pid and name."""
    found = {}
    for pid in processes(root):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            name = Path(os.readlink(f"/proc/{pid}/exe")).name
        except OSError:
            continue
        seconds = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        found[pid, name] = seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return found


def all_ready(page):
    time.sleep(1)
    ids = ask(page, "ids", list="done")
    return len(ids) == FILES and all(upload["phase"] == "ready" for upload in ask(page, "uploads", ids=ids))


def rests(app):
    """Nothing has been converted for a while."""
    for _ in range(SETTLE * 5):
        if any(name == "ffmpeg" for _, name in needs(app)):
            return False
        time.sleep(0.2)
    return True


def measure(folder):
    clip = clips.clip(folder / "take.mp4", 2)
    card = folder / "card"
    card.mkdir()
    for number in range(FILES):
        (card / f"take {number}.mp4").write_bytes(clip.read_bytes())
        clips.pad(card / f"take {number}.mp4", 2)
    with Desktop("at-work", folder) as desktop:
        page = first_run(desktop)
        page.run(COUNT)
        [app] = desktop.pids(APP)
        assert desktop.start([APP, *sorted(card.iterdir())]).wait(60) == 0
        time.sleep(WORK)
        said = {"most_told": busiest_second(page.run("return window.told"))}
        page.wait("all ready", lambda: all_ready(page), 900)
        [window] = desktop.windows("Dailies")
        said["open_mib"] = {name: round(mib) for (_, name), (_, mib) in needs(app).items()}
        x11.ask_to_close(int(window))
        wait("the window to go", lambda: not desktop.windows("Dailies"), 10)
        # The media engine makes more of them than they are ready with.
        wait("the end of all work", lambda: rests(app), 900)
        before = needs(app)
        time.sleep(REST)
        after = needs(app)
        said["hidden_percent"] = {
            process[1]: round(100 * (after[process][0] - before[process][0]) / REST, 3)
            for process in after
            if process in before
        }
        desktop.quit_app()
    return said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        json.dump(measure(Path(made)), sys.stdout)
        print()
