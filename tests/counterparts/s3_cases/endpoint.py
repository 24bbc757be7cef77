"""The endpoint under test, and the words that cases are written in."""

import itertools
import os
import random
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
# The least that S3 takes for a part that is not the last.
PART = 5 * MIB

# Name -> function of an `Endpoint`.
CASES = {}
_numbers = itertools.count()


def case(function):
    """Adds a function to the table, under its own name."""
    assert function.__name__ not in CASES, function.__name__
    CASES[function.__name__] = function
    return function


def noise(length, seed=1):
    """Bytes that no file system and no storage can fold together."""
    return random.Random(seed).randbytes(length)


def same(found, wanted, what="it"):
    if found != wanted:
        raise AssertionError(f"{what} is {str(found)[:200]}, not {str(wanted)[:200]}")


def refused(codes, call, **arguments):
    """Asserts that a call is refused with one of these codes (or statuses, where no code can be)."""
    codes = codes if isinstance(codes, tuple) else (codes,)
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if found not in codes and status not in codes:
            raise AssertionError(f"refused with {status} {found}, not {codes}") from error
    else:
        raise AssertionError(f"not refused with {codes}")


def send(method, url, body=None, headers=None):
    """A request without any client: status, headers, bytes."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    if body is not None and not request.has_header("Content-type"):
        # urllib would send a type of its own, which is not what was signed.
        request.add_header("Content-Type", "application/octet-stream")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Endpoint:
    """An endpoint, its owner's keys, and a bucket that is made for the run."""

    def __init__(self, url, region, access_key, secret_key, bucket, folder):
        self.url = url.rstrip("/")
        self.region = region
        self.access_key = access_key
        self.secret_key = secret_key
        self.bucket = bucket
        self.folder = folder
        self.s3 = self.client()

    def client(self, **other):
        """A client like the owner's, but for what is said here."""
        settings = {
            "region_name": self.region,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            **other,
        }
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                read_timeout=120,
            ),
            **settings,
        )

    def new_bucket(self):
        name = f"{self.bucket}-{next(_numbers)}"
        self.s3.create_bucket(Bucket=name)
        return name

    def put(self, key, body, **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        """The answer, its bytes read as `Bytes`."""
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, **more)
        answer["Bytes"] = answer["Body"].read()
        return answer

    def head(self, key, **more):
        return self.s3.head_object(Bucket=self.bucket, Key=key, **more)

    def begin(self, key, **more):
        """Begins a multipart upload: what its other calls are called with."""
        begun = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **more)
        return {"Bucket": self.bucket, "Key": key, "UploadId": begun["UploadId"]}

    def part(self, upload, number, body, **more):
        """Sends a part: what Complete wants to know of it, with the checksums that are said here."""
        sent = self.s3.upload_part(**upload, PartNumber=number, Body=body, **more)
        for name, value in more.items():
            same(sent.get(name), value, name)
        return {"PartNumber": number, "ETag": sent["ETag"], **more}

    def complete(self, upload, parts, **more):
        return self.s3.complete_multipart_upload(
            **upload, MultipartUpload={"Parts": parts}, **more
        )

    def presign(self, operation, seconds=60, client=None, **arguments):
        arguments.setdefault("Bucket", self.bucket)
        client = client or self.s3
        return client.generate_presigned_url(operation, Params=arguments, ExpiresIn=seconds)

    def path(self, name, body=None):
        """A path in the run's folder; with bytes, a file of these."""
        path = os.path.join(self.folder, name)
        if body is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(body)
        return path

    def empty(self, bucket):
        """Removes everything that a bucket holds, and the bucket."""
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                self.s3.abort_multipart_upload(
                    Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                self.s3.delete_object(Bucket=bucket, Key=entry["Key"])
        self.s3.delete_bucket(Bucket=bucket)
