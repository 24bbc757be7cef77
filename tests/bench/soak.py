#!/usr/bin/env python3
"""An hour's use of one server, over and over: a clip goes up, is processed, watched and removed. Memory and the data
folder have to stay as they are; prints their medians of the first and the last sixth, one JSON line."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from load import call, lines_of
from measure import BIN, ROOT, Background


def put(url, clip):
    request = urllib.request.Request(url, clip.read_bytes(), {"Content-Type": "video/mp4"}, method="PUT")
    urllib.request.urlopen(request, timeout=60).read()


def once(server, clip):
    """One video's life."""
    size = clip.stat().st_size
    video = call(server, "mutation", "videos:create", {
        "projectId": server["projectId"], "title": "Soak", "fileSize": size, "contentType": "video/mp4"})
    named = {"videoId": video}
    put(call(server, "action", "videoActions:getUploadUrl", named)["uploadUrl"], clip)
    call(server, "action", "videoActions:markUploadComplete", named)
    deadline = time.monotonic() + 120
    while (status := call(server, "query", "videos:get", named)["status"]) != "ready":
        if status == "failed" or time.monotonic() > deadline:
            raise SystemExit(f"a video is {status}")
        time.sleep(0.1)
    master = call(server, "action", "videoActions:getPlaybackSession", named)["url"]
    for playlist in lines_of(master):
        for part in lines_of(playlist):
            urllib.request.urlopen(part, timeout=30).read()
    call(server, "mutation", "videos:remove", named)


def used(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / (1 << 20)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=60)
    options = options.parse_args()
    work = ROOT / "target" / "soak"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    clip = work / "soak.mp4"
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
         "testsrc2=size=640x360:rate=30:duration=4,noise=alls=20:allf=t", "-c:v", "libx264", "-preset", "ultrafast",
         "-pix_fmt", "yuv420p", "-g", "60", str(clip)], check=True)
    command = [str(BIN / "dailies-server"), "serve", "--data", str(work / "data"), "--listen", "127.0.0.1:0"]
    samples, count = [], 0
    with Background(command, {"RUST_LOG": "warn"}) as process:
        server = json.loads(Path(json.loads(process.line)["credentials"]).read_text())
        until = time.monotonic() + options.minutes * 60
        due = 0.0
        while time.monotonic() < until:
            once(server, clip)
            count += 1
            if time.monotonic() >= due:
                due = time.monotonic() + options.minutes
                samples.append((process.memory("VmRSS"), used(work / "data")))
                print(f"{count} videos: {samples[-1][0]:.1f} MiB, {samples[-1][1]:.1f} MiB on disk", file=sys.stderr)
    sixth = max(1, len(samples) // 6)
    ends = {}
    for name, column in (("memory_mib", 0), ("disk_mib", 1)):
        values = [sample[column] for sample in samples]
        ends[name] = [round(statistics.median(part), 1) for part in (values[:sixth], values[-sixth:])]
    shutil.rmtree(work, ignore_errors=True)
    print(json.dumps({"minutes": options.minutes, "videos": count, **ends}))


if __name__ == "__main__":
    main()
