use super::*;
use crate::object_store::index::{extents, objects};

async fn copied(served: &Served, upload: &str, number: i32, range: Option<&str>) -> CompletedPart {
    let copy = served.client.upload_part_copy().bucket(BUCKET).key("copy").upload_id(upload);
    let copy = copy.part_number(number).copy_source(format!("{BUCKET}/source"));
    let done = copy.set_copy_source_range(range.map(str::to_owned)).send().await.unwrap();
    let etag = done.copy_part_result().unwrap().e_tag().unwrap();
    CompletedPart::builder().part_number(number).e_tag(etag).build()
}

#[tokio::test]
async fn a_copied_part_shares_the_bytes_of_its_source() {
    let served = serve().await;
    let bytes = noise(2 * PART, 1);
    served.put("source", &bytes).await;
    let upload = served.begin("copy").await;
    let parts = [
        copied(&served, &upload, 1, None).await,
        copied(&served, &upload, 2, Some("bytes=7-5242886")).await,
        served.part("copy", &upload, 3, b"the end").await,
    ];
    // That of the source and that of the upload: nothing was copied.
    served.data_files(2).await;
    let delete = served.client.delete_object().bucket(BUCKET).key("source");
    delete.send().await.unwrap();
    let done = served.completion("copy", &upload, &parts).send().await.unwrap();
    let whole = [&*bytes, &bytes[7..PART + 7], b"the end"].concat();
    assert_eq!(done.checksum_crc64_nvme(), Some(&*crc64nvme(&whole)));
    assert_eq!(served.get("copy").await, whole);
    served.data_files(2).await;
    let delete = served.client.delete_object().bucket(BUCKET).key("copy");
    delete.send().await.unwrap();
    served.data_files(0).await;
}

#[tokio::test]
async fn bytes_that_lie_in_pieces_are_copied_into_one() {
    let served = serve().await;
    let (first, last) = (noise(PART, 1), noise(1000, 2));
    let upload = served.begin("source").await;
    served.part("source", &upload, 1, b"replaced").await;
    let parts = [
        served.part("source", &upload, 1, &first).await,
        served.part("source", &upload, 2, &last).await,
    ];
    served.completion("source", &upload, &parts).send().await.unwrap();
    let upload = served.begin("copy").await;
    let part = copied(&served, &upload, 1, Some("bytes=5242870-5242889")).await;
    let done = served.completion("copy", &upload, &[part]).send().await.unwrap();
    let whole = [&first[PART - 10..], &last[..10]].concat();
    assert_eq!(done.checksum_crc64_nvme(), Some(&*crc64nvme(&whole)));
    assert_eq!(served.get("copy").await, whole);
    let extents = served.store.store.index.read(|connection| {
        let object = objects::require(connection, BUCKET, "copy")?;
        extents::of(connection, object.id)
    });
    assert_eq!(extents.await.unwrap().len(), 1);
}
