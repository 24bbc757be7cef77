"""A small file that comes while a large one goes up: how long it takes, and how long it takes alone."""

import json
import os
import shutil
import statistics
import sys
from pathlib import Path

from lossy import FAR, Line
from measure import BIN, MIB
from watching import Watch, box

SMALL = 5 * MIB
# Of the large one, before a small one comes.
UNDER_WAY = 12 * MIB
# Mbit/s, the round trip's milliseconds, and packets that wait at the near end: a slow uplink, a good one,
# and the long one of the other figures.
LINES = [(16, 40, 200), (40, 20, 300), (100, 80, 1000)]


def clip(path, size):
    """A whole MP4 of noise, written elsewhere and moved there, so that nobody waits for its writer."""
    written = path.parent.parent / path.name
    head = box(b"ftyp", b"mp42\0\0\0\0mp42isom") + box(b"moov", box(b"mvhd", bytes(100)))
    with written.open("wb") as file:
        file.write(head + (size - len(head)).to_bytes(4, "big") + b"mdat")
        while file.tell() < size:
            file.write(os.urandom(min(4 * MIB, size - file.tell())))
    written.rename(path)


def told(watch, path, is_it):
    """When a word of this file came that `is_it`."""
    def wanted(line):
        said = json.loads(line) if line.startswith("{") else {}
        return said.get("path", "").endswith(path.name) and is_it(said)
    return watch.until(wanted)[0]


def took(watch, path):
    """Seconds from its place in the queue to the word that the team has it."""
    clip(path, SMALL)
    added = told(watch, path, lambda said: said["event"] == "added")
    return told(watch, path, lambda said: said["event"] == "uploaded") - added


def on_line(work, shape, count):
    """Medians, alone and beside."""
    megabits, round_trip, queue = shape
    data, folder = work / "server-sharing", work / "sharing"
    for path in (data, folder):
        shutil.rmtree(path, ignore_errors=True)
    folder.mkdir()
    server = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", f"{FAR}:0"]
    options = ["--rate", megabits, "--round-trip", round_trip, "--queue", queue]
    with Line(0, "cubic", server, map(str, options)) as line:
        credentials = json.loads(Path(json.loads(line.said)["credentials"]).read_text())
        on = ["ip", "netns", "exec", line.near]
        with Watch(work, credentials["url"], folder, key=credentials["apiKey"], on=on) as watch:
            watch.until(lambda said: '"watching"' in said)
            # The first makes the connections, and does not count.
            alone = [took(watch, folder / f"alone-{turn}.mp4") for turn in range(count + 1)][1:]
            large = folder / "large.mp4"
            # It goes on for longer than all small ones together take.
            clip(large, (count + 1) * megabits * MIB)
            told(watch, large, lambda said: said.get("confirmedBytes", 0) >= UNDER_WAY)
            beside = [took(watch, folder / f"beside-{turn}.mp4") for turn in range(count)]
            told(watch, large, lambda said: said["event"] == "progress")
    for path in (data, folder):
        shutil.rmtree(path, ignore_errors=True)
    return statistics.median(alone), statistics.median(beside)


def shared(count, work):
    """The table, or why there is none."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "Not measured: network namespaces need root and iproute2."
    rows = ["| line | alone | beside a large file | ratio |", "| --- | ---: | ---: | ---: |"]
    for shape in LINES:
        alone, beside = on_line(work, shape, count)
        name = f"{shape[0]} Mbit/s, {shape[1]} ms"
        print(f"  {name}: {alone:.2f} s alone, {beside:.2f} s beside", file=sys.stderr)
        rows.append(f"| {name} | {alone:.2f} s | {beside:.2f} s | {beside / alone:.2f} |")
    return "\n".join(rows)
