"""The AWS CLI, rclone and s5cmd: what people move files with."""

import filecmp
import os
import subprocess
import sys

from s3_cases.endpoint import MIB, case, noise, same, send

# A little above what each of them sends in one piece.
LARGE = noise(20 * MIB + 12345)


def run(e, program, *arguments, fails=False, **environment):
    """Runs one of the programs beside this Python, with the owner's keys and nobody's settings."""
    folder = os.path.dirname(sys.executable)
    path = os.path.join(folder, program)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_", "S3_"))}
    nothing = e.path("no-such-file")
    done = subprocess.run(
        [path, *arguments],
        env={
            **kept,
            "AWS_ACCESS_KEY_ID": e.access_key,
            "AWS_SECRET_ACCESS_KEY": e.secret_key,
            "AWS_REGION": e.region,
            "AWS_DEFAULT_REGION": e.region,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "RCLONE_CONFIG": nothing,
            "S3_ENDPOINT_URL": e.url,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=180,
    )
    said = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, f"{program} ended with {done.returncode}: {said}"
    return done.stdout


def files(e, name):
    """A folder with a large file, small ones and odd names; and its path."""
    root = e.path(name)
    wanted = {
        "large.mov": LARGE,
        "empty": b"",
        "day 1/clip ä+1.mp4": noise(1000),
        "day 1/100%25 #2.txt": noise(70_000, 2),
    }
    for path, data in wanted.items():
        e.path(os.path.join(name, path), data)
    return root, len(wanted)


def same_files(one, other):
    compared = filecmp.dircmp(one, other)
    left = compared.left_only + compared.right_only + compared.funny_files
    assert not left, f"{left} are in one of {one} and {other} only"
    for name in compared.common_files:
        paths = [os.path.join(folder, name) for folder in (one, other)]
        assert filecmp.cmp(*paths, shallow=False), f"{paths} differ"
    for name in compared.common_dirs:
        same_files(os.path.join(one, name), os.path.join(other, name))


def count(e, bucket):
    return e.s3.list_objects_v2(Bucket=bucket)["KeyCount"]


@case
def aws_cli_moves_files_both_ways(e):
    aws = ["--endpoint-url", e.url, "s3"]
    source, number = files(e, "aws-up")
    bucket = f"{e.bucket}-aws"
    run(e, "aws", *aws, "mb", f"s3://{bucket}")
    run(e, "aws", *aws, "sync", "--only-show-errors", source, f"s3://{bucket}/here")
    same(count(e, bucket), number)
    said = run(e, "aws", *aws, "sync", source, f"s3://{bucket}/here")
    same(said, "", "what a second sync did")
    # A copy of a large object goes by UploadPartCopy.
    run(e, "aws", *aws, "cp", "--only-show-errors", "--recursive",
        f"s3://{bucket}/here", f"s3://{bucket}/there")
    run(e, "aws", *aws, "mv", "--only-show-errors", "--recursive",
        f"s3://{bucket}/there", f"s3://{bucket}/moved")
    run(e, "aws", *aws, "sync", "--only-show-errors", f"s3://{bucket}/moved", e.path("aws-down"))
    same_files(source, e.path("aws-down"))
    assert "PRE day 1/" in run(e, "aws", *aws, "ls", f"s3://{bucket}/here/")
    run(e, "aws", *aws, "rb", f"s3://{bucket}", fails=True)
    run(e, "aws", *aws, "rm", "--only-show-errors", "--recursive", f"s3://{bucket}/moved")
    same(count(e, bucket), number)
    run(e, "aws", *aws, "rb", "--force", f"s3://{bucket}")


@case
def aws_cli_presigns(e):
    e.put("presigned by the cli", b"here")
    there = f"s3://{e.bucket}/presigned by the cli"
    # By itself this version of the program signs as it was done before 2014.
    config = e.path("config/aws", b"[default]\ns3 =\n  signature_version = s3v4\n")
    aws = ["aws", "--endpoint-url", e.url, "s3", "presign", there]
    url = run(e, *aws, AWS_CONFIG_FILE=config).strip()
    same(send("GET", url)[2], b"here")


@case
def rclone_moves_files_both_ways(e):
    options = ["--s3-provider", "Other", "--s3-env-auth", "--s3-endpoint", e.url,
               "--s3-region", e.region, "--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi",
               "--s3-copy-cutoff", "5Mi", "--retries", "1"]
    source, number = files(e, "rclone-up")
    bucket = f"{e.bucket}-rclone"
    run(e, "rclone", "mkdir", f":s3:{bucket}", *options)
    run(e, "rclone", "sync", source, f":s3:{bucket}/here", *options)
    same(count(e, bucket), number)
    run(e, "rclone", "check", source, f":s3:{bucket}/here", "--download", *options)
    run(e, "rclone", "copy", f":s3:{bucket}/here", f":s3:{bucket}/there", *options)
    run(e, "rclone", "moveto", f":s3:{bucket}/there/large.mov", f":s3:{bucket}/there/l.mov", *options)
    run(e, "rclone", "sync", f":s3:{bucket}/here", e.path("rclone-down"), *options)
    same_files(source, e.path("rclone-down"))
    # Only the modification times of objects in parts are metadata of theirs.
    run(e, "rclone", "sync", source, f":s3:{bucket}/here", "--error-on-no-transfer", *options,
        fails=True)
    run(e, "rclone", "cleanup", f":s3:{bucket}", *options)
    run(e, "rclone", "purge", f":s3:{bucket}", *options)
    assert bucket not in run(e, "rclone", "lsd", ":s3:", *options)


@case
def s5cmd_moves_files_both_ways(e):
    source, number = files(e, "s5cmd-up")
    bucket = f"{e.bucket}-s5cmd"
    run(e, "s5cmd", "mb", f"s3://{bucket}")
    run(e, "s5cmd", "cp", "--part-size", "5", f"{source}/", f"s3://{bucket}/here/")
    same(count(e, bucket), number)
    run(e, "s5cmd", "cp", f"s3://{bucket}/here/large.mov", f"s3://{bucket}/copy.mov")
    run(e, "s5cmd", "mv", f"s3://{bucket}/copy.mov", f"s3://{bucket}/moved.mov")
    run(e, "s5cmd", "cp", "--part-size", "5", f"s3://{bucket}/here/*", f"{e.path('s5cmd-down')}/")
    same_files(source, e.path("s5cmd-down"))
    assert "large.mov" in run(e, "s5cmd", "ls", f"s3://{bucket}/here/")
    run(e, "s5cmd", "rb", f"s3://{bucket}", fails=True)
    run(e, "s5cmd", "rm", f"s3://{bucket}/*")
    run(e, "s5cmd", "rb", f"s3://{bucket}")
