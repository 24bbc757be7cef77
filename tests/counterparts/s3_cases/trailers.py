"""A PUT in chunks whose checksum follows its bytes, as newer SDKs send it."""

import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from s3_cases.endpoint import send

PAYLOAD = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNK = 65536


class Signer(SigV4Auth):
    """Signs for a payload that is not hashed."""

    def payload(self, _):
        return PAYLOAD


def put(e, key, data, algorithm, checksum):
    """The status and the code of the refusal, if it is one."""
    name = f"x-amz-checksum-{algorithm.lower()}"
    pieces = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    body += b"0\r\n%b:%b\r\n\r\n" % (name.encode(), checksum.encode())
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": PAYLOAD,
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": name,
        "x-amz-sdk-checksum-algorithm": algorithm,
    }
    request = AWSRequest("PUT", f"{e.url}/{e.bucket}/{key}", headers, body)
    Signer(Credentials(e.access_key, e.secret_key), "s3", e.region).add_auth(request)
    status, _, answer = send("PUT", request.url, body, dict(request.headers))
    code = re.search(rb"<Code>(\w+)</Code>", answer)
    return status, code and code[1].decode()
