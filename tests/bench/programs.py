"""The programs that are compared: ours, and its peers with the settings their manuals give for speed."""

import shutil
import statistics
import sys

from measure import BIN, GIB, PEERS, VENV, run


def dailies(profile, url, *files, env=None, keep=False):
    """With a queue of its own, empty unless it is to be kept."""
    if not keep:
        shutil.rmtree(profile, ignore_errors=True)
    command = [str(BIN / "dailies"), "--profile", str(profile), "--json", "upload", *map(str, files)]
    return command, {"DAILIES_API_KEY": "sk-bench", "DAILIES_SERVER": url, **(env or {})}


def keys(key, secret):
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "RCLONE_CONFIG": "/dev/null",
    }


def rclone(endpoint, *arguments):
    return [str(VENV / "rclone"), *arguments, "--s3-provider=Other", f"--s3-endpoint={endpoint}",
            "--s3-env-auth", "--s3-region=us-east-1", "--s3-no-check-bucket", "--ignore-times",
            "--ignore-checksum", "--s3-force-path-style"]


def peers(endpoint, bucket, key, secret, file):
    """The same file by the usual tools: name, command, environment."""
    target = f"s3://{bucket}/peer"
    one = rclone(endpoint, "copyto", str(file), f":s3:{bucket}/peer")
    tuned = ["--s3-disable-checksum", "--s3-use-unsigned-payload=true", "--s3-chunk-size=8Mi",
             "--s3-upload-concurrency=8"]
    found = [
        ("rclone, as it comes", one),
        ("rclone, 8 MiB × 8, unsigned, no checksum", [*one, *tuned]),
        ("s5cmd, as it comes", [str(VENV / "s5cmd"), "--endpoint-url", endpoint, "cp", str(file), target]),
        ("AWS CLI v1, as it comes",
         [str(VENV / "aws"), "--endpoint-url", endpoint, "s3", "cp", "--no-progress", str(file), target]),
        ("opendal, 8 MiB × 8, no checksum", [str(PEERS / "bench-peers"), "opendal", endpoint, bucket, str(file)]),
        ("AWS transfer manager, as it comes", [str(PEERS / "bench-peers"), "transfer-manager", endpoint, bucket, str(file)]),
    ]
    return [(name, command, keys(key, secret)) for name, command in found]


def peers_of_folder(endpoint, bucket, key, secret, folder):
    """All files of a folder by the same tools."""
    files = sorted(map(str, folder.iterdir()))
    target = f"s3://{bucket}/many/"
    found = [
        ("rclone, --transfers 16", rclone(endpoint, "copy", str(folder), f":s3:{bucket}/many", "--transfers=16")),
        ("s5cmd, as it comes", [str(VENV / "s5cmd"), "--endpoint-url", endpoint, "cp", f"{folder}/", target]),
        ("AWS CLI v1, as it comes",
         [str(VENV / "aws"), "--endpoint-url", endpoint, "s3", "cp", "--no-progress", "--recursive", str(folder), target]),
        ("opendal, 8 at once", [str(PEERS / "bench-peers"), "opendal", endpoint, bucket, *files]),
        ("AWS transfer manager, as it comes", [str(PEERS / "bench-peers"), "transfer-manager", endpoint, bucket, *files]),
    ]
    return [(name, command, keys(key, secret)) for name, command in found]


def table(rows, size):
    lines = [
        "| program | MB/s | CPU-s per GiB | peak MiB | speed beside `curl -T` |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    median = lambda runs, name: statistics.median(run[name] for run in runs)
    curl = next((runs for name, runs in rows if name.startswith("curl")), None)
    for name, runs in rows:
        ratio = "–"
        if curl and runs is not curl:
            ratio = f"{statistics.median(b['wall'] / a['wall'] for a, b in zip(runs, curl)):.2f}"
        lines.append(
            f"| {name} | {size / 1e6 / median(runs, 'wall'):.0f} | {median(runs, 'cpu') / (size / GIB):.2f}"
            f" | {median(runs, 'rss'):.0f} | {ratio} |"
        )
    return "\n".join(lines)


def rounds(count, programs):
    """Each program once per round, in turn. A program is (name, command, env, before)."""
    rows = [(name, []) for name, *_ in programs]
    for number in range(count + 1):
        for (name, runs), (_, make) in zip(rows, programs):
            command, env = make()
            measured = run(command, env)
            if number > 0:
                runs.append(measured)
            print(f"  {name}: {measured['wall']:.2f} s", file=sys.stderr)
    return rows
