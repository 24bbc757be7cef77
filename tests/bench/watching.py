"""Watched folders: the first look at many files, how soon a new one is noticed, rest, and a storm."""

import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from measure import BIN, Background

FOLDERS = 1_000
FILES = 100_000
STORM = 200_000
# Seconds after which the queue was copied, where something was written since its last copy.
COPIED = 630
# One file in so many outlives the storm.
SURVIVES = 100


def box(kind, content=b""):
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def whole(number=0):
    """An MP4 that is whole, as far as its boxes go, and like no other number's."""
    media = box(b"mdat", number.to_bytes(8, "big"))
    return box(b"ftyp", b"mp42\0\0\0\0mp42isom") + box(b"moov", box(b"mvhd", bytes(100))) + media


class Watch:
    """`dailies watch` on a folder, and the time of each thing that it says; `on` is what it is called by."""

    def __init__(self, work, url, folder, *rules, key="sk-bench", on=(), known=False):
        if not known:
            shutil.rmtree(work / "profile", ignore_errors=True)
        command = [*on, str(BIN / "dailies"), "--profile", str(work / "profile"), "--server", url, "--json", "watch",
                   str(folder), *rules]
        env = {**os.environ, "DAILIES_API_KEY": key, "RUST_LOG": "dailies_engine::watch=debug"}
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.said = queue.Queue()
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self.listen, args=(stream,), daemon=True).start()

    def listen(self, stream):
        for line in stream:
            self.said.put((time.monotonic(), line.decode(errors="replace")))

    def until(self, wanted, limit=120):
        """When the first line came that is wanted, and the line."""
        ends = time.monotonic() + limit
        while True:
            at, line = self.said.get(timeout=max(0.1, ends - time.monotonic()))
            if wanted(line):
                return at, line

    def figures(self):
        """Bytes written to disk, wake-ups of all threads, CPU seconds."""
        folder = Path(f"/proc/{self.process.pid}")
        written = next(int(line.split()[1]) for line in (folder / "io").read_text().splitlines()
                       if line.startswith("write_bytes"))
        wakes = 0
        for task in (folder / "task").iterdir():
            lines = (task / "status").read_text().splitlines()
            wakes += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
        fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        return written, wakes, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def tree(work):
    root = work / "watched"
    shutil.rmtree(root, ignore_errors=True)
    for number in range(FOLDERS):
        (root / f"{number:03}").mkdir(parents=True)
    return root


def at_rest(work, url, seconds):
    """100,000 files that were there before: two starts, twenty new files, and `seconds` of nothing after a third."""
    root = tree(work)
    for number in range(FILES):
        (root / f"{number % FOLDERS:03}" / f"{number}.mp4").write_bytes(whole())
    with Watch(work, url, root) as watch:
        seen, _ = watch.until(lambda line: "was looked through" in line)
        first = seen - watch.began
    with Watch(work, url, root, known=True) as watch:
        seen, _ = watch.until(lambda line: "was looked through" in line)
        later = seen - watch.began
        noticed = []
        for number in range(20):
            new = root / f"{number * 49:03}" / f"new {number}.mp4"
            began = time.monotonic()
            new.write_bytes(whole(number))
            at, _ = watch.until(lambda line: "may be written to" in line and new.name in line)
            noticed.append(at - began)
            time.sleep(0.2)
        # What they set going ends first.
        time.sleep(30)
        peak = watch.peak()
    # What others mount meanwhile would have it look everywhere.
    apart = ["unshare", "--mount"] if os.geteuid() == 0 and shutil.which("unshare") else []
    with Watch(work, url, root, known=True, on=apart) as watch:
        watch.until(lambda line: "was looked through" in line)
        time.sleep(COPIED)
        before = watch.figures()
        time.sleep(seconds)
        written, wakes, cpu = (after - was for after, was in zip(watch.figures(), before))
    shutil.rmtree(root)
    return {
        "first": first, "later": later, "noticed": statistics.median(noticed), "slowest": max(noticed), "written": written,
        "wakes": wakes / seconds * 60, "cpu": cpu / seconds, "peak": peak, "seconds": seconds,
    }


def storm(work, url):
    """200,000 files created, renamed and removed; one in a hundred stays and has to be found."""
    root = tree(work)
    with Watch(work, url, root) as watch:
        watch.until(lambda line: "was looked through" in line)
        survivors = set()
        began = time.monotonic()
        for number in range(STORM):
            folder = root / f"{number * 7 % FOLDERS:03}"
            file, moved = folder / f"{number}.mp4", folder / f"{number} b.mp4"
            file.write_bytes(whole(number))
            file.rename(moved)
            if number % SURVIVES:
                moved.unlink()
            else:
                survivors.add(str(moved))
        ended = time.monotonic()
        left, last = set(survivors), ended
        while left:
            at, line = watch.until(lambda line: line.startswith("{"), limit=60)
            told = json.loads(line)
            if told.get("event") == "added":
                left.discard(told["path"])
                last = max(last, at)
        peak = watch.peak()
    shutil.rmtree(root)
    return {"storm": ended - began, "survivors": len(survivors), "last": last - ended, "peak": peak}


def watched(work, seconds=600):
    with Background([str(BIN / "bench-sink")]) as sink:
        rest = at_rest(work, sink.line, seconds)
        print(f"  watched folders: {rest}", file=sys.stderr)
        wind = storm(work, sink.line)
        print(f"  watched folders: {wind}", file=sys.stderr)
    return f"""| what | figure |
| --- | ---: |
| {FILES:,} files in {FOLDERS:,} folders: from the start to the end of a look through all of it | {rest['later']:.2f} s |
| the same when the folder is new: every file is looked at twice and written down in between | {rest['first']:.2f} s |
| a new file among them is noticed: median, slowest of 20 | {rest['noticed'] * 1000:.0f} ms, {rest['slowest'] * 1000:.0f} ms |
| {rest['seconds']} s of rest: bytes written to disk | {rest['written']} |
| wake-ups a minute | {rest['wakes']:.1f} |
| CPU | {rest['cpu']:.3%} |
| peak memory | {rest['peak']:.0f} MiB |
| storm of {STORM:,} files in {wind['storm']:.0f} s: the last of {wind['survivors']:,} survivors is in the queue after | {wind['last']:.2f} s |
| peak memory of the storm | {wind['peak']:.0f} MiB |"""
