"""The team's side under load: calls, playlists and segments per second; bytes into the embedded storage
beside another S3 server and beside `dd conv=fsync`, all in turn in each round."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from measure import BIN, GIB, MIB, VENV, Background, run
from peer import garage

# As `dailies-server` plans parts.
PART = 8 * MIB
CONNECTIONS = 64


def call(server, kind, path, args):
    request = urllib.request.Request(
        f"{server['url']}/api/{kind}",
        json.dumps({"path": path, "args": args, "format": "json"}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {server['apiKey']}"},
    )
    answer = json.load(urllib.request.urlopen(request, timeout=30))
    if answer["status"] != "success":
        raise SystemExit(f"{path}: {answer['errorMessage']}")
    return answer["value"]


def loaded(server, seconds, *what):
    command = [str(BIN / "bench-load"), "--connections", str(CONNECTIONS), "--seconds", str(seconds), *what]
    return json.loads(subprocess.check_output(command, env={**os.environ, "DAILIES_API_KEY": server["apiKey"]}))


def ready_clip(server, work):
    """A clip of ten seconds that plays; its id."""
    clip = work / "load.mp4"
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
         "testsrc2=size=1280x720:rate=30:duration=10", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M",
         "-pix_fmt", "yuv420p", "-g", "60", str(clip)], check=True)
    size = clip.stat().st_size
    video = call(server, "mutation", "videos:create", {
        "projectId": server["projectId"], "title": "Load", "fileSize": size, "contentType": "video/mp4"})
    url = call(server, "action", "videoActions:getUploadUrl", {"videoId": video})["uploadUrl"]
    subprocess.run(["curl", "-sf", "-H", "Content-Type: video/mp4", "-T", str(clip), url], check=True)
    call(server, "action", "videoActions:markUploadComplete", {"videoId": video})
    deadline = time.monotonic() + 60
    while call(server, "query", "videos:get", {"videoId": video})["status"] != "ready":
        if time.monotonic() > deadline:
            raise SystemExit("the clip does not become ready")
        time.sleep(0.1)
    # What is made after the first rendition would compete with what is measured.
    time.sleep(20)
    return video


def lines_of(url):
    text = urllib.request.urlopen(url, timeout=10).read().decode()
    return [urllib.parse.urljoin(url, line) for line in text.splitlines() if line and not line.startswith("#")]


def requests(seconds, work):
    """Answers per second of functions, playlists and segments."""
    data = work / "server-load"
    shutil.rmtree(data, ignore_errors=True)
    command = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    with Background(command, {"RUST_LOG": "warn", "DAILIES_CALLS_PER_SECOND": "0",
                              "DAILIES_ADDRESS_CALLS_PER_SECOND": "0"}) as process:
        listening = json.loads(process.line)
        server = json.loads(Path(listening["credentials"]).read_text())
        video = ready_clip(server, work)
        master = call(server, "action", "videoActions:getPlaybackSession", {"videoId": video})["url"]
        media = lines_of(master)[0]
        segment = lines_of(media)[1]
        upload = call(server, "mutation", "videos:create", {
            "projectId": server["projectId"], "title": "Parts", "fileSize": GIB, "contentType": "video/mp4"})
        call(server, "action", "videoActions:initiateVideoUpload", {
            "videoId": upload, "filename": "p.mp4", "fileSize": GIB, "contentType": "video/mp4"})
        args = json.dumps
        what = [
            ("`videos:get`, a query", ("call", server["url"], "query", "videos:get", args({"videoId": video}))),
            ("`videos:create`, a mutation: its row is on disk", (
                "call", server["url"], "mutation", "videos:create",
                args({"projectId": server["projectId"], "title": "Load"}))),
            ("`signUploadParts`, an action, 20 parts", (
                "call", server["url"], "action", "videoActions:signUploadParts",
                args({"videoId": upload, "partNumbers": list(range(1, 21))}))),
            ("`getPlaybackSession`: two RS256 signatures", (
                "call", server["url"], "action", "videoActions:getPlaybackSession", args({"videoId": video}))),
            ("master playlist, its token checked", ("get", master)),
            ("media playlist", ("get", media)),
            ("segment", ("get", segment)),
        ]
        lines = ["| request | per second | median ms | p99 ms | CPU-ms each | MB/s |",
                 "| --- | ---: | ---: | ---: | ---: | ---: |"]
        for name, how in what:
            before = process.cpu()
            figures = loaded(server, seconds, *how)
            each = (process.cpu() - before) / (figures["per_second"] * seconds * 1.1) * 1000
            if figures["errors"]:
                name += f" ({figures['errors']} errors)"
            lines.append(
                f"| {name} | {figures['per_second']:.0f} | {figures['median_ms']:.1f} | {figures['p99_ms']:.1f}"
                f" | {each:.2f} | {figures['bytes_per_second'] / 1e6:.0f} |")
            print(f"  {name}: {figures['per_second']:.0f}/s", file=sys.stderr)
        lines.append("")
        lines.append(f"{CONNECTIONS} connections, one request at a time each, {seconds} s each, the load on the same two"
                     f" cores. The server had {process.memory():.0f} MiB at its peak.")
    shutil.rmtree(data, ignore_errors=True)
    return "\n".join(lines)


PRESIGN = """
import boto3, json, sys
from botocore.config import Config
endpoint, bucket, key, secret, region, parts = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region,
                  config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                                request_checksum_calculation="when_required"))
