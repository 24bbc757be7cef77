use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier};

use super::*;

#[tokio::test]
async fn an_object_comes_back_with_all_that_was_said_of_it() {
    let served = serve().await;
    let bytes = noise(3 * MIB + 17, 1);
    let put = served.client.put_object().bucket(BUCKET).key("rushes/day 1/ä+b.mp4");
    let put = put.content_type("video/mp4").metadata("camera", "B").body(bytes.clone().into());
    let put = put.send().await.unwrap();
    assert_eq!(put.checksum_crc64_nvme(), Some(&*crc64nvme(&bytes)));

    let got = served.client.get_object().bucket(BUCKET).key("rushes/day 1/ä+b.mp4");
    let got = got.send().await.unwrap();
    assert_eq!(got.content_type(), Some("video/mp4"));
    assert_eq!(got.metadata().unwrap()["camera"], "B");
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.checksum_crc64_nvme(), Some(&*crc64nvme(&bytes)));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes);

    let head = served.client.head_object().bucket(BUCKET).key("rushes/day 1/ä+b.mp4");
    let head = head.send().await.unwrap();
    assert_eq!(head.content_length(), Some(i64::try_from(bytes.len()).unwrap()));
    assert_eq!(head.checksum_crc64_nvme(), Some(&*crc64nvme(&bytes)));
    assert_eq!(head.checksum_type().unwrap().as_str(), "FULL_OBJECT");
}

#[tokio::test]
async fn ranges_are_cut_as_http_says() {
    let served = serve().await;
    let bytes = noise(2 * MIB + 5, 2);
    served.put("a", &bytes).await;
    let length = bytes.len();
    for (range, wanted) in [
        ("bytes=0-0", 0..1),
        ("bytes=1048570-1048590", 1_048_570..1_048_591),
        ("bytes=2097152-", 2_097_152..length),
        ("bytes=-7", length - 7..length),
        ("bytes=5-99999999", 5..length),
    ] {
        let got = served.client.get_object().bucket(BUCKET).key("a").range(range);
        let got = got.send().await.unwrap();
        let content_range = format!("bytes {}-{}/{length}", wanted.start, wanted.end - 1);
        assert_eq!(got.content_range(), Some(&*content_range));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes[wanted], "{range}");
    }
    let beyond = served.client.get_object().bucket(BUCKET).key("a").range("bytes=99999999-");
    let refused = beyond.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidRange"));
    let answer = refused.raw_response().unwrap();
    assert_eq!(answer.status().as_u16(), 416);
    assert_eq!(answer.headers().get("content-range"), Some(&*format!("bytes */{length}")));
}

#[tokio::test]
async fn the_rest_of_another_object_is_not_served_as_that_of_the_first() {
    let served = serve().await;
    served.put("a", b"first bytes").await;
    let url = served.client.get_object().bucket(BUCKET).key("a");
    let url = url.presigned(soon()).await.unwrap();
    let ask = async |validator: &str| {
        let asked = http().get(url.uri()).header("range", "bytes=6-").header("if-range", validator);
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let first = http().get(url.uri()).send().await.unwrap();
    let first = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(ask(&first).await, (206, "bytes".into()));
    served.put("a", b"other bytes").await;
    assert_eq!(ask(&first).await, (200, "other bytes".into()));
    assert_eq!(ask("Sat, 21 Nov 2026 00:00:00 GMT").await, (200, "other bytes".into()));
}

#[tokio::test]
async fn one_byte_tells_what_the_whole_object_hashes_to() {
    let served = serve().await;
    let bytes = noise(MIB, 3);
    served.put("a", &bytes).await;
    let url = served.client.get_object().bucket(BUCKET).key("a");
    let url = url.presigned(soon()).await.unwrap();
    let answer = http().get(url.uri()).header("range", "bytes=0-0").send().await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["x-amz-checksum-crc64nvme"], crc64nvme(&bytes));
    assert_eq!(answer.headers()["x-amz-checksum-type"], "FULL_OBJECT");
}

#[tokio::test]
async fn conditions_are_kept() {
    let served = serve().await;
    let tag = served.put("a", b"one").await;
    let again = served.client.put_object().bucket(BUCKET).key("a").if_none_match("*");
    assert_eq!(
        code(again.body(ByteStream::from_static(b"two")).send().await),
        "PreconditionFailed"
    );
    let other = served.client.put_object().bucket(BUCKET).key("a").if_match("\"other\"");
    assert_eq!(
        code(other.body(ByteStream::from_static(b"two")).send().await),
        "PreconditionFailed"
    );
    assert_eq!(served.get("a").await, b"one");
    let fresh = served.client.put_object().bucket(BUCKET).key("b").if_none_match("*");
    fresh.body(ByteStream::from_static(b"two")).send().await.unwrap();

    let same = served.client.get_object().bucket(BUCKET).key("a").if_none_match(&tag);
    let same = same.send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let different = served.client.get_object().bucket(BUCKET).key("a").if_match("\"other\"");
    assert_eq!(code(different.send().await), "PreconditionFailed");
    served.client.get_object().bucket(BUCKET).key("a").if_match(tag).send().await.unwrap();
}

