use std::io::Write;
use std::time::Instant;

use s3s::dto::StreamingBlob;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::*;
use crate::object_store::checksums::{Crc64, Promise};
use crate::object_store::index::parts::Part;
use crate::object_store::index::{Moment, parts, uploads};
use crate::object_store::intake::Intake;
use crate::object_store::values::{Extent, PartNumber, UploadId};

/// Sends the head of a PUT that promises `length` bytes, and `bytes` of them.
async fn half_sent(url: &str, length: usize, bytes: &[u8]) -> TcpStream {
    let url = url::Url::parse(url).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n",
        url.path(),
        url.query().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

#[tokio::test]
async fn a_body_that_is_cut_is_not_recorded() {
    let served = serve().await;
    let bytes = noise(PART, 1);
    let upload = served.begin("a").await;
    let url = served.presigned_part("a", &upload, 1).await;
    drop(half_sent(url.uri(), PART, &bytes[..PART - 1]).await);
    let put = served.client.put_object().bucket(BUCKET).key("b").presigned(soon()).await.unwrap();
    drop(half_sent(put.uri(), PART, &bytes[..PART - 1]).await);
    // The upload's own file stays; that of the object that never was does not.
    tokio::time::sleep(Duration::from_millis(200)).await;
    served.data_files(1).await;
    assert_eq!(served.held("a", &upload).await, []);
    assert_eq!(code(served.client.get_object().bucket(BUCKET).key("b").send().await), "NoSuchKey");

    let part = served.part("a", &upload, 1, &bytes).await;
    served.completion("a", &upload, &[part]).send().await.unwrap();
    assert_eq!(served.get("a").await, bytes);
    served.data_files(1).await;
}

#[tokio::test]
async fn a_part_sent_again_and_cut_leaves_the_one_held() {
    let served = serve().await;
    let bytes = noise(PART, 1);
    let upload = served.begin("a").await;
    let part = served.part("a", &upload, 1, &bytes).await;
    let url = served.presigned_part("a", &upload, 1).await;
    drop(half_sent(url.uri(), PART, &noise(PART - 1, 2)).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    served.data_files(1).await;
    served.completion("a", &upload, &[part]).send().await.unwrap();
    assert_eq!(served.get("a").await, bytes);
}

#[tokio::test]
async fn two_writers_of_one_part_do_not_meet() {
    let served = serve().await;
    let (slow, fast) = (noise(PART, 1), noise(PART, 2));
    let upload = served.begin("a").await;
    let url = served.presigned_part("a", &upload, 1).await;
    let mut stalled = half_sent(url.uri(), PART, &slow[..3 * MIB]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let part = served.part("a", &upload, 1, &fast).await;
    // More of the slow one arrives after the fast one is recorded, and then it is cut.
    stalled.write_all(&slow[3 * MIB..PART - 1]).await.unwrap();
    drop(stalled);
    tokio::time::sleep(Duration::from_millis(200)).await;
    served.completion("a", &upload, &[part]).send().await.unwrap();
    assert_eq!(served.get("a").await, fast);
}

#[tokio::test]
async fn a_restart_keeps_parts_and_sweeps_leftovers() {
    let served = serve().await;
    let (first, last) = (noise(PART, 1), noise(77, 2));
    let upload = served.begin("a").await;
    let one = served.part("a", &upload, 1, &first).await;
    served.put("whole", &last).await;
    let leftover = served.store.store.files.create().unwrap();
    (&leftover.1).write_all(b"bytes no row mentions").unwrap();
    leftover.0.recorded();
    served.data_files(3).await;

    let served = served.restarted().await;
    served.data_files(2).await;
    assert_eq!(served.held("a", &upload).await, [(1, 5_242_880)]);
    let two = served.part("a", &upload, 2, &last).await;
    served.completion("a", &upload, &[one, two]).send().await.unwrap();
    let served = served.restarted().await;
    assert_eq!(served.get("a").await, [&*first, &*last].concat());
    assert_eq!(served.get("whole").await, last);
}

#[tokio::test]
async fn ten_gibibytes_are_completed_at_once() {
    const UNIT: u64 = 8 << 20;
    const PARTS: i32 = 1280;
    let served = serve().await;
    let upload = served.begin("long.mp4").await;
    let id = UploadId::parse(&upload).unwrap();
    let zeros = vec![0; UNIT as usize];
    let (computed, ()) = {
        let file = tempfile::tempfile().unwrap();
        let intake = Intake::new(file, 0, Promise::default().digests(), ());
        let body = StreamingBlob::from(s3s::Body::from(zeros));
        intake.receive(Some(body), UNIT).await.unwrap()
    };
    let crc64 = computed.crc64;
    // The rows of 1,280 parts over a file with a hole of 10 GiB instead of bytes.
    let store = &served.store.store;
    let file = store
        .commit(move |connection, released| {
            let file = uploads::require(connection, BUCKET, "long.mp4", id)?.file;
            uploads::settle_unit(connection, id, UNIT)?;
            for number in 1..=PARTS {
                let number = PartNumber::parse(number)?;
                let extent = Extent { file, start: number.offset(UNIT), length: UNIT };
                let etag = format!("{:032x}", number.get());
                let stored = Moment::now();
                let part = Part { number, extent, crc64, etag, proven: None, stored };
                parts::put(connection, id, &part, released)?;
            }
            Ok(file)
        })
        .await
        .unwrap();
    store.files.open_to_write(file).unwrap().set_len(10 << 30).unwrap();
    let parts: Vec<_> = (1..=PARTS)
        .map(|n| CompletedPart::builder().part_number(n).e_tag(format!("{n:032x}")).build())
        .collect();
    let started = Instant::now();
    let done = served.completion("long.mp4", &upload, &parts).send().await.unwrap();
    // Under a second in a release build; this bound is for a debug build on a busy computer.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let hole = store.files.open_to_read(file).unwrap().metadata().unwrap();
        assert_eq!((hole.len(), hole.blocks()), (10 << 30, 0), "the hole was written to");
    }
    served.data_files(1).await;
    let whole = (0..PARTS).fold(Crc64::EMPTY, |crc, _| crc.followed_by(crc64, UNIT));
    assert_eq!(done.checksum_crc64_nvme(), Some(&*whole.base64()));
    let end = served.client.get_object().bucket(BUCKET).key("long.mp4").range("bytes=-5");
    let end = end.send().await.unwrap();
    assert_eq!(end.content_range(), Some("bytes 10737418235-10737418239/10737418240"));
    assert_eq!(end.body.collect().await.unwrap().to_vec(), [0; 5]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_recorded() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let intake = Intake::new(full, 0, Promise::default().digests(), ());
    let body = StreamingBlob::from(s3s::Body::from(vec![7; MIB]));
    let refused = intake.receive(Some(body), MIB as u64).await.unwrap_err();
    assert!(matches!(refused, Refusal::DiskFull), "{refused:?}");
    let error = s3s::S3Error::from(refused);
    assert_eq!(error.status_code().unwrap().as_u16(), 507);
}

#[tokio::test]
async fn a_body_of_another_length_than_promised_is_refused() {
    for length in [0, MIB as u64 - 1, MIB as u64 + 1] {
        let file = tempfile::tempfile().unwrap();
        let intake = Intake::new(file, 0, Promise::default().digests(), ());
        let body = StreamingBlob::from(s3s::Body::from(vec![7; MIB]));
        let refused = intake.receive(Some(body), length).await.unwrap_err();
        assert!(matches!(refused, Refusal::IncompleteBody), "{length}: {refused:?}");
    }
}
