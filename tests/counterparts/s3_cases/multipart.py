"""Multipart uploads."""

from s3_cases.endpoint import MIB, PART, case, noise, refused, same


def held(e, upload, **more):
    """The number and size of every part that an upload holds."""
    found = e.s3.list_parts(**upload, **more)
    return [(part["PartNumber"], part["Size"]) for part in found.get("Parts", [])]


@case
def upload_of_parts_in_any_order_is_one_object(e):
    data = noise(3 * PART + 77)
    upload = e.begin("film.mov", ContentType="video/quicktime", Metadata={"camera": "b"})
    chunks = [data[start : start + PART] for start in range(0, len(data), PART)]
    parts = [e.part(upload, number, chunks[number - 1]) for number in [4, 2, 1, 3]]
    parts.sort(key=lambda part: part["PartNumber"])
    done = e.complete(upload, parts)
    got = e.get("film.mov")
    assert got["Bytes"] == data, "the object is not what was sent"
    same(got["ETag"], done["ETag"])
    assert done["ETag"].endswith('-4"'), done["ETag"]
    same((got["ContentType"], got["Metadata"]), ("video/quicktime", {"camera": "b"}))
    refused("NoSuchUpload", e.s3.list_parts, **upload)


@case
def upload_lists_its_parts_in_pages(e):
    upload = e.begin("listed")
    sent = {number: e.part(upload, number, noise(100 + number)) for number in [9, 3, 6, 12, 1]}
    listed = []
    pages = e.s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})
    for page in pages:
        assert len(page["Parts"]) <= 2
        listed += page["Parts"]
    same(
        [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed],
        [(number, 100 + number, sent[number]["ETag"]) for number in sorted(sent)],
    )
    e.s3.abort_multipart_upload(**upload)


@case
def upload_with_a_wrong_list_is_refused_and_kept(e):
    upload = e.begin("kept")
    parts = [e.part(upload, 1, noise(PART)), e.part(upload, 2, noise(50, 2))]
    wrong = [{**parts[0], "ETag": '"00000000000000000000000000000000"'}, parts[1]]
    refused("InvalidPart", e.complete, upload=upload, parts=wrong)
    refused("InvalidPartOrder", e.complete, upload=upload, parts=parts[::-1])
    missing = [parts[0], {**parts[1], "PartNumber": 3}]
    refused("InvalidPart", e.complete, upload=upload, parts=missing)
    refused("MalformedXML", e.complete, upload=upload, parts=[])
    refused("NoSuchKey", e.get, key="kept")
    same(held(e, upload), [(1, PART), (2, 50)])
    e.complete(upload, parts)
    same(e.get("kept")["Bytes"], noise(PART) + noise(50, 2))


@case
def upload_of_small_parts_is_refused_and_kept(e):
    upload = e.begin("small")
    parts = [e.part(upload, 1, noise(PART - 1)), e.part(upload, 2, noise(50, 2))]
    refused("EntityTooSmall", e.complete, upload=upload, parts=parts)
    same(held(e, upload), [(1, PART - 1), (2, 50)])
    parts[0] = e.part(upload, 1, noise(PART))
    e.complete(upload, parts)
    same(e.head("small")["ContentLength"], PART + 50)


@case
def upload_takes_the_part_that_was_sent_last(e):
    upload = e.begin("again")
    old = e.part(upload, 1, noise(PART))
    new = e.part(upload, 1, noise(PART, 2))
    last = e.part(upload, 2, b"end")
    refused("InvalidPart", e.complete, upload=upload, parts=[old, last])
    e.complete(upload, [new, last])
    same(e.get("again")["Bytes"], noise(PART, 2) + b"end")


@case
def upload_may_leave_parts_and_numbers_out(e):
    upload = e.begin("gaps")
    parts = [e.part(upload, number, noise(PART, number)) for number in [2, 5, 10_000]]
    e.complete(upload, [parts[0], parts[2]])
    same(e.get("gaps")["Bytes"], noise(PART, 2) + noise(PART, 10_000))


@case
def upload_knows_part_numbers_to_ten_thousand(e):
    upload = e.begin("numbers")
    for number in [0, 10_001, -1]:
        refused("InvalidArgument", e.part, upload=upload, number=number, body=b"x")
    e.s3.abort_multipart_upload(**upload)


@case
def upload_completed_twice_answers_the_same(e):
    upload = e.begin("twice")
    parts = [e.part(upload, 1, b"all of it")]
    first = e.complete(upload, parts)
    same(e.complete(upload, parts)["ETag"], first["ETag"])


@case
def upload_that_is_aborted_is_gone(e):
    upload = e.begin("aborted")
    part = e.part(upload, 1, noise(MIB))
    e.s3.abort_multipart_upload(**upload)
    refused("NoSuchUpload", e.s3.list_parts, **upload)
    refused("NoSuchUpload", e.part, upload=upload, number=2, body=b"x")
    refused("NoSuchUpload", e.complete, upload=upload, parts=[part])
    refused("NoSuchUpload", e.s3.abort_multipart_upload, **upload)
    refused("NoSuchKey", e.get, key="aborted")


@case
def upload_that_never_was_is_refused(e):
    for invented in ["nonsense", "../../x", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]:
        upload = {"Bucket": e.bucket, "Key": "never", "UploadId": invented}
        refused("NoSuchUpload", e.s3.list_parts, **upload)
        refused("NoSuchUpload", e.part, upload=upload, number=1, body=b"x")


@case
def uploads_are_listed_by_prefix_in_pages(e):
    bucket = e.new_bucket()
    begun = []
    for key in ["l/a", "l/a", "l/b", "l/c/1", "l/c/2", "z"]:
        upload = e.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        begun.append((key, upload))
    for size in [1, 2, 1000]:
        found = []
        pages = e.s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, Prefix="l/", PaginationConfig={"PageSize": size}
        )
        for page in pages:
            found += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", [])]
        same(sorted(found), sorted(begun[:5]), f"uploads by {size}")
    found, prefixes = [], []
    pages = e.s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, Prefix="l/", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    for page in pages:
        found += [u["Key"] for u in page.get("Uploads", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    same((found, prefixes), (["l/a", "l/a", "l/b"], ["l/c/"]))
    e.empty(bucket)


@case
def parts_of_an_object_can_be_read_by_number(e):
    chunks = [noise(PART), noise(PART + 9, 2), noise(11, 3)]
    upload = e.begin("numbered")
    e.complete(upload, [e.part(upload, n, chunk) for n, chunk in enumerate(chunks, 1)])
    start, size = 0, sum(map(len, chunks))
    for number, chunk in enumerate(chunks, 1):
        where = f"bytes {start}-{start + len(chunk) - 1}/{size}"
        got = e.get("numbered", PartNumber=number)
        assert got["Bytes"] == chunk, f"part {number} answers other bytes"
        for found in [got, e.head("numbered", PartNumber=number)]:
            same(found["ResponseMetadata"]["HTTPStatusCode"], 206)
            same((found["PartsCount"], found["ContentRange"]), (3, where))
            same(found["ContentLength"], len(chunk))
        start += len(chunk)
    refused(416, e.get, key="numbered", PartNumber=4)
    refused(416, e.head, key="numbered", PartNumber=4)


@case
def whole_object_is_its_own_first_part(e):
    e.put("unparted", b"12345")
    same(e.get("unparted", PartNumber=1)["Bytes"], b"12345")
    assert "PartsCount" not in e.head("unparted", PartNumber=1)
    refused(416, e.get, key="unparted", PartNumber=2)
