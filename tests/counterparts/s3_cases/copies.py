"""Copies inside the storage: whole objects, and parts of uploads."""

from s3_cases.endpoint import MIB, PART, case, noise, refused, same


def copy(e, source, key, **more):
    source = {"Bucket": e.bucket, "Key": source}
    return e.s3.copy_object(Bucket=e.bucket, Key=key, CopySource=source, **more)


@case
def copy_outlives_its_source(e):
    data = noise(300_000)
    e.put("copied/source", data, ContentType="video/mp4", Metadata={"take": "1"})
    copy(e, "copied/source", "copied/copy")
    e.s3.delete_object(Bucket=e.bucket, Key="copied/source")
    got = e.get("copied/copy")
    same((got["Bytes"], got["ContentType"], got["Metadata"]), (data, "video/mp4", {"take": "1"}))


@case
def copy_crosses_buckets(e):
    bucket = e.new_bucket()
    e.put("here", b"from here")
    source = {"Bucket": e.bucket, "Key": "here"}
    e.s3.copy_object(Bucket=bucket, Key="there", CopySource=source)
    same(e.s3.get_object(Bucket=bucket, Key="there")["Body"].read(), b"from here")
    e.empty(bucket)


@case
def copy_replaces_metadata_only_if_asked(e):
    e.put("source", b"x", ContentType="video/mp4", Metadata={"take": "1"})
    other = {"ContentType": "video/webm", "Metadata": {"take": "2"}}
    copy(e, "source", "copy", **other)
    same(e.head("copy")["Metadata"], {"take": "1"})
    copy(e, "source", "copy", MetadataDirective="REPLACE", **other)
    head = e.head("copy")
    same((head["Metadata"], head["ContentType"]), ({"take": "2"}, "video/webm"))


@case
def copy_onto_itself_must_change_something(e):
    e.put("itself", b"x", Metadata={"take": "1"})
    refused("InvalidRequest", copy, e=e, source="itself", key="itself")
    copy(e, "itself", "itself", MetadataDirective="REPLACE", Metadata={"take": "2"})
    got = e.get("itself")
    same((got["Bytes"], got["Metadata"]), (b"x", {"take": "2"}))


@case
def copy_of_nothing_is_refused(e):
    refused("NoSuchKey", copy, e=e, source="never was", key="copy")
    source = {"Bucket": f"{e.bucket}-nowhere", "Key": "a"}
    refused("NoSuchBucket", e.s3.copy_object, Bucket=e.bucket, Key="copy", CopySource=source)


@case
def copy_is_made_only_if_its_source_is_as_expected(e):
    etag = e.put("source", b"x")["ETag"]
    copy(e, "source", "copy", CopySourceIfMatch=etag)
    wrong = {"e": e, "source": "source", "key": "copy"}
    refused("PreconditionFailed", copy, **wrong, CopySourceIfMatch='"wrong"')
    refused("PreconditionFailed", copy, **wrong, CopySourceIfNoneMatch=etag)


@case
def copy_keeps_the_checksum(e):
    e.put("summed", b"12345", ChecksumAlgorithm="SHA256")
    wanted = e.head("summed", ChecksumMode="ENABLED")["ChecksumSHA256"]
    copy(e, "summed", "summed copy")
    same(e.head("summed copy", ChecksumMode="ENABLED")["ChecksumSHA256"], wanted)


def copied_part(e, upload, number, source, **more):
    source = {"Bucket": e.bucket, "Key": source}
    answer = e.s3.upload_part_copy(**upload, PartNumber=number, CopySource=source, **more)
    return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}


@case
def parts_are_copied_from_objects(e):
    data = noise(2 * PART + 100)
    e.put("rushes", data)
    upload = e.begin("assembled")
    parts = [
        copied_part(e, upload, 1, "rushes", CopySourceRange=f"bytes=10-{PART + 20}"),
        copied_part(e, upload, 2, "rushes"),
        e.part(upload, 3, b"the end"),
    ]
    listed = e.s3.list_parts(**upload)["Parts"]
    same([part["Size"] for part in listed], [PART + 11, len(data), 7])
    # What was copied no longer depends on where it came from.
    e.s3.delete_object(Bucket=e.bucket, Key="rushes")
    e.complete(upload, parts)
    got = e.get("assembled")["Bytes"]
    assert got == data[10 : PART + 21] + data + b"the end", "the object is not what was copied"


@case
def parts_are_copied_across_the_parts_of_their_source(e):
    first, again, last = noise(PART), noise(PART, 2), noise(MIB, 3)
    upload = e.begin("in pieces")
    e.part(upload, 1, first)
    end = e.part(upload, 2, last)
    e.complete(upload, [e.part(upload, 1, again), end])
    copy_of = e.begin("copied pieces")
    where = f"bytes={PART - 1000}-{PART + 999}"
    part = copied_part(e, copy_of, 1, "in pieces", CopySourceRange=where)
    e.complete(copy_of, [part])
    same(e.get("copied pieces")["Bytes"], again[-1000:] + last[:1000])


@case
def parts_can_be_replaced_by_copies(e):
    e.put("replacement", noise(PART, 9))
    upload = e.begin("replaced")
    e.part(upload, 1, noise(PART))
    parts = [copied_part(e, upload, 1, "replacement"), e.part(upload, 2, b"x")]
    e.complete(upload, parts)
    same(e.get("replaced")["Bytes"], noise(PART, 9) + b"x")


@case
def parts_that_cannot_be_copied_are_refused(e):
    etag = e.put("ranged", noise(1000))["ETag"]
    upload = e.begin("target")
    wrong = {"e": e, "upload": upload, "number": 1}
    refused(
        ("InvalidRange", "InvalidArgument"),
        copied_part, **wrong, source="ranged", CopySourceRange="bytes=0-1000",
    )
    for nonsense in ["bytes=5-2", "0-5", "bytes=-5", "bytes=5-"]:
        refused(
            ("InvalidArgument", "InvalidRange"),
            copied_part, **wrong, source="ranged", CopySourceRange=nonsense,
        )
    refused("NoSuchKey", copied_part, **wrong, source="never was")
    refused("PreconditionFailed", copied_part, **wrong, source="ranged", CopySourceIfNoneMatch=etag)
    gone = {**upload, "UploadId": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    refused("NoSuchUpload", copied_part, e=e, upload=gone, number=1, source="ranged")
    same(e.s3.list_parts(**upload).get("Parts", []), [])
    e.s3.abort_multipart_upload(**upload)
