"""PUTs that no client makes by itself: signed here, for whatever they claim."""

import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from s3_cases.endpoint import send

TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNK = 65536


def put(e, key, body, headers, payload, region=None, moment=None):
    """The status and the code of the refusal, if it is one. `payload` is what is said to be sent."""

    class Signer(SigV4Auth):
        def payload(self, _):
            return payload

    url = f"{e.url}/{e.bucket}/{key.replace(' ', '%20')}"
    headers = {
        "Content-Type": "application/octet-stream",
        "x-amz-content-sha256": payload,
        **headers,
    }
    request = AWSRequest("PUT", url, headers, body)
    signer = Signer(Credentials(e.access_key, e.secret_key), "s3", region or e.region)
    if moment is None:
        signer.add_auth(request)
    else:
        timestamp = moment.strftime("%Y%m%dT%H%M%SZ")
        request.context["timestamp"] = request.headers["X-Amz-Date"] = timestamp
        text = signer.string_to_sign(request, signer.canonical_request(request))
        signer._inject_signature_to_request(request, signer.signature(text, request))
    status, _, answer = send("PUT", url, body, dict(request.headers))
    code = re.search(rb"<Code>(\w+)</Code>", answer)
    return status, code and code[1].decode()


def put_in_chunks(e, key, data, algorithm, checksum):
    """A PUT whose checksum follows its bytes, as newer SDKs send it."""
    name = f"x-amz-checksum-{algorithm.lower()}"
    pieces = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    body += b"0\r\n%b:%b\r\n\r\n" % (name.encode(), checksum.encode())
    headers = {
        "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": name,
        "x-amz-sdk-checksum-algorithm": algorithm,
    }
    return put(e, key, body, headers, TRAILER)
