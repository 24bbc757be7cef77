use aws_sdk_s3::types::ChecksumAlgorithm;

use super::*;
use crate::object_store::index::{extents, objects};

async fn extents_of(served: &Served, key: &str) -> usize {
    let key = key.to_owned();
    let found = served.store.store.index.read(move |connection| {
        let object = objects::require(connection, BUCKET, &key)?;
        extents::of(connection, object.id)
    });
    found.await.unwrap().len()
}

#[tokio::test]
async fn parts_in_any_order_become_one_run_of_bytes() {
    let served = serve().await;
    let bytes = noise(3 * PART + 1234, 1);
    let chunks: Vec<&[u8]> = bytes.chunks(PART).collect();
    let upload = served.begin("film.mp4").await;
    let mut parts = Vec::new();
    for number in [3, 1, 4, 2] {
        parts.push(served.part("film.mp4", &upload, number, chunks[number as usize - 1]).await);
    }
    assert_eq!(
        served.held("film.mp4", &upload).await,
        [(1, 5_242_880), (2, 5_242_880), (3, 5_242_880), (4, 1234)]
    );
    assert_eq!(
        code(served.completion("film.mp4", &upload, &parts).send().await),
        "InvalidPartOrder"
    );
    parts.sort_by_key(CompletedPart::part_number);
    let done = served.completion("film.mp4", &upload, &parts).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-4\""));
    assert_eq!(done.checksum_crc64_nvme(), Some(&*crc64nvme(&bytes)));
    let got = served.client.get_object().bucket(BUCKET).key("film.mp4").send().await.unwrap();
    assert_eq!(got.content_type(), Some("video/mp4"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes);
    assert_eq!(extents_of(&served, "film.mp4").await, 1);
    served.data_files(1).await;
}

#[tokio::test]
async fn a_part_sent_again_takes_the_place_of_the_one_held() {
    let served = serve().await;
    let (first, again, last) = (noise(PART, 1), noise(PART, 2), noise(99, 3));
    let upload = served.begin("a").await;
    let old = served.part("a", &upload, 1, &first).await;
    let end = served.part("a", &upload, 2, &last).await;
    let new = served.part("a", &upload, 1, &again).await;
    assert_eq!(
        code(served.completion("a", &upload, &[old, end.clone()]).send().await),
        "InvalidPart"
    );
    served.completion("a", &upload, &[new, end]).send().await.unwrap();
    assert_eq!(served.get("a").await, [again, last].concat());
    assert_eq!(extents_of(&served, "a").await, 2);
    served.data_files(2).await;
}

#[tokio::test]
async fn a_long_last_part_and_gaps_in_the_numbers_are_fine() {
    let served = serve().await;
    let (first, last) = (noise(PART, 1), noise(PART + 7, 2));
    let upload = served.begin("a").await;
    let parts = [
        served.part("a", &upload, 5, &first).await,
        served.part("a", &upload, 10_000, &last).await,
    ];
    served.completion("a", &upload, &parts).send().await.unwrap();
    assert_eq!(served.get("a").await, [first, last].concat());
}

#[tokio::test]
async fn a_completion_that_is_refused_leaves_the_parts() {
    let served = serve().await;
    let upload = served.begin("a").await;
    let small = served.part("a", &upload, 1, &noise(PART - 1, 1)).await;
    let last = served.part("a", &upload, 2, &noise(10, 2)).await;
    let missing = CompletedPart::builder().part_number(3).e_tag(last.e_tag().unwrap()).build();
    let wrong = CompletedPart::builder().part_number(2).e_tag("\"wrong\"").build();
    let refused = [
        (vec![small.clone(), last.clone()], "EntityTooSmall"),
        (vec![last.clone(), missing], "InvalidPart"),
        (vec![wrong], "InvalidPart"),
        (vec![last.clone(), small], "InvalidPartOrder"),
        (vec![], "MalformedXML"),
    ];
    for (parts, wanted) in refused {
        assert_eq!(code(served.completion("a", &upload, &parts).send().await), wanted);
    }
    served.put("a", b"there already").await;
    let only = served.completion("a", &upload, std::slice::from_ref(&last)).if_none_match("*");
    assert_eq!(code(only.send().await), "PreconditionFailed");
    let hash = served.completion("a", &upload, std::slice::from_ref(&last));
    let hash = hash.checksum_crc64_nvme(crc64nvme(b"something else"));
    assert_eq!(code(hash.send().await), "BadDigest");
    assert_eq!(served.held("a", &upload).await.len(), 2);
    served.completion("a", &upload, &[last]).send().await.unwrap();
    assert_eq!(served.get("a").await, noise(10, 2));
}

