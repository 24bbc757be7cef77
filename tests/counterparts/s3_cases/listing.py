"""Pages of keys, in both versions of the call."""

from s3_cases.endpoint import case, same

KEYS = ["a.txt", "b/1", "b/2", "b/c/3", "d/4", "e.txt", "f/5", "ä/6"]


def filled(e):
    """A bucket of its own with a few keys."""
    bucket = e.new_bucket()
    for key in KEYS:
        e.s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def paged(e, operation, **arguments):
    """All keys and common prefixes, in the order of the pages, and the length of every page."""
    keys, prefixes, lengths = [], [], []
    size = arguments.pop("size")
    pages = e.s3.get_paginator(operation).paginate(
        **arguments, PaginationConfig={"PageSize": size}
    )
    for page in pages:
        here = [entry["Key"] for entry in page.get("Contents", [])]
        folded = [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        keys, prefixes = keys + here, prefixes + folded
        lengths.append(len(here) + len(folded))
        assert lengths[-1] <= size, f"a page of {size} has {lengths[-1]}"
    return keys, prefixes, lengths


def in_both(e, check):
    bucket = filled(e)
    for operation in ["list_objects", "list_objects_v2"]:
        check(operation, bucket)
    e.empty(bucket)


@case
def list_has_every_key_in_order(e):
    def check(operation, bucket):
        for size in [1, 3, 8, 1000]:
            keys, _, lengths = paged(e, operation, Bucket=bucket, size=size)
            same(keys, KEYS, f"{operation} by {size}")
            same(len(lengths), -(-len(KEYS) // size), f"pages of {operation} by {size}")

    in_both(e, check)


@case
def list_tells_size_etag_and_time(e):
    bucket = e.new_bucket()
    etag = e.s3.put_object(Bucket=bucket, Key="a", Body=b"12345")["ETag"]
    modified = e.s3.head_object(Bucket=bucket, Key="a")["LastModified"]
    for call in [e.s3.list_objects, e.s3.list_objects_v2]:
        entry = call(Bucket=bucket)["Contents"][0]
        same((entry["Size"], entry["ETag"]), (5, etag))
        assert abs((entry["LastModified"] - modified).total_seconds()) < 1.5
    e.empty(bucket)


@case
def list_of_a_prefix_has_nothing_else(e):
    def check(operation, bucket):
        keys, _, _ = paged(e, operation, Bucket=bucket, Prefix="b/", size=2)
        same(keys, ["b/1", "b/2", "b/c/3"], operation)
        same(paged(e, operation, Bucket=bucket, Prefix="zzz", size=2)[0], [], operation)

    in_both(e, check)


@case
def list_folds_at_a_delimiter(e):
    def check(operation, bucket):
        for size in [1, 2, 1000]:
            found = paged(e, operation, Bucket=bucket, Delimiter="/", size=size)
            same(found[:2], (["a.txt", "e.txt"], ["b/", "d/", "f/", "ä/"]), operation)
        found = paged(e, operation, Bucket=bucket, Delimiter="/", Prefix="b/", size=1)
        same(found[:2], (["b/1", "b/2"], ["b/c/"]), operation)
        found = paged(e, operation, Bucket=bucket, Delimiter="txt", size=3)
        same(found[1], ["a.txt", "e.txt"], operation)

    in_both(e, check)


@case
def list_begins_after_a_key(e):
    bucket = filled(e)
    listed = e.s3.list_objects_v2(Bucket=bucket, StartAfter="b/2")
    same([entry["Key"] for entry in listed["Contents"]], KEYS[3:])
    listed = e.s3.list_objects(Bucket=bucket, Marker="b/2")
    same([entry["Key"] for entry in listed["Contents"]], KEYS[3:])
    e.empty(bucket)


@case
def list_of_no_keys_is_empty(e):
    bucket = filled(e)
    for call in [e.s3.list_objects, e.s3.list_objects_v2]:
        listed = call(Bucket=bucket, MaxKeys=0)
        same((listed.get("Contents", []), listed["IsTruncated"]), ([], False))
    e.empty(bucket)
