use std::path::PathBuf;

use dailies_api::videos::Visibility;

use crate::source::{Crc64, Fingerprint};
use crate::store::tests::upload;
use crate::transfer::{Hold, Phase, State, Timestamp};
use crate::watch::{FolderId, Rules, Version};

use super::*;

fn folder(path: &Path, row: &Upload) -> Folder {
    Folder {
        id: FolderId::new(),
        path: path.to_owned(),
        destination: row.destination.clone(),
        rules: Rules { exclude: vec!["proxies".parse().unwrap()], ..Rules::default() },
        added_at: Timestamp(1),
    }
}

fn seen(path: impl Into<PathBuf>, size: u64, fate: Fate) -> Seen {
    let version = Version { size, modified_ns: -5, file: Some(u64::MAX) };
    Seen { path: path.into(), version, fate }
}

fn found(row: &Upload, folder: FolderId, file: Seen) -> Vec<FoundFile> {
    vec![FoundFile { row: row.clone(), happened: Vec::new(), folder, file }]
}

/// An upload whose bytes are there, as far as `compared` says.
async fn finish(store: &Store, row: &mut Upload, proof: Proof, said: Option<Crc64>) {
    row.state = State { phase: Phase::Processing, ..State::NEW };
    row.registration = Registration::Done;
    row.video_id = Some("v".into());
    row.uploaded_at = Some(Timestamp(9));
    row.session = Some(Session { key: "k".into(), kind: SessionKind::Single });
    let checksum = Crc64::of(b"bytes");
    let compared = Compared { checksum, parts: 1, proof, said_size: Some(5), said_checksum: said };
    let finished = Some(compared);
    let written = Written { finished, ..Written::only(row.clone(), Timestamp(9)) };
    store.update(vec![written]).await.unwrap();
    row.rev += 1;
}

#[tokio::test]
async fn a_folder_is_kept_once_and_goes_with_what_was_in_it() {
    let place = tempfile::tempdir().unwrap();
    let queue = place.path().join("queue.db");
    let store = Store::open(&queue).unwrap();
    let row = upload(place.path());
    let first = folder(place.path(), &row);
    assert_eq!(store.keep_folder(first.clone(), Vec::new()).await.unwrap(), first.id);
    // The same place again: its name stays, what is wanted of it does not.
    let again = Folder { rules: Rules::default(), ..folder(place.path(), &row) };
    assert_eq!(store.keep_folder(again.clone(), Vec::new()).await.unwrap(), first.id);
    let again_once_more = again.clone();
    let kept = store.folders().await.unwrap();
    assert_eq!(kept, [Folder { id: first.id, added_at: first.added_at, ..again }]);

    let files = vec![seen("a.mp4", 5, Fate::WasThere), seen("b/c.mp4", 6, Fate::Same(row.id))];
    store.keep_seen(first.id, files.clone()).await.unwrap();
    // What is known already stays as it is known.
    let there = [("a.mp4", 9), ("new.mp4", 7)];
    let there = there.map(|(path, size)| seen(path, size, Fate::WasThere));
    store.keep_folder(again_once_more, there.to_vec()).await.unwrap();
    let files = [files, there[1..].to_vec()].concat();
    drop(store);
    let store = Store::open(&queue).unwrap();
    assert_eq!(store.seen(first.id).await.unwrap(), files);
    store.forget_folder(first.id).await.unwrap();
    assert!(store.seen(first.id).await.unwrap().is_empty());
    assert!(matches!(store.forget_folder(first.id).await, Err(DatabaseError::Stale)));
}

#[tokio::test]
async fn files_are_counted_by_what_became_of_them() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("queue.db")).unwrap();
    let (mut sent, queued) = (upload(place.path()), upload(place.path()));
    let mut cancelled = upload(place.path());
    let one = store.keep_folder(folder(place.path(), &sent), Vec::new()).await.unwrap();
    let other = folder(&place.path().join("other"), &sent);
    let other = store.keep_folder(other, Vec::new()).await.unwrap();
    for (name, row) in [("a.mp4", &sent), ("b.mp4", &queued), ("c.mp4", &cancelled)] {
        let file = seen(name, 5, Fate::Sent(row.id));
        store.insert_found(found(row, one, file)).await.unwrap();
    }
    cancelled.state.hold = Hold::Cancelled;
    store.update(vec![Written::only(cancelled.clone(), Timestamp(2))]).await.unwrap();
    let more = vec![
        seen("a copy.mp4", 5, Fate::Same(sent.id)),
        seen("old.mp4", 5, Fate::WasThere),
        seen("older.mp4", 5, Fate::WasThere),
    ];
    store.keep_seen(one, more).await.unwrap();
    store.keep_seen(other, vec![seen("x.mp4", 5, Fate::WasThere)]).await.unwrap();
    let fates = store.fates().await.unwrap();
    assert_eq!(fates[&one], Fates { was_there: 2, queued: 2, sent: 1 });
    assert_eq!(fates[&other], Fates { was_there: 1, queued: 0, sent: 0 });
    finish(&store, &mut sent, Proof::Signed, Some(Crc64::of(b"bytes"))).await;
    let fates = store.fates().await.unwrap();
    assert_eq!(fates[&one], Fates { was_there: 2, queued: 1, sent: 2 });
}

/// A path is bytes: names that look alike are two files.
#[cfg(unix)]
#[tokio::test]
async fn any_name_is_kept_byte_for_byte() {
    use std::os::unix::ffi::OsStringExt as _;
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("queue.db")).unwrap();
    let id =
        store.keep_folder(folder(place.path(), &upload(place.path())), Vec::new()).await.unwrap();
    let name = |bytes: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()));
    let names = [
        name(b"a\n.mp4"),
        name("e\u{301}.mp4".as_bytes()),
        name(&[0xc3; 255]),
        name("\u{202e}4pm.mp4".as_bytes()),
        name("é.mp4".as_bytes()),
    ];
    let files: Vec<_> = names.iter().map(|name| seen(name, 1, Fate::WasThere)).collect();
    store.keep_seen(id, files.clone()).await.unwrap();
    let mut kept = store.seen(id).await.unwrap();
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    let mut files = files;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(kept, files);
}