#[tokio::test]
async fn a_completion_asked_again_is_answered_again() {
    let served = serve().await;
    let upload = served.begin("a").await;
    let parts = [
        served.part("a", &upload, 1, &noise(PART, 1)).await,
        served.part("a", &upload, 2, &noise(10, 2)).await,
    ];
    let first = served.completion("a", &upload, &parts).send().await.unwrap();
    let served = served.restarted().await;
    let second = served.completion("a", &upload, &parts).send().await.unwrap();
    assert_eq!(first.e_tag(), second.e_tag());
    assert_eq!(first.checksum_crc64_nvme(), second.checksum_crc64_nvme());
    assert_eq!(code(served.completion("a", &upload, &parts[1..]).send().await), "NoSuchUpload");
    let elsewhere = served.completion("b", &upload, &parts).send().await;
    assert_eq!(code(elsewhere), "NoSuchUpload");
    let late = served.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload);
    let late = late.part_number(3).body(noise(10, 3).into()).send().await;
    assert_eq!(code(late), "NoSuchUpload");
}

#[tokio::test]
async fn an_aborted_upload_is_gone_with_its_bytes() {
    let served = serve().await;
    let upload = served.begin("a").await;
    served.part("a", &upload, 1, &noise(10, 1)).await;
    served.part("a", &upload, 1, &noise(10, 2)).await;
    served.data_files(2).await;
    let abort =
        || served.client.abort_multipart_upload().bucket(BUCKET).key("a").upload_id(&upload);
    abort().send().await.unwrap();
    served.data_files(0).await;
    assert_eq!(code(abort().send().await), "NoSuchUpload");
    let list = served.client.list_parts().bucket(BUCKET).key("a").upload_id(&upload).send().await;
    assert_eq!(code(list), "NoSuchUpload");
    let invented = served.client.list_parts().bucket(BUCKET).key("a").upload_id("../../x");
    assert_eq!(code(invented.send().await), "NoSuchUpload");
}

#[tokio::test]
async fn parts_and_uploads_are_listed_in_pages() {
    let served = serve().await;
    let begun = served.client.create_multipart_upload().bucket(BUCKET).key("k/a");
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    let upload = begun.upload_id.unwrap();
    for number in 1..=5 {
        served.part("k/a", &upload, number * 3, &noise(100, 1)).await;
    }
    let mut seen = Vec::new();
    let mut marker = None;
    loop {
        let page = served.client.list_parts().bucket(BUCKET).key("k/a").upload_id(&upload);
        let page = page.max_parts(2).set_part_number_marker(marker).send().await.unwrap();
        for part in page.parts() {
            assert_eq!(part.checksum_crc64_nvme(), Some(&*crc64nvme(&noise(100, 1))));
            assert!(part.checksum_crc32().is_some() && part.e_tag().is_some());
            seen.push(part.part_number().unwrap());
        }
        marker = page.next_part_number_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(seen, [3, 6, 9, 12, 15]);

    let others = [served.begin("k/a").await, served.begin("k/b").await, served.begin("z").await];
    let page = served.client.list_multipart_uploads().bucket(BUCKET).prefix("k/").max_uploads(2);
    let page = page.send().await.unwrap();
    let ids: Vec<_> = page.uploads().iter().filter_map(|upload| upload.upload_id()).collect();
    assert_eq!(ids, [&upload, &others[0]]);
    assert_eq!(page.is_truncated(), Some(true));
    let rest = served.client.list_multipart_uploads().bucket(BUCKET).prefix("k/");
    let rest =
        rest.set_key_marker(page.next_key_marker).set_upload_id_marker(page.next_upload_id_marker);
    let rest = rest.send().await.unwrap();
    let ids: Vec<_> = rest.uploads().iter().filter_map(|upload| upload.upload_id()).collect();
    assert_eq!(ids, [&others[1]]);
}

#[tokio::test]
async fn what_a_client_claims_for_the_whole_is_held_against_the_parts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    let served = serve().await;
    let bytes = noise(PART + 321, 1);
    let upload = served.begin("a").await;
    let parts = [
        served.part("a", &upload, 1, &bytes[..PART]).await,
        served.part("a", &upload, 2, &bytes[PART..]).await,
    ];
    // The client sent CRC-32s with the parts: they make one of the whole, and a composite one.
    let crc32 = |bytes: &[u8]| crc_fast::crc32_iso_hdlc(bytes).to_be_bytes();
    let full = BASE64.encode(crc32(&bytes));
    let composite = [crc32(&bytes[..PART]), crc32(&bytes[PART..])].concat();
    let composite = format!("{}-2", BASE64.encode(crc32(&composite)));
    let complete = || served.completion("a", &upload, &parts);
    let wrong = BASE64.encode([9; 4]);
    assert_eq!(code(complete().checksum_crc32(wrong).send().await), "BadDigest");
    let counted = composite.replace("-2", "-3");
    assert_eq!(code(complete().checksum_crc32(counted).send().await), "BadDigest");
    let unknown = complete().checksum_sha256(BASE64.encode([9; 32]));
    assert_eq!(code(unknown.send().await), "InvalidRequest");
    assert_eq!(code(complete().mpu_object_size(9).send().await), "InvalidRequest");
    complete().checksum_crc32(full).send().await.unwrap();

    let again = served.begin("b").await;
    let parts = [
        served.part("b", &again, 1, &bytes[..PART]).await,
        served.part("b", &again, 2, &bytes[PART..]).await,
    ];
    let right = served.completion("b", &again, &parts).checksum_crc32(composite);
    right.mpu_object_size(i64::try_from(bytes.len()).unwrap()).send().await.unwrap();
}
