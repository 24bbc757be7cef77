#!/usr/bin/env python3
"""Drives an S3 endpoint with boto3, as a client of somebody else would.

Makes a bucket of its own, sends, lists, reads, copies and deletes in it, and removes it again.
Says what it did, one line a step, and exits with 1 and a clear message at the first mismatch.
"""

import argparse
import os
import sys
import tempfile
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
PART = 8 * MIB


def check(holds, message):
    if not holds:
        sys.exit(f"mismatch: {message}")


def refused(code, call, **arguments):
    """Asserts that the endpoint refuses a call with this code."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        check(found == code, f"{call.__name__} was refused with {found}, not {code}")
    else:
        sys.exit(f"mismatch: {call.__name__} was not refused with {code}")


def multipart(s3, bucket, data):
    """Part by part with default checksums, then all of it through the managed transfer."""
    key = "rushes/day 1/clip ä+1.mp4"
    upload = s3.create_multipart_upload(
        Bucket=bucket, Key=key, ContentType="video/mp4", Metadata={"camera": "b"}
    )["UploadId"]
    chunks = [data[start : start + PART] for start in range(0, len(data), PART)]
    parts = []
    for number, chunk in reversed(list(enumerate(chunks, 1))):
        part = s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=chunk
        )
        check("ChecksumCRC64NVME" in part, "the answer of a part has no ChecksumCRC64NVME")
        checksums = {name: part[name] for name in part if name.startswith("Checksum")}
        parts.insert(0, {"PartNumber": number, "ETag": part["ETag"], **checksums})

    listed = []
    for page in s3.get_paginator("list_parts").paginate(
        Bucket=bucket, Key=key, UploadId=upload, PaginationConfig={"PageSize": 2}
    ):
        listed += page.get("Parts", [])
    sizes = [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed]
    wanted = [
        (part["PartNumber"], len(chunk), part["ETag"]) for part, chunk in zip(parts, chunks)
    ]
    check(sizes == wanted, f"ListParts answers {sizes}, not {wanted}")

    wrong = [dict(part) for part in parts]
    wrong[0]["ETag"] = '"00000000000000000000000000000000"'
    refused(
        "InvalidPart",
        s3.complete_multipart_upload,
        Bucket=bucket,
        Key=key,
        UploadId=upload,
        MultipartUpload={"Parts": wrong},
    )
    answers = [
        s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
        for _ in range(2)
    ]
    check(answers[0]["ETag"] == answers[1]["ETag"], "a repeated Complete answers another ETag")
    got = s3.get_object(Bucket=bucket, Key=key)
    check(got["Body"].read() == data, "the object is not what was sent")
    check(got["ContentType"] == "video/mp4", f"the content type is {got['ContentType']}")
    check(got["Metadata"] == {"camera": "b"}, f"the metadata is {got['Metadata']}")

    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "managed.bin")
        with open(path, "wb") as file:
            file.write(data)
        s3.upload_file(path, bucket, "managed.bin", Config=config)
        s3.download_file(bucket, "managed.bin", path, Config=config)
        with open(path, "rb") as file:
            check(file.read() == data, "what the managed transfer brought back is not what it sent")
    print("multipart: ok")
    return key


def ranges(s3, bucket, key, data):
    for header, wanted in [
        ("bytes=0-0", data[:1]),
        (f"bytes={PART - 10}-{PART + 9}", data[PART - 10 : PART + 10]),
        ("bytes=-5", data[-5:]),
    ]:
        got = s3.get_object(Bucket=bucket, Key=key, Range=header)
        status = got["ResponseMetadata"]["HTTPStatusCode"]
        check(status == 206, f"a range is answered with {status}")
        check(got["Body"].read() == wanted, f"{header} answers other bytes")
    refused(
        "InvalidRange", s3.get_object, Bucket=bucket, Key=key, Range=f"bytes={len(data)}-"
    )
    print("ranges: ok")


def abort(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="never")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="never", UploadId=upload, PartNumber=1, Body=b"x" * MIB)
    uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    check([u["UploadId"] for u in uploads] == [upload], f"the uploads listed are {uploads}")
    s3.abort_multipart_upload(Bucket=bucket, Key="never", UploadId=upload)
    check("Uploads" not in s3.list_multipart_uploads(Bucket=bucket), "the upload is still listed")
    refused("NoSuchUpload", s3.list_parts, Bucket=bucket, Key="never", UploadId=upload)
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="never")
    print("abort: ok")


def copy_list_delete(s3, bucket, key, data):
    s3.copy_object(Bucket=bucket, Key="copies/one", CopySource={"Bucket": bucket, "Key": key})
    s3.delete_object(Bucket=bucket, Key=key)
    check(
        s3.get_object(Bucket=bucket, Key="copies/one")["Body"].read() == data,
        "the copy does not outlive its source",
    )
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"many/{number}", Body=b"")
    keys, prefixes = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
    ):
        keys += [entry["Key"] for entry in page.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    check(keys == ["managed.bin"], f"the keys listed are {keys}")
    check(prefixes == ["copies/", "many/"], f"the prefixes listed are {prefixes}")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    print("copy, list, delete: ok")


def send(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        # urllib would send a type of its own, which is not what was signed.
        request.add_header("Content-Type", "application/octet-stream")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned(s3, bucket):
    target = {"Bucket": bucket, "Key": "presigned key"}
    put = s3.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
    status, text = send("PUT", put, b"by url")
    check(status == 200, f"a presigned PUT is answered with {status}: {text}")
    get = s3.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
    check(send("GET", get) == (200, b"by url"), "a presigned GET answers something else")
    status, text = send("GET", get.replace("presigned%20key", "managed.bin"))
    check(status == 403, f"a tampered URL is answered with {status}: {text}")
    status, text = send("GET", get.split("?")[0])
    check(status == 403, f"an unsigned request is answered with {status}: {text}")
    print("presigned: ok")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["endpoint", "access-key", "secret-key", "region", "bucket"]:
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    s3 = boto3.client(
        "s3",
        endpoint_url=arguments.endpoint,
        aws_access_key_id=arguments.access_key,
        aws_secret_access_key=arguments.secret_key,
        region_name=arguments.region,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"max_attempts": 1},
        ),
    )
    bucket = arguments.bucket
    data = os.urandom(20 * MIB)
    s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": arguments.region}
    )
    names = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    check(bucket in names, f"the new bucket is not among {names}")
    try:
        key = multipart(s3, bucket, data)
        ranges(s3, bucket, key, data)
        abort(s3, bucket)
        copy_list_delete(s3, bucket, key, data)
        presigned(s3, bucket)
    finally:
        left = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        if left:
            objects = [{"Key": key} for key in left]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
            check("Errors" not in answer, f"objects could not be deleted: {answer}")
        s3.delete_bucket(Bucket=bucket)
    print("all ok")


if __name__ == "__main__":
    main()
