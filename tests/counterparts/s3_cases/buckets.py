"""Buckets: made, found, listed, removed."""

from s3_cases.endpoint import case, refused, same


@case
def bucket_is_made_found_and_removed(e):
    name = e.new_bucket()
    names = [entry["Name"] for entry in e.s3.list_buckets()["Buckets"]]
    assert name in names, f"{name} is not among {names}"
    e.s3.head_bucket(Bucket=name)
    e.s3.delete_bucket(Bucket=name)
    refused(404, e.s3.head_bucket, Bucket=name)
    refused("NoSuchBucket", e.s3.delete_bucket, Bucket=name)


@case
def bucket_that_is_there_cannot_be_made_again(e):
    refused("BucketAlreadyOwnedByYou", e.s3.create_bucket, Bucket=e.bucket)


@case
def bucket_that_is_not_empty_stays(e):
    name = e.new_bucket()
    e.s3.put_object(Bucket=name, Key="a", Body=b"a")
    refused("BucketNotEmpty", e.s3.delete_bucket, Bucket=name)
    same(e.s3.get_object(Bucket=name, Key="a")["Body"].read(), b"a")
    e.empty(name)


@case
def bucket_with_a_bad_name_is_refused(e):
    # Names that the client itself lets through.
    for name in ["Upper-case", "a..b", "ends-in-dash-"]:
        refused("InvalidBucketName", e.s3.create_bucket, Bucket=name)


@case
def bucket_says_where_it_is(e):
    found = e.s3.get_bucket_location(Bucket=e.bucket)["LocationConstraint"]
    same(found, None if e.region == "us-east-1" else e.region)


@case
def bucket_that_is_not_there_holds_nothing(e):
    nowhere = {"Bucket": f"{e.bucket}-nowhere"}
    refused("NoSuchBucket", e.s3.put_object, **nowhere, Key="a", Body=b"a")
    refused("NoSuchBucket", e.s3.get_object, **nowhere, Key="a")
    refused("NoSuchBucket", e.s3.list_objects_v2, **nowhere)
    refused("NoSuchBucket", e.s3.create_multipart_upload, **nowhere, Key="a")


@case
def bucket_is_not_versioned(e):
    assert "Status" not in e.s3.get_bucket_versioning(Bucket=e.bucket)
