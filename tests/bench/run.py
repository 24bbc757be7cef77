#!/usr/bin/env python3
"""Speed and memory of the whole programs, beside their peers, in the same run.

Each round runs every program once, in turn, so that a machine whose speed drifts treats all alike.
Figures are medians; CPU seconds and peak memory are the operating system's own of the finished
process. Written to docs/benchmarks.md by --write.
"""

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from load import team_server
from lossy import WINDOW, shaped_line
from measure import BIN, GIB, ROOT, VENV, Background, machine
from programs import dailies, peers, rounds, table
from queue_and_files import killed_at_half, long_queue, many_files, sparse
from recording import MEGABITS, recorded
from sharing import shared
from watching import watched


def into_sink(size, file, count, work, tls=False):
    """With TLS only by those who take a certificate from the environment."""
    certificate = work / "sink.pem"
    command = [str(BIN / "bench-sink"), *(["--certificate", str(certificate)] if tls else [])]
    trust = {"SSL_CERT_FILE": str(certificate), "AWS_CA_BUNDLE": str(certificate)} if tls else {}
    with Background(command) as sink:
        url = sink.line
        curl = ["curl", "-sf", "-o", "/dev/null", "-T", str(file), f"{url}/b/curl"]
        programs = [
            ("curl -T", lambda: ([*curl, "--http1.1", "--cacert", str(certificate)] if tls else curl, {})),
            ("dailies", lambda: dailies(work / "profile", url, file, env=trust)),
        ]
        if not tls:
            floor = [str(BIN / "bench-floor"), url, str(file)]
            programs.append(("the floor: read and written", lambda: (floor, {})))
            programs.append(("the floor with CRC-64/NVME", lambda: ([*floor, "--checksum"], {})))
            programs.append(("the floor by sendfile", lambda: ([*floor, "--sendfile"], {})))
            programs.append(("the same with CRC-64/NVME", lambda: ([*floor, "--sendfile", "--checksum"], {})))
        for name, command, env in peers(url, "b", "key", "secret", file):
            if tls and "transfer manager" in name:
                continue
            env = {**env, **trust}
            programs.append((name, lambda command=command, env=env: (command, env)))
        return table(rounds(count, programs), size)


def into_server(size, file, count, work):
    data = work / "server"
    shutil.rmtree(data, ignore_errors=True)
    command = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    # No FFmpeg: what is measured is the way of the bytes, not what is made of them.
    with Background(command, {"RUST_LOG": "warn", "PATH": "/nonexistent"}) as server:
        listening = json.loads(server.line)
        credentials = json.loads(Path(listening["credentials"]).read_text())
        s3 = credentials["s3"]
        args = (s3["endpoint"], s3["bucket"], s3["accessKeyId"], s3["secretAccessKey"])

        def curl():
            presign = (
                "import boto3,sys;from botocore.config import Config;"
                "print(boto3.client('s3',endpoint_url=sys.argv[1],aws_access_key_id=sys.argv[3],"
                "aws_secret_access_key=sys.argv[4],region_name='us-east-1',"
                "config=Config(signature_version='s3v4',s3={'addressing_style':'path'}))"
                ".generate_presigned_url('put_object',Params={'Bucket':sys.argv[2],'Key':'curl'}))"
            )
            url = subprocess.check_output([str(VENV / "python3"), "-c", presign, *args]).decode().strip()
            return ["curl", "-sf", "-o", "/dev/null", "-T", str(file), url], {}

        def ours():
            key = {"DAILIES_API_KEY": credentials["apiKey"]}
            return dailies(work / "profile", listening["url"], file, env=key)

        programs = [("curl -T", curl), ("dailies", ours)]
        for name, command, env in peers(*args, file):
            programs.append((name, lambda command=command, env=env: (command, env)))
        before = server.cpu()
        rows = rounds(count, programs)
        per_gib = (server.cpu() - before) / (len(programs) * (count + 1)) / (size / GIB)
        note = (f"The server used {per_gib:.2f} CPU-s per GiB over all of these, and "
                f"{server.memory():.0f} MiB at its peak.")
        return f"{table(rows, size)}\n\n{note}"


def first_byte(count, work):
    """From the start of the process, and from the drop (the row on disk), to the first payload byte."""
    file = work / "small.mp4"
    file.write_bytes(b"\0\0\0\x18ftypisom" + os.urandom(32 << 20))
    from_drop = []
    with Background([str(BIN / "bench-sink")]) as sink:
        for _ in range(count):
            command, env = dailies(work / "profile", sink.line, file)
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **env}
            )
            seen = {}
            for line in process.stdout:
                event = json.loads(line)
                seen.setdefault(event["event"], time.time())
            process.wait()
            first = subprocess.check_output(["curl", "-sf", f"{sink.line}/first-byte"]).decode()
            from_drop.append(float(first) - seen["added"])
    return statistics.median(from_drop) * 1000


