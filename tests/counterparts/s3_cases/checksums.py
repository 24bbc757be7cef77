"""Checksums: computed by the client, checked and kept by the storage."""

import base64
import hashlib
import zlib

from s3_cases import signed
from s3_cases.endpoint import PART, case, noise, refused, same


def reflected_crc(polynomial, width):
    """A CRC of reflected bits, which starts and ends with all of them turned."""
    table, ones = [], (1 << width) - 1
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)

    def of(data):
        crc = ones
        for byte in data:
            crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
        return (crc ^ ones).to_bytes(width // 8, "big")

    return of


DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": reflected_crc(0x82F63B78, 32),
    "CRC64NVME": reflected_crc(0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


def text(algorithm, data):
    return base64.b64encode(DIGESTS[algorithm](data)).decode()


def of_each(check):
    for algorithm in DIGESTS:
        check(algorithm, f"Checksum{algorithm}")


@case
def checksum_of_an_object_is_checked_and_kept(e):
    data = noise(30_000)

    def check(algorithm, field):
        key, right = f"sums/{algorithm}", text(algorithm, data)
        refused(
            ("BadDigest", "InvalidDigest"),
            e.put, key=key, body=data, **{field: text(algorithm, b"something else")},
        )
        refused("NoSuchKey", e.get, key=key)
        same(e.put(key, data, **{field: right})[field], right)
        for found in [e.head(key, ChecksumMode="ENABLED"), e.get(key, ChecksumMode="ENABLED")]:
            same((found[field], found["ChecksumType"]), (right, "FULL_OBJECT"), algorithm)

    of_each(check)


@case
def checksum_that_cannot_be_one_is_refused(e):
    def check(algorithm, field):
        for nonsense in ["short", "AAAA", "!"]:
            refused(400, e.put, key="nonsense", body=b"x", **{field: nonsense})

    of_each(check)
    refused("NoSuchKey", e.get, key="nonsense")


@case
def checksum_of_a_part_is_checked_and_kept(e):
    data = noise(20_000)

    def check(algorithm, field):
        upload = e.begin(f"part sums/{algorithm}", ChecksumAlgorithm=algorithm)
        wrong = {field: text(algorithm, b"something else")}
        refused(
            ("BadDigest", "InvalidDigest"), e.part, upload=upload, number=1, body=data, **wrong
        )
        same(e.s3.list_parts(**upload).get("Parts", []), [])
        right = {field: text(algorithm, data)}
        part = e.part(upload, 1, data, **right)
        listed = e.s3.list_parts(**upload)
        same(listed["Parts"][0][field], right[field])
        refused("InvalidPart", e.complete, upload=upload, parts=[{**part, **wrong}])
        e.complete(upload, [part])

    of_each(check)


@case
def checksum_of_a_whole_upload_is_checked(e):
    chunks = [noise(PART), noise(1000, 2)]
    whole = b"".join(chunks)
    # The others take this client minutes.
    upload = e.begin("whole sum", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [
        e.part(upload, number, chunk, ChecksumCRC32=text("CRC32", chunk))
        for number, chunk in enumerate(chunks, 1)
    ]
    wrong = {"ChecksumCRC32": text("CRC32", b"x"), "ChecksumType": "FULL_OBJECT"}
    refused(("BadDigest", "InvalidDigest"), e.complete, upload=upload, parts=parts, **wrong)
    right = {"ChecksumCRC32": text("CRC32", whole), "ChecksumType": "FULL_OBJECT"}
    e.complete(upload, parts, **right)
    assert e.get("whole sum")["Bytes"] == whole


@case
def checksum_of_checksums_is_checked(e):
    chunks = [noise(PART), noise(1000, 2)]
    for algorithm in ["SHA256", "SHA1", "CRC32"]:
        field = f"Checksum{algorithm}"
        upload = e.begin(f"composite {algorithm}", ChecksumAlgorithm=algorithm)
        parts = [
            e.part(upload, number, chunk, **{field: text(algorithm, chunk)})
            for number, chunk in enumerate(chunks, 1)
        ]
        digests = b"".join(DIGESTS[algorithm](chunk) for chunk in chunks)
        wrong = {field: f"{text(algorithm, digests + b'x')}-2"}
        refused(("BadDigest", "InvalidDigest"), e.complete, upload=upload, parts=parts, **wrong)
        e.complete(upload, parts, **{field: f"{text(algorithm, digests)}-2"})


@case
def checksum_of_a_payload_is_part_of_the_signature(e):
    payload = hashlib.sha256(b"something else").hexdigest()
    status, code = signed.put(e, "forged", b"x", {}, payload)
    assert status in (400, 403), (status, code)
    refused("NoSuchKey", e.get, key="forged")
    payload = hashlib.sha256(b"x").hexdigest()
    same(signed.put(e, "forged", b"x", {}, payload), (200, None))


@case
def checksum_comes_in_a_trailer(e):
    data = noise(200_000)
    for algorithm in DIGESTS:
        right = text(algorithm, data)
        key = f"trailer/{algorithm}"
        same(signed.put_in_chunks(e, key, data, algorithm, right), (200, None), algorithm)
        same(e.get(key)["Bytes"], data, key)
        wrong = text(algorithm, b"something else")
        status, code = signed.put_in_chunks(e, f"{key}/wrong", data, algorithm, wrong)
        assert status == 400 and code in ("BadDigest", "InvalidDigest"), (status, code)
