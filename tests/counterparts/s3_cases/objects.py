"""Whole objects: put, read, replaced, deleted, with all that is kept beside their bytes."""

import base64
import datetime
import hashlib

from s3_cases.endpoint import case, noise, refused, same


@case
def object_is_put_read_replaced_and_deleted(e):
    first, second = noise(70_000), noise(3_000, 2)
    etag = e.put("object", first)["ETag"]
    got = e.get("object")
    same((got["Bytes"], got["ETag"], got["ContentLength"]), (first, etag, 70_000))
    head = e.head("object")
    same((head["ETag"], head["ContentLength"]), (etag, 70_000))
    assert e.put("object", second)["ETag"] != etag
    same(e.get("object")["Bytes"], second)
    e.s3.delete_object(Bucket=e.bucket, Key="object")
    refused("NoSuchKey", e.get, key="object")
    refused(404, e.head, key="object")


@case
def object_may_be_empty(e):
    e.put("empty", b"")
    same(e.get("empty")["Bytes"], b"")
    same(e.head("empty")["ContentLength"], 0)


@case
def object_that_is_not_there_can_be_deleted(e):
    answer = e.s3.delete_object(Bucket=e.bucket, Key="never was")
    same(answer["ResponseMetadata"]["HTTPStatusCode"], 204)


@case
def object_keeps_its_headers(e):
    headers = {
        "ContentType": "video/quicktime",
        "ContentDisposition": "attachment; filename=\"a b.mov\"",
        "CacheControl": "private, max-age=60",
        "ContentLanguage": "de",
        "ContentEncoding": "gzip",
        "Expires": datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
    }
    e.put("headers", b"x", **headers)
    for found in [e.head("headers"), e.get("headers")]:
        same({name: found[name] for name in headers}, headers)


@case
def object_keeps_its_metadata(e):
    metadata = {"camera": "B", "reel-name": "A001 C002", "empty": ""}
    e.put("metadata", b"x", Metadata=metadata)
    same(e.head("metadata")["Metadata"], metadata)
    same(e.get("metadata")["Metadata"], metadata)


@case
def object_cannot_have_much_metadata(e):
    refused("MetadataTooLarge", e.put, key="heavy", body=b"x", Metadata={"a": "x" * 2100})


@case
def object_of_no_type_has_the_usual_one(e):
    e.put("typeless", b"x")
    same(e.head("typeless")["ContentType"], "binary/octet-stream")


@case
def object_put_with_the_wrong_md5_is_refused(e):
    md5 = base64.b64encode(hashlib.md5(b"something else").digest()).decode()
    refused(("BadDigest", "InvalidDigest"), e.put, key="md5", body=b"x", ContentMD5=md5)
    refused("NoSuchKey", e.get, key="md5")
    md5 = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    e.put("md5", b"x", ContentMD5=md5)
    refused("InvalidDigest", e.put, key="md5", body=b"x", ContentMD5="short")


@case
def objects_are_deleted_many_at_once(e):
    keys = [f"bulk/{number} ä&<" for number in range(12)]
    for key in keys:
        e.put(key, b"x")
    wanted = [{"Key": key} for key in [*keys[:10], "bulk/never was"]]
    answer = e.s3.delete_objects(Bucket=e.bucket, Delete={"Objects": wanted})
    same(answer.get("Errors", []), [])
    same(sorted(entry["Key"] for entry in answer["Deleted"]), sorted(w["Key"] for w in wanted))
    left = e.s3.list_objects_v2(Bucket=e.bucket, Prefix="bulk/")
    same([entry["Key"] for entry in left["Contents"]], sorted(keys[10:]))
    quiet = {"Objects": [{"Key": key} for key in keys[10:]], "Quiet": True}
    answer = e.s3.delete_objects(Bucket=e.bucket, Delete=quiet)
    assert "Deleted" not in answer and "Errors" not in answer, answer
    same(e.s3.list_objects_v2(Bucket=e.bucket, Prefix="bulk/")["KeyCount"], 0)


@case
def objects_are_not_deleted_by_an_empty_or_endless_list(e):
    refused("MalformedXML", e.s3.delete_objects, Bucket=e.bucket, Delete={"Objects": []})
    many = [{"Key": str(number)} for number in range(1001)]
    refused("MalformedXML", e.s3.delete_objects, Bucket=e.bucket, Delete={"Objects": many})


@case
def object_tells_its_attributes(e):
    etag = e.put("attributes", b"12345")["ETag"]
    found = e.s3.get_object_attributes(
        Bucket=e.bucket, Key="attributes", ObjectAttributes=["ETag", "ObjectSize", "StorageClass"]
    )
    same((found["ETag"].strip('"'), found["ObjectSize"]), (etag.strip('"'), 5))
