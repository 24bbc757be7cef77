"""Many files, huge files, long queues, and what is sent again after a kill."""

import json
import os
import shutil
import signal
import subprocess
import statistics
import sys
import time
from pathlib import Path

from measure import BIN, GIB, MIB, Background, run
from programs import dailies, peers, peers_of_folder, rounds

FILES = 500
ROWS = 1_000_000


def many_files(count, work):
    """500 files of 1 MiB, each registered and durable where it is ours."""
    folder = work / "many"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:03}.mp4").write_bytes(b"\0\0\0\x18ftypisom" + os.urandom(MIB - 12))
    with Background([str(BIN / "bench-sink")]) as sink:
        files = sorted(folder.iterdir())
        floor = [str(BIN / "bench-floor"), sink.line, *map(str, files)]
        programs = [
            ("dailies", lambda: dailies(work / "profile", sink.line, *files)),
            ("the floor: three calls and a PUT each", lambda: (floor, {})),
            ("the floor with the smallest queue", lambda: ([*floor, *least_queue(work / "queue")], {})),
        ]
        for name, command, env in peers_of_folder(sink.line, "b", "key", "secret", folder):
            programs.append((name, lambda command=command, env=env: (command, env)))
        rows = ["| program | s | CPU-s | peak MiB |", "| --- | ---: | ---: | ---: |"]
        for name, runs in rounds(count, programs):
            wall, cpu, rss = (statistics.median(one[what] for one in runs) for what in ("wall", "cpu", "rss"))
            rows.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {rss:.0f} |")
    shutil.rmtree(folder)
    return "\n".join(rows)


def least_queue(folder):
    """What has the floor keep one: a fresh folder, and as many connections as fill its commits."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return ["--queue", str(folder), "--connections", "24"]


def sparse(work, seconds=60):
    """A file of 1 TiB, for a while: peak MiB, and MB/s."""
    file = work / "sparse.mp4"
    with file.open("wb") as out:
        out.write(b"\0\0\0\x18ftypisom")
        out.truncate(1 << 40)
    with Background([str(BIN / "bench-sink")]) as sink:
        command, env = dailies(work / "profile", sink.line, file)
        # 130: ended on request. It keeps its place, which here nobody comes back to.
        ended = run(["timeout", "--signal=INT", str(seconds), *command], env, ends_with=(124, 130))
        received = int(subprocess.check_output(["curl", "-sf", f"{sink.line}/received"]))
    file.unlink()
    return ended["rss"], received / 1e6 / ended["wall"]


def long_queue(work):
    queue = work / "queue.db"
    for old in work.glob("queue.db*"):
        old.unlink()
    subprocess.run([str(BIN / "bench-queue"), str(queue), "fill", str(ROWS)], check=True)
    told = json.loads(subprocess.check_output([str(BIN / "bench-queue"), str(queue), "read"]))
    for old in work.glob("queue.db*"):
        old.unlink()
    return told


def killed_at_half(work, count=3):
    """SIGKILL once half of a file is through, then the same command again: bytes sent beyond the file's size,
    and those of them that the storage held.

    In a namespace whose loopback device counts what passes; packet headers are in it. What our storage held of an
    upload, its log says; peers begin another upload, which holds nothing.
    """
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "Not measured: network namespaces need root and iproute2."
    size = GIB
    file = work / "killed.mp4"
    with file.open("wb") as out:
        out.write(b"\0\0\0\x18ftypisom")
        for _ in range(size // (16 * MIB)):
            out.write(os.urandom(16 * MIB))
        out.truncate(size)
    name = f"dailies-killed-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    inside = ["ip", "netns", "exec", name]
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        data = work / "server"
        shutil.rmtree(data, ignore_errors=True)
        serve = [*inside, str(BIN / "dailies-server"), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
        quiet = {"RUST_LOG": "warn,dailies_server::object_store=info", "PATH": f"/nonexistent:{os.environ['PATH']}"}
        with (work / "server.log").open("a+") as log, Background(serve, quiet, log=log) as server:
            listening = json.loads(server.line)
            credentials = json.loads(Path(listening["credentials"]).read_text())
            s3 = credentials["s3"]
            access = (s3["accessKeyId"], s3["secretAccessKey"])
            ours, env = dailies(work / "profile", listening["url"], file, env={"DAILIES_API_KEY": credentials["apiKey"]})
            programs = [("dailies", ours, env)]
            programs += [peer for peer in peers(s3["endpoint"], s3["bucket"], *access, file)
                         if "unsigned" not in peer[0] and "transfer manager" not in peer[0]]
            rows = ["| program | sent beyond the file's size | parts sent that its upload held |", "| --- | ---: | ---: |"]
            for program, command, environment in programs:
                beyond = [resumed(inside, name, command, environment, size, work) for _ in range(count)]
                log.seek(0)
                stored = [fields for line in log if (fields := json.loads(line)["fields"]).get("event") == "part_stored"]
                log.truncate(0)
                held = sum(fields["was_held"] for fields in stored)
                rows.append(f"| {program} | {statistics.median(beyond) / size:.1%} | {held} of {len(stored)} |")
                print(f"  killed at half, {rows[-1]}", file=sys.stderr)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
        file.unlink()
    return "\n".join(rows)


def resumed(inside, name, command, env, size, work):
    shutil.rmtree(work / "profile", ignore_errors=True)
    counter = [*inside, "cat", "/sys/class/net/lo/statistics/rx_bytes"]
    passed = lambda: int(subprocess.check_output(counter))
    before = passed()
    environment = {**os.environ, **env}
    process = subprocess.Popen([*inside, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while passed() - before < size // 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    subprocess.run([*inside, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=True)
    return passed() - before - size
