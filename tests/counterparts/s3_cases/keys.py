"""Keys are bytes with a length: nothing in them means anything."""

from s3_cases.endpoint import case, refused, same

ODD = [
    "../../../escaped",
    "a/../b",
    "./here",
    "..",
    "two//slashes",
    "/leading",
    "trailing/",
    "//",
    "ä ö ü/日本語 🎬.mov",
    "e\u0301 is not \u00e9",
    "100%25.mp4",
    "a%2Fb",
    "a%2fb",
    "plus+and space",
    "a&b=c?d#e;f:g@h,i$j!k*l'm(n)o",
    "quote\"<tag>&amp;\\back",
    "tab\tin it",
    "[brackets]{braces}|^`~",
]


@case
def keys_of_every_kind_are_kept_apart(e):
    prefix = "odd/"
    for number, key in enumerate(ODD):
        e.put(prefix + key, f"{number}".encode())
    for number, key in enumerate(ODD):
        same(e.get(prefix + key)["Bytes"], f"{number}".encode(), repr(key))
    listed = e.s3.list_objects_v2(Bucket=e.bucket, Prefix=prefix)
    found = [entry["Key"] for entry in listed["Contents"]]
    same(found, sorted((prefix + key for key in ODD), key=lambda key: key.encode()))
    for key in ODD:
        source = {"Bucket": e.bucket, "Key": prefix + key}
        e.s3.copy_object(Bucket=e.bucket, Key="odd copy", CopySource=source)
        e.s3.delete_object(Bucket=e.bucket, Key=prefix + key)
    same(e.s3.list_objects_v2(Bucket=e.bucket, Prefix=prefix)["KeyCount"], 0)


@case
def keys_of_every_kind_can_begin_an_object(e):
    for number, key in enumerate(ODD):
        bucket = e.new_bucket()
        e.s3.put_object(Bucket=bucket, Key=key, Body=f"{number}".encode())
        same([entry["Key"] for entry in e.s3.list_objects_v2(Bucket=bucket)["Contents"]], [key])
        upload = e.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        upload = {"Bucket": bucket, "Key": key, "UploadId": upload}
        part = e.part(upload, 1, f"part {number}".encode())
        e.complete(upload, [part])
        same(e.s3.get_object(Bucket=bucket, Key=key)["Body"].read(), f"part {number}".encode())
        e.empty(bucket)


@case
def keys_have_at_most_1024_bytes(e):
    for longest in ["x" * 1024, "ä" * 512]:
        e.put(longest, b"long")
        same(e.get(longest)["Bytes"], b"long")
    for longer in ["x" * 1025, "ä" * 512 + "x"]:
        refused("KeyTooLongError", e.put, key=longer, body=b"longer")
        refused("KeyTooLongError", e.begin, key=longer)
