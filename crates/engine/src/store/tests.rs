use crate::error::Code;
use crate::source::{Crc64, Fingerprint};
use crate::transfer::{Hold, Phase, State, Timestamp};

use super::*;

pub(crate) fn upload(folder: &Path) -> Upload {
    let path = folder.join("a.mp4");
    std::fs::write(&path, b"bytes").unwrap();
    Upload {
        id: UploadId::new(),
        rev: 0,
        state: State::NEW,
        fingerprint: Fingerprint::take(&path).unwrap(),
        growth: None,
        path,
        title: "a".into(),
        content_type: "video/mp4".into(),
        destination: Destination {
            server: "http://127.0.0.1:1/".into(),
            project_id: "p".into(),
            project: "P".into(),
            team: "T".into(),
            version_of: None,
            visibility: None,
        },
        added_at: Timestamp(1),
        uploaded_at: None,
        registration: Registration::No,
        video_id: None,
        session: None,
        duration: None,
        reason: None,
        place: 0,
        first: false,
    }
}

pub(super) fn receipt(number: u32) -> Receipt {
    Receipt {
        part: PartNumber::new(number).unwrap(),
        size: 2,
        etag: "\"e\"".into(),
        checksum: Crc64::of(b"by"),
        proof: Proof::Signed,
    }
}

async fn only(store: &Store) -> (Upload, u64) {
    let mut ids = Vec::new();
    for list in List::ALL {
        ids.extend(store.ids(list).await.unwrap());
    }
    let mut rows = store.uploads(ids).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

async fn update(store: &Store, row: &Upload, forgets: bool) -> Result<(), DatabaseError> {
    store
        .update(vec![Written { forgets, ..Written::only(row.clone(), Timestamp(5)) }])
        .await
        .map(drop)
}

/// As on a full disk, after what was kept of it was given up.
#[tokio::test]
async fn without_room_nothing_new_is_taken_and_what_is_under_way_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let store = Store::open(&path).unwrap();
    let row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    assert!(!store.reserve.give_up(), "nothing was kept yet");
    store.keep_room().await;
    let kept = std::fs::metadata(path.with_extension("reserve")).unwrap();
    assert_eq!(kept.len(), 16 << 20);
    assert!(store.reserve.give_up());
    assert!(store.reserve.give_up(), "another who found no room tries once more, too");
    assert!(!path.with_extension("reserve").exists());

    let another = Upload { id: UploadId::new(), ..row.clone() };
    let refused = store.insert(vec![another.clone()]).await.unwrap_err();
    assert!(refused.is_full(), "{refused}");
    store.keep(row.id, receipt(1)).await.unwrap();
    update(&store, &row, false).await.unwrap();
    store.keep_room().await;
    store.insert(vec![another]).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn everything_survives_being_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let store = Store::open(&path).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    row.state = State {
        phase: Phase::Uploading,
        hold: Hold::Backoff { until: Timestamp(77) },
        attempts: 3,
        cleanup: true,
    };
    row.video_id = Some("v".into());
    row.registration = Registration::Done;
    row.session = Some(Session {
        key: "k".into(),
        kind: SessionKind::Multipart {
            upload_id: "u".into(),
            part_size: 2,
            part_count: 3,
            signs_checksums: true,
        },
    });
    update(&store, &row, false).await.unwrap();
    store.keep(row.id, receipt(1)).await.unwrap();
    store.keep(row.id, receipt(2)).await.unwrap();
    store.forget(row.id, vec![receipt(1).part]).await.unwrap();
    drop(store);

    let store = Store::open(&path).unwrap();
    let (read, confirmed) = only(&store).await;
    assert_eq!((read.state, read.rev, confirmed), (row.state, 1, 2));
    assert_eq!((read.session, read.path), (row.session, row.path));
    assert_eq!(store.receipts(row.id).await.unwrap(), [receipt(2)]);
}