id = s3.create_multipart_upload(Bucket=bucket, Key="load")["UploadId"]
print(json.dumps({"id": id, "urls": [s3.generate_presigned_url(
    "upload_part", {"Bucket": bucket, "Key": "load", "UploadId": id, "PartNumber": n + 1}) for n in range(int(parts))]}))
"""

COMPLETE = """
import boto3, sys
from botocore.config import Config
endpoint, bucket, key, secret, region, id = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region,
                  config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
parts = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for page in s3.get_paginator("list_parts").paginate(
    Bucket=bucket, Key="load", UploadId=id) for p in page["Parts"]]
s3.complete_multipart_upload(Bucket=bucket, Key="load", UploadId=id, MultipartUpload={"Parts": parts})
s3.delete_object(Bucket=bucket, Key="load")
"""


def fresh(size, pieces, whole):
    """Random bytes as one file and in parts, in the page cache."""
    shutil.rmtree(pieces, ignore_errors=True)
    pieces.mkdir()
    with whole.open("wb") as out:
        for number in range(size // PART):
            piece = os.urandom(PART)
            (pieces / f"{number:04}").write_bytes(piece)
            out.write(piece)
    os.sync()


def bytes_in(count, work):
    """One GiB in parts of 8 MiB, four at once, by curl, into each storage; and by dd."""
    size = GIB
    pieces, whole = work / "pieces", work / "whole"
    data = work / "server-bytes"
    shutil.rmtree(data, ignore_errors=True)
    command = [str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    rows = {}
    with Background(command, {"RUST_LOG": "warn", "PATH": "/nonexistent"}) as ours:
        s3 = json.loads(Path(json.loads(ours.line)["credentials"]).read_text())["s3"]
        places = [("`dailies-server`", ours, (
            s3["endpoint"], s3["bucket"], s3["accessKeyId"], s3["secretAccessKey"], s3["region"]))]
        with garage(work / "garage") as other:
            if other:
                places.append(("garage 2.5.0", other.process, other.keys))
            for number in range(count + 1):
                # New bytes each time: garage keeps what it has seen before only once.
                fresh(size, pieces, whole)
                dd = run(["dd", f"if={whole}", f"of={work / 'dd'}", "bs=8M", "conv=fsync", "status=none"])
                (work / "dd").unlink()
                if number:
                    rows.setdefault("`dd conv=fsync`", []).append((dd["wall"], None))
                for name, process, keys in places:
                    made = json.loads(subprocess.check_output(
                        [str(VENV / "python3"), "-c", PRESIGN, *keys, str(size // PART)]))
                    config = work / "curl.conf"
                    config.write_text("".join(
                        f'url = "{url}"\nupload-file = "{pieces / f"{n:04}"}"\noutput = "/dev/null"\n'
                        for n, url in enumerate(made["urls"])))
                    before = process.cpu()
                    sent = run(["curl", "-sf", "--parallel", "--parallel-max", "4", "-K", str(config)])
                    used = process.cpu() - before
                    subprocess.run([str(VENV / "python3"), "-c", COMPLETE, *keys, made["id"]], check=True)
                    if number:
                        rows.setdefault(name, []).append((sent["wall"], used))
                    print(f"  {name}: {sent['wall']:.2f} s, {used:.2f} CPU-s", file=sys.stderr)
        peak = ours.memory()
    for path in (data, whole, pieces, work / "garage"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    lines = ["| into | MB/s | beside `dd` | server CPU-s per GiB |", "| --- | ---: | ---: | ---: |"]
    base = [wall for wall, _ in rows["`dd conv=fsync`"]]
    for name, runs in rows.items():
        walls = [wall for wall, _ in runs]
        ratio = statistics.median(b / w for w, b in zip(walls, base))
        cpu = "–" if runs[0][1] is None else f"{statistics.median(used for _, used in runs) / (size / GIB):.2f}"
        beside = "–" if walls == base else f"{ratio:.2f}"
        lines.append(f"| {name} | {size / 1e6 / statistics.median(walls):.0f} | {beside} | {cpu} |")
    lines.append("")
    lines.append(f"1 GiB in parts of 8 MiB by presigned addresses, four at once, by `curl --parallel`; every part is on"
                 f" disk before it is acknowledged by `dailies-server`, which had {peak:.0f} MiB at its peak.")
    return "\n".join(lines)


def team_server(count, work, seconds=10):
    return f"{requests(seconds, work)}\n\n{bytes_in(count, work)}"
