use std::sync::Arc;

use super::*;
use crate::object_store::sweep::Sweep;

fn sweep(served: &Served, uploads_kept: Duration) -> Sweep {
    let store = &served.store.store;
    Sweep {
        index: store.index.clone(),
        files: store.files.clone(),
        in_place: store.in_place.clone(),
        uploads_kept,
    }
}

async fn open_uploads(served: &Served) -> usize {
    let list = served.client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    list.uploads().len()
}

#[tokio::test]
async fn an_upload_is_swept_once_nobody_touches_it() {
    let served = serve().await;
    let left = served.begin("left").await;
    served.part("left", &left, 1, &noise(PART, 1)).await;
    // Begun as early, but gone on with.
    let upload = served.begin("active").await;
    served.put("object", b"kept").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let part = served.part("active", &upload, 1, &noise(PART, 2)).await;
    served.data_files(3).await;

    sweep(&served, WEEK).once().await.unwrap();
    assert_eq!(open_uploads(&served).await, 2);
    sweep(&served, Duration::from_secs(1)).once().await.unwrap();
    assert_eq!(open_uploads(&served).await, 1);
    served.data_files(2).await;
    let gone = served.client.list_parts().bucket(BUCKET).key("left").upload_id(&left).send().await;
    assert_eq!(code(gone), "NoSuchUpload");
    served.completion("active", &upload, &[part]).send().await.unwrap();
    assert_eq!(served.get("active").await, noise(PART, 2));
    assert_eq!(served.get("object").await, b"kept");
}

#[tokio::test]
async fn a_sweep_takes_what_no_row_mentions_and_nothing_that_is_new() {
    let served = serve().await;
    served.put("kept", b"kept").await;
    let (leftover, _) = served.store.store.files.create().unwrap();
    leftover.recorded();
    let (new, _) = served.store.store.files.create().unwrap();
    served.data_files(3).await;
    sweep(&served, WEEK).once().await.unwrap();
    served.data_files(2).await;
    served.store.store.files.open_to_read(new.name()).unwrap();
    drop(new);
    served.data_files(1).await;
    assert_eq!(served.get("kept").await, b"kept");
}

#[tokio::test]
async fn sweeps_beside_writers_lose_nothing() {
    let served = Arc::new(serve().await);
    let sweeping = sweep(&served, WEEK);
    let sweeper = tokio::spawn(async move {
        loop {
            sweeping.once().await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u64 {
        let served = Arc::clone(&served);
        writers.spawn(async move {
            for round in 0..25 {
                let key = format!("{writer}/{}", round % 5);
                served.put(&key, &noise(3000, writer * 100 + round)).await;
                let upload = served.begin(&key).await;
                let part = served.part(&key, &upload, 1, &noise(4000, writer * 100 + round)).await;
                served.completion(&key, &upload, &[part]).send().await.unwrap();
                assert_eq!(served.get(&key).await, noise(4000, writer * 100 + round));
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    sweeper.abort();
    for writer in 0..4 {
        for round in 20..25 {
            let got = served.get(&format!("{writer}/{}", round % 5)).await;
            assert_eq!(got, noise(4000, writer * 100 + round));
        }
    }
    served.data_files(20).await;
}