#[tokio::test]
async fn a_stale_write_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    row.state.hold = Hold::Paused;
    update(&store, &row, false).await.unwrap();
    row.state.hold = Hold::Failed { code: Code::Refused };
    assert!(matches!(update(&store, &row, false).await, Err(DatabaseError::Stale)));
    assert_eq!(only(&store).await.0.state.hold, Hold::Paused);
}

#[tokio::test]
async fn an_impossible_state_is_refused_by_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    row.state.phase = Phase::Uploading;
    assert!(update(&store, &row, false).await.is_err(), "no bytes go up without a session");
}

#[tokio::test]
async fn a_new_session_forgets_what_the_old_one_held() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    store.keep(row.id, receipt(1)).await.unwrap();
    update(&store, &row, true).await.unwrap();
    assert!(store.receipts(row.id).await.unwrap().is_empty());
    store.remove(vec![row.id]).await.unwrap();
    assert!(store.uploads(vec![row.id]).await.unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut row = upload(folder.path());
    row.path = folder.path().join(std::ffi::OsStr::from_bytes(b"clip-\xff\xfe.mov"));
    store.insert(vec![row.clone()]).await.unwrap();
    assert_eq!(only(&store).await.0.path, row.path);
}

#[tokio::test]
async fn settings_are_set_and_unset() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    assert_eq!(store.setting(Setting::Server).await.unwrap(), None);
    store.set(Setting::Server, Some("http://a/".into())).await.unwrap();
    store.set(Setting::Server, Some("http://b/".into())).await.unwrap();
    assert_eq!(store.setting(Setting::Server).await.unwrap().as_deref(), Some("http://b/"));
    store.set(Setting::Server, None).await.unwrap();
    assert_eq!(store.setting(Setting::Server).await.unwrap(), None);
}

/// A queue that the first released schema wrote is the same after the move to today's.
#[tokio::test]
async fn the_first_schemas_queue_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let row = upload(folder.path());
    let fingerprint = serde_json::to_string(&row.fingerprint).unwrap();
    let session = r#"{"key":"k","kind":{"kind":"multipart","upload_id":"u","part_size":2,
        "part_count":3,"signs_checksums":true}}"#;
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("schema/0001_queue.sql")).unwrap();
    old.execute(
        "INSERT INTO uploads (id, phase, hold, attempts, cleanup, path, title, content_type, size,
             fingerprint, server, project_id, project, team, added_at, register_tried, video_id,
             session)
         VALUES (?1, 'uploading', 'paused', 0, 0, x'61', 'a', 'video/mp4', 5, ?2, 'http://s/',
             'p', 'P', 'T', 1, 1, 'v', ?3)",
        (row.id.to_string(), fingerprint, session),
    )
    .unwrap();
    let part = "INSERT INTO parts VALUES (?1, 1, 2, 'e', 7, 'signed')";
    old.execute(part, [row.id.to_string()]).unwrap();
    for (name, value) in [("server", "http://s/"), ("project", "p"), ("limit", "1000")] {
        old.execute("INSERT INTO settings VALUES (?1, ?2)", (name, value)).unwrap();
    }
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);

    let store = Store::open(&path).unwrap();
    let (kept, confirmed) = only(&store).await;
    assert_eq!((kept.id, confirmed), (row.id, 2));
    assert_eq!((kept.state.phase, kept.state.hold), (Phase::Uploading, Hold::Paused));
    assert_eq!(kept.registration, Registration::Done);
    assert_eq!(kept.video_id.as_deref(), Some("v"));
    assert!(kept.session.is_some());
    // What was chosen once belongs to the server it was chosen at.
    let remembered = store.remembered("http://s/".into()).await.unwrap();
    assert_eq!(remembered, Remembered { known: None, project_id: Some("p".into()) });
    assert!(store.setting(Setting::Limit).await.unwrap().is_some());
    assert_eq!(store.servers().await.unwrap(), ["http://s/"]);
    // Parts still go with their upload.
    store.remove(vec![row.id]).await.unwrap();
    assert!(store.receipts(row.id).await.unwrap().is_empty());
}