#[tokio::test]
async fn keys_never_become_paths() {
    let served = serve().await;
    // Its name is this test's own: whatever lies in the system's scratch folder is not ours.
    let own = served.folder.path().file_name().unwrap().to_str().unwrap();
    let escaping = format!("../../{own}-escaped");
    for key in [
        escaping.as_str(),
        "/etc/passwd",
        "a/../../../b",
        "..",
        "x//y",
        "%2e%2e/%2f",
        "C:\\x",
        "\u{1F3AC}",
    ] {
        served.put(key, key.as_bytes()).await;
        assert_eq!(served.get(key).await, key.as_bytes(), "{key}");
    }
    served.data_files(8).await;
    let mut names: Vec<_> = std::fs::read_dir(served.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("index.db"))
        .collect();
    names.sort();
    assert_eq!(names, ["data"]);
    for folder in served.folder.path().ancestors() {
        assert!(!folder.join(format!("{own}-escaped")).exists(), "{}", folder.display());
    }
}

#[tokio::test]
async fn a_copy_shares_the_bytes_and_outlives_its_source() {
    let served = serve().await;
    let bytes = noise(MIB, 4);
    served.put("a", &bytes).await;
    let copy = served.client.copy_object().bucket(BUCKET).key("b").copy_source("dailies/a");
    copy.send().await.unwrap();
    let retyped = served.client.copy_object().bucket(BUCKET).key("c").copy_source("dailies/a");
    let retyped = retyped.metadata_directive(MetadataDirective::Replace).content_type("image/png");
    retyped.send().await.unwrap();
    served.data_files(1).await;
    served.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(code(served.client.get_object().bucket(BUCKET).key("a").send().await), "NoSuchKey");
    assert_eq!(served.get("b").await, bytes);
    let retyped = served.client.head_object().bucket(BUCKET).key("c").send().await.unwrap();
    assert_eq!(retyped.content_type(), Some("image/png"));

    let both = Delete::builder()
        .objects(ObjectIdentifier::builder().key("b").build().unwrap())
        .objects(ObjectIdentifier::builder().key("c").build().unwrap())
        .objects(ObjectIdentifier::builder().key("never was").build().unwrap())
        .build()
        .unwrap();
    let deleted = served.client.delete_objects().bucket(BUCKET).delete(both).send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 3);
    served.data_files(0).await;
}

#[tokio::test]
async fn an_object_that_is_being_read_stays_readable() {
    let served = serve().await;
    let (long, short) = (noise(PART + MIB, 5), noise(PART, 6));
    let upload = served.begin("a").await;
    let second = served.part("a", &upload, 2, &short).await;
    let first = served.part("a", &upload, 1, &long).await;
    served.completion("a", &upload, &[first, second]).send().await.unwrap();
    served.data_files(2).await;

    let reading = served.client.get_object().bucket(BUCKET).key("a").send().await.unwrap();
    served.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    let read = reading.body.collect().await.unwrap().to_vec();
    assert_eq!(read, [long, short].concat());
    served.data_files(0).await;
}

#[tokio::test]
async fn nothing_is_an_object_too() {
    let served = serve().await;
    served.put("empty", b"").await;
    assert_eq!(served.get("empty").await, b"");
    served.data_files(0).await;
    let range = served.client.get_object().bucket(BUCKET).key("empty").range("bytes=0-");
    assert_eq!(code(range.send().await), "InvalidRange");
}

#[tokio::test]
async fn buckets_are_made_found_and_removed() {
    let served = serve().await;
    let client = &served.client;
    client.create_bucket().bucket("second").send().await.unwrap();
    assert_eq!(
        code(client.create_bucket().bucket("second").send().await),
        "BucketAlreadyOwnedByYou"
    );
    client.head_bucket().bucket("second").send().await.unwrap();
    let location = client.get_bucket_location().bucket("second").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "local");
    let names = client.list_buckets().send().await.unwrap();
    let names: Vec<_> = names.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, [BUCKET, "second"]);
    served.put("a", b"1").await;
    assert_eq!(code(client.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty");
    client.delete_bucket().bucket("second").send().await.unwrap();
    let put = client.put_object().bucket("second").key("a").body(ByteStream::from_static(b"1"));
    assert_eq!(code(put.send().await), "NoSuchBucket");
    assert!(served.store.ensure_bucket("Not A Name").await.is_err());
}
