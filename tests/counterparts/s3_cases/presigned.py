"""Addresses that carry their own permission, and signatures that are not right."""

import datetime
import time

from s3_cases import signed
from s3_cases.endpoint import PART, case, noise, refused, same, send


def status(method, url, body=None, headers=None):
    answer = send(method, url, body, headers)
    return answer[0], answer[2][:400]


def denied(method, url, body=None, headers=None):
    found = status(method, url, body, headers)
    assert found[0] == 403, f"{method} is answered with {found}"


@case
def presigned_put_get_head_and_delete(e):
    key = "by address/ä b+c.mov"
    same(status("PUT", e.presign("put_object", Key=key), b"by address")[0], 200)
    got = send("GET", e.presign("get_object", Key=key))
    same((got[0], got[2]), (200, b"by address"))
    got = send("GET", e.presign("get_object", Key=key), headers={"Range": "bytes=3-5"})
    same((got[0], got[2]), (206, b"add"))
    head = send("HEAD", e.presign("head_object", Key=key))
    same((head[0], head[1]["Content-Length"]), (200, "10"))
    same(status("DELETE", e.presign("delete_object", Key=key))[0], 204)
    same(send("GET", e.presign("get_object", Key=key))[0], 404)


@case
def presigned_upload_from_begin_to_end(e):
    upload = e.begin("parts by address")
    chunks, parts = [noise(PART), b"the end"], []
    for number, chunk in enumerate(chunks, 1):
        url = e.presign("upload_part", **upload, PartNumber=number)
        answer = send("PUT", url, chunk)
        same(answer[0], 200)
        parts.append({"PartNumber": number, "ETag": answer[1]["ETag"]})
    listed = send("GET", e.presign("list_parts", **upload))
    assert listed[0] == 200 and listed[2].count(b"<PartNumber>") == 2, listed
    e.complete(upload, parts)
    assert e.get("parts by address")["Bytes"] == b"".join(chunks)


@case
def presigned_address_says_how_to_answer(e):
    e.put("answered", b"x", ContentType="video/mp4")
    url = e.presign(
        "get_object",
        Key="answered",
        ResponseContentType="text/plain",
        ResponseContentDisposition="attachment; filename=\"ä b.mov\"",
        ResponseCacheControl="no-store",
    )
    _, headers, _ = send("GET", url)
    same((headers["Content-Type"], headers["Cache-Control"]), ("text/plain", "no-store"))
    assert headers["Content-Disposition"].startswith("attachment"), headers.items()


@case
def presigned_address_expires(e):
    e.put("expiring", b"x")
    upload = e.begin("expiring upload")
    urls = {
        "GET": e.presign("get_object", seconds=1, Key="expiring"),
        "HEAD": e.presign("head_object", seconds=1, Key="expiring"),
        "PUT": e.presign("upload_part", seconds=1, **upload, PartNumber=1),
        "DELETE": e.presign("delete_object", seconds=1, Key="expiring"),
    }
    time.sleep(2.5)
    for method, url in urls.items():
        found, text = status(method, url, b"x" if method == "PUT" else None)
        same(found, 403, f"an expired {method}: {text}")
        assert method == "HEAD" or b"<Code>AccessDenied</Code>" in text, text
    same(e.get("expiring")["Bytes"], b"x")
    e.s3.abort_multipart_upload(**upload)


@case
def presigned_address_is_good_for_what_it_says_only(e):
    e.put("public", b"public")
    e.put("private", b"private")
    get = e.presign("get_object", Key="public")
    upload = e.begin("public upload")
    part = e.presign("upload_part", **upload, PartNumber=1)
    denied("GET", get.replace("/public?", "/private?"))
    denied("GET", get.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))
    denied("GET", get + "&response-content-type=text%2Fhtml")
    denied("PUT", get, b"x")
    denied("DELETE", get)
    denied("PUT", part.replace("partNumber=1", "partNumber=2"), b"x")
    denied("PUT", part.replace("public%20upload", "private"), b"x")
    last = get[-1]
    denied("GET", get[:-1] + ("0" if last != "0" else "1"))
    same(e.get("public")["Bytes"], b"public")
    e.s3.abort_multipart_upload(**upload)


@case
def presigned_length_and_checksum_are_binding(e):
    put = e.presign("put_object", Key="bound", ContentLength=5)
    denied("PUT", put, b"longer than that")
    same(status("PUT", put, b"12345")[0], 200)
    checksum = "NSRBwg=="  # of other bytes than these
    url = e.presign("put_object", Key="wrong sum", ChecksumCRC32=checksum)
    found, text = status("PUT", url, b"a", {"x-amz-checksum-crc32": checksum})
    assert found == 400, (found, text)
    refused("NoSuchKey", e.get, key="wrong sum")


@case
def presigned_put_cannot_be_made_a_copy(e):
    e.put("secret", b"secret")
    url = e.presign("put_object", Key="mine")
    found, text = status("PUT", url, b"", {"x-amz-copy-source": f"/{e.bucket}/secret"})
    assert found in (400, 403), (found, text)
    refused("NoSuchKey", e.get, key="mine")


@case
def unsigned_requests_are_refused(e):
    e.put("closed", b"x")
    for method, body in [("GET", None), ("HEAD", None), ("PUT", b"x"), ("DELETE", None)]:
        denied(method, f"{e.url}/{e.bucket}/closed", body)
    denied("GET", f"{e.url}/{e.bucket}")
    denied("GET", f"{e.url}/")


@case
def signatures_for_another_region_are_refused(e):
    wrong = e.client(region_name="mars-north-1")
    url = e.presign("get_object", client=wrong, Key="regional")
    e.put("regional", b"x")
    found, text = status("GET", url)
    assert found in (400, 403), (found, text)
    assert b"Malformed" in text or b"AuthorizationQueryParametersError" in text, text
    found = signed.put(e, "regional", b"x", {}, "UNSIGNED-PAYLOAD", region="mars-north-1")
    assert found in [(400, "AuthorizationHeaderMalformed"), (403, "AccessDenied")], found


@case
def signatures_of_strangers_are_refused(e):
    e.put("owned", b"x")
    target = {"Bucket": e.bucket, "Key": "owned"}
    stranger = e.client(aws_access_key_id="GK00000000000000000000000")
    refused(("InvalidAccessKeyId", "AccessDenied"), stranger.get_object, **target)
    liar = e.client(aws_secret_access_key="0" * 64)
    refused(("SignatureDoesNotMatch", "AccessDenied"), liar.get_object, **target)


@case
def signatures_of_another_hour_are_refused(e):
    hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    found, code = signed.put(e, "late", b"x", {}, "UNSIGNED-PAYLOAD", moment=hour_ago)
    assert found == 403, (found, code)
    refused("NoSuchKey", e.get, key="late")