#[tokio::test]
async fn a_file_and_its_upload_are_kept_together_or_not_at_all() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("queue.db")).unwrap();
    let row = upload(place.path());
    let id = store.keep_folder(folder(place.path(), &row), Vec::new()).await.unwrap();
    let file = seen("a.mp4", 5, Fate::Sent(row.id));
    store.insert_found(found(&row, id, file.clone())).await.unwrap();
    assert_eq!(store.seen(id).await.unwrap(), [file]);
    let (fingerprint, to) = (row.fingerprint.clone(), row.destination.clone());
    let under_way = store.unsent_alike(fingerprint.clone(), to.clone()).await.unwrap();
    assert_eq!(under_way.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), [row.id]);
    let elsewhere = Destination { project_id: "q".into(), ..to.clone() };
    assert!(store.unsent_alike(fingerprint.clone(), elsewhere).await.unwrap().is_empty());
    std::fs::write(place.path().join("other.mp4"), "bytez").unwrap();
    let other = Fingerprint::take(&place.path().join("other.mp4")).unwrap();
    assert_eq!(other.size, fingerprint.size);
    assert!(store.unsent_alike(other, to.clone()).await.unwrap().is_empty());

    // All of them or none.
    let [one, twin] = [UploadId::new(), row.id].map(|id| Upload { id, ..row.clone() });
    let both = [&one, &twin].map(|row| found(row, id, seen("b.mp4", 5, Fate::Sent(row.id))));
    assert!(store.insert_found(both.concat()).await.is_err());
    assert!(store.uploads(vec![one.id]).await.unwrap().is_empty());

    // A folder that is gone takes no file, and then no upload either.
    store.forget_folder(id).await.unwrap();
    let second = Upload { id: UploadId::new(), ..row.clone() };
    let file = seen("a.mp4", 5, Fate::Sent(second.id));
    assert!(store.insert_found(found(&second, id, file)).await.is_err());
    assert!(store.uploads(vec![second.id]).await.unwrap().is_empty());
}

/// What a folder's rules say of its videos is kept with the upload: who may watch them, and that they go
/// before all others.
#[tokio::test]
async fn what_rules_say_of_a_video_is_kept_with_its_upload() {
    let place = tempfile::tempdir().unwrap();
    let queue = place.path().join("queue.db");
    let store = Store::open(&queue).unwrap();
    let usual = upload(place.path());
    let id = store.keep_folder(folder(place.path(), &usual), Vec::new()).await.unwrap();
    let to = Destination { visibility: Some(Visibility::Private), ..usual.destination.clone() };
    let first = Upload { id: UploadId::new(), first: true, destination: to, ..usual.clone() };
    for row in [&usual, &first] {
        let file = seen(row.id.to_string(), 5, Fate::Sent(row.id));
        store.insert_found(found(row, id, file)).await.unwrap();
    }
    drop(store);
    let store = Store::open(&queue).unwrap();
    let kept = store.uploads(vec![usual.id, first.id]).await.unwrap();
    let kept = |id| kept.iter().map(|(row, _)| row).find(|row| row.id == id).unwrap();
    assert_eq!((kept(usual.id).first, kept(usual.id).destination.visibility), (false, None));
    assert_eq!((kept(first.id).first, &kept(first.id).destination), (true, &first.destination));
    let next = store.next(usual.destination.server.clone(), 1).await.unwrap();
    assert_eq!(next.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), [first.id]);

    let called = async |title: &str| {
        store.under_way_called(title.into(), usual.destination.clone()).await.unwrap().len()
    };
    assert_eq!((called(&usual.title).await, called("another").await), (2, 0));
}

/// Only what the team has compared is moved away here, and only once.
#[tokio::test]
async fn nothing_is_cleared_before_its_receipt() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("queue.db")).unwrap();
    let row = upload(place.path());
    let id = store.keep_folder(folder(place.path(), &row), Vec::new()).await.unwrap();
    let sum = Some(Crc64::of(b"bytes"));
    let cases = [
        ("a", Proof::Size, None),
        ("b", Proof::Size, sum),
        ("c", Proof::Signed, None),
        ("d", Proof::Reported, sum),
    ];
    let mut files = Vec::new();
    let due = async |after: &str| store.to_clear(id, after.into(), 10).await.unwrap();
    for (path, proof, said) in cases {
        let mut one = Upload { id: UploadId::new(), ..row.clone() };
        let file = seen(path, 5, Fate::Sent(one.id));
        store.insert_found(found(&one, id, file.clone())).await.unwrap();
        assert!(!due("").await.contains(&file));
        finish(&store, &mut one, proof, said).await;
        files.push(file);
    }
    // Of the first one only the bytes were counted.
    assert_eq!(due("").await, files[1..]);
    assert_eq!(due("b").await, files[2..]);
    store.cleared(id, files[1].clone()).await.unwrap();
    assert_eq!(due("").await, files[2..]);
    // What came into its place is nothing that was cleared.
    let newer = seen("c", 5, Fate::Same(row.id));
    let newer = Seen { version: Version { modified_ns: 7, ..newer.version }, ..newer };
    store.keep_seen(id, vec![newer]).await.unwrap();
    store.cleared(id, files[2].clone()).await.unwrap();
    assert_eq!(due("").await, files[3..], "its own upload has no receipt");
}
