"""What a web page needs: Uppy, for one, sends presigned parts and reads their entity tags."""

from s3_cases.endpoint import PART, case, noise, same, send

ORIGIN = "https://team.example"
RULES = {
    "CORSRules": [
        {
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD", "PUT", "POST", "DELETE"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha256"],
        }
    ]
}


def allowing(e):
    """Where pages are not let in by themselves, they are allowed in."""
    try:
        e.s3.put_bucket_cors(Bucket=e.bucket, CORSConfiguration=RULES)
    except e.s3.exceptions.ClientError as error:
        same(error.response["Error"]["Code"], "NotImplemented")


def preflight(url, method, headers):
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    status, answered, _ = send("OPTIONS", url, headers=asked)
    assert status in (200, 204), status
    assert answered["Access-Control-Allow-Origin"] in ("*", ORIGIN), answered.items()
    methods = answered["Access-Control-Allow-Methods"] or ""
    assert "*" in methods or method in methods, methods
    allowed = (answered["Access-Control-Allow-Headers"] or "").lower()
    for name in headers.split(","):
        assert "*" in allowed or name.strip() in allowed, allowed
    return answered


@case
def browser_sends_an_upload_in_parts(e):
    allowing(e)
    upload = e.begin("from a page", ContentType="video/mp4")
    parts = []
    for number, chunk in enumerate([noise(PART), b"the end"], 1):
        url = e.presign("upload_part", **upload, PartNumber=number)
        preflight(url, "PUT", "content-type")
        status, headers, _ = send("PUT", url, chunk, {"Origin": ORIGIN})
        same(status, 200)
        exposed = (headers["Access-Control-Expose-Headers"] or "").lower()
        assert "etag" in exposed, exposed
        assert "x-amz-checksum-crc64nvme" in exposed and "sha256" in exposed, exposed
        parts.append({"PartNumber": number, "ETag": headers["ETag"]})
    e.complete(upload, parts)
    assert e.get("from a page")["Bytes"] == noise(PART) + b"the end"


@case
def browser_asks_before_every_method(e):
    allowing(e)
    url = f"{e.url}/{e.bucket}/asked"
    for method in ["GET", "PUT", "POST", "DELETE", "HEAD"]:
        preflight(url, method, "content-type,x-amz-date,x-amz-checksum-sha256,authorization")


@case
def browser_can_read_why_it_was_refused(e):
    allowing(e)
    status, headers, text = send("GET", f"{e.url}/{e.bucket}/asked", headers={"Origin": ORIGIN})
    same(status, 403)
    assert headers["Access-Control-Allow-Origin"] in ("*", ORIGIN), headers.items()
    assert b"<Code>AccessDenied</Code>" in text, text
