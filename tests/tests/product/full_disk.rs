//! A disk that fills up: whoever sends is told so, nothing that was acknowledged is lost, and it goes
//! on as soon as there is room.

use std::path::Path;
use std::time::Duration;

use dailies_engine::error::Code;
use dailies_engine::transfer::Hold;
use e2e::clips::{MIB, Take};
use e2e::{Server, Stage, Storage, TeamApi, Uploader};

/// A few megabytes of it are kept for the index.
const DISK: u64 = 96 * MIB;
const OBJECT: u64 = 5 * MIB;
const LIMIT: Duration = Duration::from_secs(90);

fn numbered(number: usize) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(OBJECT).unwrap()];
    fastrand::Rng::with_seed(number as u64).fill(&mut bytes);
    bytes
}

/// Puts objects until the storage says that it is full; how many there are.
async fn fill(storage: &Storage) -> usize {
    for number in 0.. {
        if let Err(error) = storage.put(&format!("fill/{number}"), numbered(number)).await {
            let said = format!("{error:?}");
            assert!(said.contains("InsufficientStorage") && said.contains("507"), "{said}");
            return number;
        }
    }
    unreachable!("no disk is endless")
}

async fn on_a_small_disk(data: &Path) -> Server {
    Server::start_on_a_small_disk(data, DISK).await.unwrap()
}

#[tokio::test]
async fn a_full_disk_answers_507_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let server = on_a_small_disk(&folder.path().join("server")).await;
    let storage = Storage::new(&server.credentials.s3);
    let count = fill(&storage).await;
    assert!((10..20).contains(&count), "{count} objects of 5 MiB on 96 MiB");
    // To the last byte that objects get: what is kept for the index must not be among these.
    let mut small = 0;
    while storage.put(&format!("small/{small}"), vec![7; 4096]).await.is_ok() {
        small += 1;
    }
    assert!(small < 2000, "{small} objects of 4 KiB where one of 5 MiB did not fit");
    for number in 0..count {
        let bytes = storage.get(&format!("fill/{number}")).await.unwrap();
        assert!(bytes == numbered(number), "object {number} is another");
    }
    assert_eq!(storage.objects().await.unwrap().len(), (count + small).min(1000));

    storage.delete("fill/0").await.unwrap();
    storage.delete("fill/1").await.unwrap();
    // Bytes are removed after the answer.
    let mut put = storage.put("one more", numbered(99)).await;
    for _ in 0..50 {
        if put.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        put = storage.put("one more", numbered(99)).await;
    }
    put.unwrap();
    assert!(storage.get("one more").await.unwrap() == numbered(99));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_upload_that_found_no_room_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let server = on_a_small_disk(&folder.path().join("server")).await;
    let storage = Storage::new(&server.credentials.s3);
    let count = fill(&storage).await;
    let team = TeamApi::new(&server.credentials).unwrap();
    let uploader =
        Uploader::start(&folder.path().join("profile"), &server.credentials).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    // Somebody has to make room, and to say so.
    let full = Hold::NeedsUser { code: Code::QuotaExceeded };
    uploader.until(id, LIMIT, |view| view.hold == full).await.unwrap();
    for number in 0..count {
        storage.delete(&format!("fill/{number}")).await.unwrap();
    }
    uploader.engine.retry(vec![id]).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    let video = team.only_video().await.unwrap();
    let stored = team.original_hash(&video.id).await.unwrap();
    assert_eq!(stored, e2e::hash::of_file(&file).unwrap());
    uploader.stop().await;
    server.stop().await.unwrap();
    stage.strike().await.unwrap();
}