def playable(work):
    """From the last byte to a video that plays, for files whose codecs need no transcoding."""
    seconds = {}
    once = work / "once.mp4"
    if not once.exists():
        subprocess.run(
            ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
             "testsrc2=size=1920x1080:rate=30:duration=8,noise=alls=40:allf=t", "-f", "lavfi", "-i",
             "sine=duration=8", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "50M", "-maxrate", "50M",
             "-bufsize", "50M", "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", str(once)], check=True)
    data = work / "server-media"
    shutil.rmtree(data, ignore_errors=True)
    command = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    with Background(command, {"RUST_LOG": "warn"}) as server:
        listening = json.loads(server.line)
        credentials = json.loads(Path(listening["credentials"]).read_text())
        for name, times in [("50 MB", 1), ("1 GiB", GIB // once.stat().st_size)]:
            clip = work / f"looped-{times}.mp4"
            if not clip.exists():
                subprocess.run(
                    ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-stream_loop", str(times - 1), "-i",
                     str(once), "-c", "copy", str(clip)], check=True)
            command, env = dailies(work / "profile", listening["url"], clip)
            env["DAILIES_API_KEY"] = credentials["apiKey"]
            process = subprocess.Popen([*command, "--wait", "ready"], stdout=subprocess.PIPE, env={**os.environ, **env})
            seen = {json.loads(line)["event"]: time.monotonic() for line in process.stdout}
            process.wait()
            seconds[name] = seen["ready"] - seen["uploaded"]
    return seconds


def server_start(count, work):
    times = {"first start": [], "later start": []}
    for _ in range(count):
        data = work / "start"
        shutil.rmtree(data, ignore_errors=True)
        for kind in times:
            started = time.monotonic()
            command = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
            with Background(command):
                times[kind].append(time.monotonic() - started)
    return {kind: statistics.median(runs) * 1000 for kind, runs in times.items()}


def the_app(count):
    """What the app is measured for, where the app is built and there is a display to be had."""
    if not (BIN / "dailies-desktop").exists() or not shutil.which("Xvfb"):
        return "Not measured: no app or no Xvfb."

    def window(*options):
        command = [str(ROOT / "tests" / "window" / "run.sh"), *options]
        return subprocess.check_output(command, env={**os.environ, "DAILIES_WINDOW_BUILD": "release"})

    cold = statistics.median(int(line) for line in window("--cold-start", str(count)).split())
    work = json.loads(window("--at-work"))
    long = json.loads(window("--long-queue"))
    queue, plain = long["queue"], long["plain"]
    hidden = sum(work["hidden_percent"].values())
    mib = ", ".join(f"{name} {mib}" for name, mib in work["open_mib"].items())
    return f"""| what | figure |
| --- | ---: |
| start of the process to its window with the page loaded (aim 800 ms) | {cold:.0f} ms |
| messages to its page in the busiest second of 200 uploads (aim 10) | {work["most_told"]} |
| CPU of all its processes without a window at rest (aim 0.2 %) | {hidden:.2f} % |
| resident after these uploads | {mib} MiB |
| {long["rows"]:,} rows in the app's own page: shown after a press in the sidebar; an empty queue {long["empty_ms"]} ms \
(aim 200 ms) | {long["open_ms"]} ms |
| frames over 32 ms while they are scrolled, and half of the frames within; 2,000 lines of text in their place: \
{plain["slow"]}, {plain["median_ms"]} ms | {queue["slow"]} of {queue["frames"]}, {queue["median_ms"]} ms |
| CPU of the page's process for each of these frames; the lines of text {plain["cpu_ms"]} ms | {queue["cpu_ms"]} ms |"""


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--gib", type=float, default=2)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--line-rounds", type=int, help="over the shaped line, where one takes minutes")
    options.add_argument("--rest", type=int, default=600, help="seconds that watched folders are left alone")
    options.add_argument("--recording", type=float, default=10, help="minutes that each recording takes")
    options.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = options.parse_args()
    size = int(options.gib * GIB)
    work = ROOT / "target" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    file = work / f"{size}.mp4"
    if not file.exists() or file.stat().st_size != size:
        with file.open("wb") as out:
            out.write(b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41")
            while out.tell() < size:
                out.write(os.urandom(min(16 << 20, size - out.tell())))
    subprocess.run(["cat", str(file)], stdout=subprocess.DEVNULL, check=True)

    print("Into a sink", file=sys.stderr)
    sink = into_sink(size, file, options.rounds, work)
    print("Into a sink by TLS", file=sys.stderr)
    tls = into_sink(size, file, options.rounds, work, tls=True)
    print("Many files", file=sys.stderr)
    many = many_files(options.rounds, work)
    print("Over a shaped line", file=sys.stderr)
    line = shaped_line(options.line_rounds or options.rounds, work)
    print("A small file beside a large one", file=sys.stderr)
    sharing = shared(options.line_rounds or options.rounds, work)
    print("Recordings over the line", file=sys.stderr)
    recordings = recorded(work, options.recording)
    print("A sparse file, a long queue, a kill at half", file=sys.stderr)
    sparse_peak, sparse_speed = sparse(work)
    queue = long_queue(work)
    killed = killed_at_half(work)
    print("Watched folders", file=sys.stderr)
    folders = watched(work, options.rest)
    print("Into dailies-server", file=sys.stderr)
    server = into_server(size, file, options.rounds, work)
    byte = first_byte(options.rounds, work)
    start = server_start(options.rounds, work)
    play = playable(work)
    print("The server under load", file=sys.stderr)
    load = team_server(options.rounds, work)
    app_lines = the_app(options.rounds)
    versions = []
    for name, command in [
        ("curl", ["curl", "--version"]), ("rclone", [str(VENV / "rclone"), "version"]),
        ("s5cmd", [str(VENV / "s5cmd"), "version"]), ("aws", [str(VENV / "aws"), "--version"]),
    ]:
        try:
            first = subprocess.check_output(command, stderr=subprocess.STDOUT).decode().splitlines()[0]
            versions.append(first if name in first else f"{name} {first}")
        except (OSError, subprocess.CalledProcessError):
            versions.append(f"{name}: not there")
    text = f"""{datetime.date.today()}, {machine()}. Medians of {options.rounds} rounds after one that
does not count, all programs in turn in each. {options.gib:g} GiB in one file, in the page cache, plain HTTP over
loopback. {"; ".join(versions)}.

### Into a sink that throws bytes away

{sink}

`dailies` computes the CRC-64/NVME of every part before it is sent, which is signed into its address, and keeps up to 11 MiB of what
it read for that; `curl` computes nothing. One request at a time for `curl`. The floor is a program that does nothing else: it reads a file's parts and writes
them to four connections, or has the kernel do so (`sendfile`, which no program can by TLS); with the checksum it reads each of
them once before.

The same by TLS 1.3 (HTTP/1.1):

{tls}

A file of 1 TiB, most of it a hole, for a minute: {sparse_speed:.0f} MB/s, {sparse_peak:.0f} MiB at the peak (aim 48).

### 500 files of 1 MiB into the same sink

{many}

`dailies` has each of them in its queue, on disk, before it is registered; the others keep no queue. The floor tells the team of
each as `dailies` does, without an HTTP library and without a queue; then with a queue of one table, to which each file's
way is written four times: before it is registered, sent and finished, and when it is.

### Over a line of 100 Mbit/s and 80 ms

100 MiB; Mbit/s of payload until the end, or within {WINDOW} s. `bench-shape` is the line; the kernel's own TCP with the
congestion control named at both ends.

{line}

### 5 MiB that come while a large file goes up

From the small file's place in the queue to the team's word that it has it, no limit set (aim: twice the time alone).

{sharing}

### Recordings of {MEGABITS} Mbit/s over a line of 100 Mbit/s and 80 ms, {options.recording:g} minutes each

{recordings}

FFmpeg writes into a watched folder, from which the recording goes up to `dailies-server` while it runs (aim 3 s).

### `SIGKILL` at half of 1 GiB, then the same command again

{killed}

Into the storage inside `dailies-server`. What was under way at the kill is sent again by everybody.

### A queue of {queue["rows"]:,} rows

Opened in {queue["open_ms"]:.0f} ms (aim 1,000); a page of 100 anywhere in its list p50 {queue["page_p50_ms"]:.1f} ms, p99
{queue["page_p99_ms"]:.1f} ms (aim 5), worst {queue["page_worst_ms"]:.1f} ms; {queue["peak_mib"]} MiB at the peak (aim 96).

### Watched folders

{folders}

### Into the storage inside `dailies-server`

{server}

### `dailies-server` under load

{load}

### Latency

| what | ms |
| --- | ---: |
| from the last byte to a video that plays, H.264/AAC of 50 MB (aim 2,000) | {play["50 MB"] * 1000:.0f} |
| the same, 1 GiB (aim 3,000) | {play["1 GiB"] * 1000:.0f} |
| from the upload's row on disk to its first payload byte (aim 150) | {byte:.0f} |
| `dailies-server`, first start (keys, team, project made) to listening (aim 1,000) | {start["first start"]:.0f} |
| `dailies-server`, later start to listening | {start["later start"]:.0f} |

### The app

{app_lines}
"""
    for folder in ("server", "server-media", "start", "profile"):
        shutil.rmtree(work / folder, ignore_errors=True)
    print(text)
    if options.write:
        page = ROOT / "docs" / "benchmarks.md"
        old = page.read_text()
        head, tail = old.split("<!-- figures -->")[0], old.split("<!-- /figures -->")[-1]
        page.write_text(f"{head}<!-- figures -->\n{text}<!-- /figures -->{tail}")


if __name__ == "__main__":
    main()
