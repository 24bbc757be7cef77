"""Pieces of objects, by range."""

from s3_cases.endpoint import case, noise, refused, same

LENGTH = 3_000_000
RANGES = {
    "bytes=0-0": (0, 1),
    "bytes=1048570-1048585": (1_048_570, 1_048_586),
    "bytes=2999990-": (2_999_990, LENGTH),
    "bytes=2999990-9999999": (2_999_990, LENGTH),
    "bytes=-7": (LENGTH - 7, LENGTH),
    "bytes=-9999999": (0, LENGTH),
    "bytes=0-": (0, LENGTH),
}


@case
def range_of_any_form_answers_its_bytes(e):
    data = noise(LENGTH)
    e.put("ranges", data)
    for header, (first, end) in RANGES.items():
        got = e.get("ranges", Range=header)
        same(got["ResponseMetadata"]["HTTPStatusCode"], 206, header)
        same(got["ContentRange"], f"bytes {first}-{end - 1}/{LENGTH}", header)
        same(got["ContentLength"], end - first, header)
        assert got["Bytes"] == data[first:end], f"{header} answers other bytes"


@case
def range_of_a_head_answers_its_length(e):
    e.put("ranged head", noise(1000))
    head = e.head("ranged head", Range="bytes=10-19")
    same(head["ResponseMetadata"]["HTTPStatusCode"], 206)
    same((head["ContentLength"], head["ContentRange"]), (10, "bytes 10-19/1000"))


@case
def range_beyond_the_end_cannot_be_satisfied(e):
    e.put("ranges", noise(1000))
    for header in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"]:
        refused("InvalidRange", e.get, key="ranges", Range=header)
    refused(416, e.head, key="ranges", Range="bytes=1000-")
    e.put("empty range", b"")
    refused("InvalidRange", e.get, key="empty range", Range="bytes=0-")


@case
def range_that_is_none_is_as_if_it_was_not_said(e):
    data = noise(1000)
    e.put("no range", data)
    for header in ["bytes=5-2", "lines=1-2", "bytes=abc", "bytes=0-1,5-6"]:
        got = e.get("no range", Range=header)
        same(got["ResponseMetadata"]["HTTPStatusCode"], 200, header)
        same(got["Bytes"], data, header)


@case
def range_crosses_the_parts_of_an_upload(e):
    first, again, last = noise(5 << 20), noise(5 << 20, 2), noise(1000, 3)
    upload = e.begin("crossed")
    parts = [e.part(upload, 1, first), e.part(upload, 2, last)]
    parts[0] = e.part(upload, 1, again)
    e.complete(upload, parts)
    got = e.get("crossed", Range=f"bytes={(5 << 20) - 10}-{(5 << 20) + 9}")
    same(got["Bytes"], again[-10:] + last[:10])
    same(e.get("crossed", Range="bytes=-1005")["Bytes"], again[-5:] + last)
