"""What an S3 endpoint has to do, as a table of named cases. Each module adds its own."""

from s3_cases.endpoint import CASES, Endpoint  # noqa: F401
from s3_cases import (  # noqa: F401
    browsers,
    buckets,
    checksums,
    command_lines,
    conditions,
    copies,
    keys,
    listing,
    multipart,
    objects,
    presigned,
    ranges,
)
