#!/usr/bin/env python3
"""Holds an S3 endpoint against the cases in `s3_cases/`, one after the other.

The owner's keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Prints a line for each case
and exits with 1 if one failed that is not among the known ones, or a known one passed.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback

from s3_cases import CASES, Endpoint


def known_deviations(path):
    """Names and reasons, from lines of `name: reason`."""
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    named = [line.partition(":") for line in lines if line and not line.startswith("#")]
    known = {name.strip(): reason.strip() for name, _, reason in named}
    unknown = known.keys() - CASES.keys()
    if unknown:
        sys.exit(f"{path} names cases that there are not: {sorted(unknown)}")
    return known


def attempt(name, endpoint):
    """What went wrong, in a line; `None` if nothing did."""
    try:
        CASES[name](endpoint)
    except Exception as error:
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        return " ".join(f"{type(error).__name__}: {error}".split())[:400]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--bucket", default=f"conformance-{os.getpid()}")
    parser.add_argument("--known", help="file of cases that are known to fail, with reasons")
    parser.add_argument("--only", action="append", help="part of a case's name; may be repeated")
    arguments = parser.parse_args()
    known = known_deviations(arguments.known)
    keys = [os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    chosen = [
        name for name in CASES if any(part in name for part in arguments.only or [""])
    ]
    if not chosen:
        sys.exit("no case has such a name")

    failed, deviations, surprises = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        endpoint = Endpoint(arguments.endpoint, arguments.region, *keys, arguments.bucket, folder)
        endpoint.s3.create_bucket(Bucket=arguments.bucket)
        for name in chosen:
            started = time.monotonic()
            wrong = attempt(name, endpoint)
            took = time.monotonic() - started
            if wrong is None:
                print(f"ok      {name} ({took:.1f} s)", flush=True)
                if name in known and not known[name].startswith("sometimes"):
                    surprises.append(name)
            elif name in known:
                print(f"differs {name}: {known[name]}\n        {wrong}", flush=True)
                deviations.append(name)
            else:
                print(f"FAILED  {name}: {wrong}", flush=True)
                failed.append(name)
        for bucket in endpoint.s3.list_buckets()["Buckets"]:
            if bucket["Name"].startswith(arguments.bucket):
                endpoint.empty(bucket["Name"])

    passed = len(chosen) - len(failed) - len(deviations)
    print(f"{passed} of {len(chosen)} cases hold; {len(deviations)} known deviations")
    if surprises:
        print(f"known to fail, but hold now: {', '.join(surprises)}")
    if failed:
        print(f"failed: {', '.join(failed)}")
    sys.exit(1 if failed or surprises else 0)


if __name__ == "__main__":
    main()
