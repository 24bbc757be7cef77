"""A recording that goes up while it is made: how soon after its recorder's end the team has it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from lossy import FAR, Line
from measure import BIN
from watching import Watch

# Of the recording; the line carries twice as much.
MEGABITS = 50
# Containers that are valid while they grow, and what FFmpeg has to be told for that.
TAKES = [("Matroska", "take.mkv", []), ("MPEG-TS", "take.ts", []),
         ("fragmented MP4", "take.mp4", ["-movflags", "frag_keyframe+empty_moov"])]


def seconds_of_noise(work):
    """A few seconds at a constant rate, which a recorder plays again and again."""
    clip = work / "constant.mp4"
    if not clip.exists():
        rate = f"{MEGABITS}M"
        subprocess.run(
            ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
             "testsrc2=size=1920x1080:rate=30:duration=8,noise=alls=60:allf=t", "-c:v", "libx264", "-preset",
             "ultrafast", "-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params",
             "nal-hrd=cbr", "-pix_fmt", "yuv420p", "-g", "30", str(clip)], check=True)
    return clip


def take(work, line, credentials, name, options, minutes):
    """Records, and answers the recording's Mbit/s and the seconds from the recorder's end to `uploaded`."""
    folder = work / "recorded"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    on = ["ip", "netns", "exec", line.near]
    with Watch(work, credentials["url"], folder, key=credentials["apiKey"], on=on) as watch:
        watch.until(lambda said: '"watching"' in said)
        file = folder / name
        recorder = subprocess.Popen(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(seconds_of_noise(work)),
             "-c", "copy", *options, str(file)])
        began = time.monotonic()
        time.sleep(minutes * 60)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(60)
        ended = time.monotonic()
        is_told = lambda said: said.startswith("{") and json.loads(said).get("event") == "uploaded"
        uploaded, _ = watch.until(is_told, limit=120)
        return file.stat().st_size * 8 / 1e6 / (ended - began), uploaded - ended


def recorded(work, minutes):
    """The table, or why there is none."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "Not measured: network namespaces need root and iproute2."
    data = work / "server-recording"
    shutil.rmtree(data, ignore_errors=True)
    server = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", f"{FAR}:0"]
    seconds_of_noise(work)
    rows = ["| recorded by FFmpeg as | Mbit/s | `uploaded` after the recorder's end |", "| --- | ---: | ---: |"]
    with Line(0, "cubic", server) as line:
        credentials = json.loads(Path(json.loads(line.said)["credentials"]).read_text())
        for container, name, options in TAKES:
            rate, after = take(work, line, credentials, name, options, minutes)
            print(f"  {container}, {minutes} min: {rate:.0f} Mbit/s, {after:.2f} s", file=sys.stderr)
            rows.append(f"| {container} | {rate:.0f} | {after:.2f} s |")
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(work / "recorded", ignore_errors=True)
    return "\n".join(rows)
