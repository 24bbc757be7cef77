"""Conditional requests."""

import datetime

from s3_cases.endpoint import case, refused, same

HOUR = datetime.timedelta(hours=1)


@case
def write_only_where_nothing_is(e):
    e.put("new", b"first", IfNoneMatch="*")
    refused("PreconditionFailed", e.put, key="new", body=b"second", IfNoneMatch="*")
    same(e.get("new")["Bytes"], b"first")


@case
def write_only_over_what_is_known(e):
    etag = e.put("known", b"first")["ETag"]
    refused("PreconditionFailed", e.put, key="known", body=b"x", IfMatch='"wrong"')
    e.put("known", b"second", IfMatch=etag)
    refused("PreconditionFailed", e.put, key="known", body=b"third", IfMatch=etag)
    same(e.get("known")["Bytes"], b"second")
    refused("NoSuchKey", e.put, key="nothing known", body=b"x", IfMatch=etag)


@case
def complete_only_where_nothing_is(e):
    upload = e.begin("raced")
    parts = [e.part(upload, 1, b"upload")]
    e.put("raced", b"was faster")
    refused("PreconditionFailed", e.complete, upload=upload, parts=parts, IfNoneMatch="*")
    same(e.get("raced")["Bytes"], b"was faster")
    e.s3.delete_object(Bucket=e.bucket, Key="raced")
    e.complete(upload, parts, IfNoneMatch="*")
    same(e.get("raced")["Bytes"], b"upload")


@case
def complete_only_over_what_is_known(e):
    etag = e.put("replaced", b"old")["ETag"]
    upload = e.begin("replaced")
    parts = [e.part(upload, 1, b"new")]
    refused("PreconditionFailed", e.complete, upload=upload, parts=parts, IfMatch='"wrong"')
    e.complete(upload, parts, IfMatch=etag)
    same(e.get("replaced")["Bytes"], b"new")


@case
def read_only_what_is_known(e):
    etag = e.put("read", b"x")["ETag"]
    for read in [e.get, e.head]:
        read("read", IfMatch=etag)
        refused(412, read, key="read", IfMatch='"wrong"')
        read("read", IfNoneMatch='"wrong"')
        refused(304, read, key="read", IfNoneMatch=etag)


@case
def read_only_what_is_new_or_old(e):
    e.put("dated", b"x")
    modified = e.head("dated")["LastModified"]
    for read in [e.get, e.head]:
        read("dated", IfModifiedSince=modified - HOUR)
        refused(304, read, key="dated", IfModifiedSince=modified)
        read("dated", IfUnmodifiedSince=modified)
        refused(412, read, key="dated", IfUnmodifiedSince=modified - HOUR)


@case
def read_conditions_have_their_order(e):
    etag = e.put("order", b"x")["ETag"]
    modified = e.head("order")["LastModified"]
    # An entity tag that matches outweighs a date that does not, both ways.
    e.get("order", IfMatch=etag, IfUnmodifiedSince=modified - HOUR)
    refused(304, e.get, key="order", IfNoneMatch=etag, IfModifiedSince=modified - HOUR)


@case
def delete_only_what_is_known(e):
    etag = e.put("deleted", b"x")["ETag"]
    target = {"Bucket": e.bucket, "Key": "deleted"}
    refused("PreconditionFailed", e.s3.delete_object, **target, IfMatch='"wrong"')
    e.s3.delete_object(**target, IfMatch=etag)
    refused("NoSuchKey", e.get, key="deleted")
