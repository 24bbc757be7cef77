use crate::error::Code;
use crate::source::Crc64;
use crate::store::tests::{receipt, upload};
use crate::transfer::{Hold, Phase, State, Timestamp};

use super::*;

/// An upload of `name` that was finished at a time.
pub(crate) async fn finished(store: &Store, folder: &Path, name: &str, at: i64) -> UploadId {
    let mut row = upload(folder);
    row.path = folder.join(name);
    row.title = format!("title of {name}");
    store.insert(vec![row.clone()]).await.unwrap();
    row.state = State { phase: Phase::Processing, ..State::NEW };
    row.registration = Registration::Done;
    row.video_id = Some(format!("video-{at}"));
    row.uploaded_at = Some(Timestamp(at));
    row.session = Some(Session { key: "k".into(), kind: SessionKind::Single });
    let finished = Some(Compared {
        checksum: Crc64::of(b"bytes"),
        parts: 1,
        proof: Proof::Signed,
        said_size: None,
        said_checksum: None,
    });
    let written = Written { finished, ..Written::only(row.clone(), Timestamp(at)) };
    store.update(vec![written]).await.unwrap();
    row.id
}

/// An upload of `name` that was held for good at a time.
pub(crate) async fn held(
    store: &Store,
    folder: &Path,
    name: &str,
    (at, hold, event): (i64, Hold, Event),
) -> UploadId {
    let mut row = upload(folder);
    row.path = folder.join(name);
    row.title = name.into();
    store.insert(vec![row.clone()]).await.unwrap();
    row.state = State { hold, ..State::NEW };
    let happened = vec![event.into()];
    let written = Written { happened, ..Written::only(row.clone(), Timestamp(at)) };
    store.update(vec![written]).await.unwrap();
    row.id
}

async fn found(store: &Store, words: &str) -> Vec<UploadId> {
    let ended = store.ended(Search::of(words), None, 100).await.unwrap();
    ended.into_iter().map(|ended| ended.id).collect()
}

#[tokio::test]
async fn what_ended_is_told_newest_first_page_by_page_also_off_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let waits = upload(folder.path());
    store.insert(vec![waits]).await.unwrap();
    let first = finished(&store, folder.path(), "a.mov", 10).await;
    let cancelled = (20, Hold::Cancelled, Event::Cancelled);
    let second = held(&store, folder.path(), "b.mov", cancelled).await;
    let third = finished(&store, folder.path(), "c.mov", 30).await;
    let failed = (40, Hold::Failed { code: Code::EmptyFile }, Event::Retried);
    let fourth = held(&store, folder.path(), "d.mov", failed).await;
    let needs = (50, Hold::NeedsUser { code: Code::QuotaExceeded }, Event::Retried);
    held(&store, folder.path(), "e.mov", needs).await;
    store.remove(vec![first]).await.unwrap();
    assert_eq!(found(&store, "").await, [fourth, third, second, first]);

    let mut seen = Vec::new();
    let mut before = None;
    while let Some(ended) = store.ended(Search::default(), before, 1).await.unwrap().pop() {
        before = Some(EndedBefore { ended_at: ended.at, upload_id: ended.id });
        assert_eq!(ended.upload.is_none(), ended.id == first);
        assert_eq!(ended.receipt.is_some(), ended.id == first || ended.id == third);
        seen.push((ended.id, ended.at.0));
    }
    assert_eq!(seen, [(fourth, 40), (third, 30), (second, 20), (first, 10)]);
}

#[tokio::test]
async fn of_one_moment_none_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        all.push(finished(&store, folder.path(), name, 7).await);
        let cancelled = (7, Hold::Cancelled, Event::Cancelled);
        all.push(held(&store, folder.path(), name, cancelled).await);
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.ended(Search::default(), before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(EndedBefore { ended_at: last.at, upload_id: last.id });
        seen.extend(page.iter().map(|ended| ended.id));
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_search_finds_every_word_anywhere_whatever_its_case() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let plain = finished(&store, folder.path(), "harbour_01.mov", 10).await;
    let umlaut = finished(&store, folder.path(), "Überfahrt.mov", 20).await;
    let gone = finished(&store, folder.path(), "harbour_02.mov", 30).await;
    store.remove(vec![gone]).await.unwrap();
    assert_eq!(found(&store, "HARBOUR").await, [gone, plain]);
    assert_eq!(found(&store, "harbour 02").await, [gone]);
    assert_eq!(found(&store, "überFAHRT").await, [umlaut]);
    assert_eq!(found(&store, "title harbour").await, [plain]);
    assert_eq!(found(&store, "video-30").await, [gone]);
    assert_eq!(found(&store, "video-3").await, []);
    assert_eq!(found(&store, &plain.to_string()).await, [plain]);
    assert_eq!(found(&store, "harbour fahrt").await, []);
    let own_folder = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(found(&store, &own_folder).await, []);
}

#[tokio::test]
async fn parts_are_counted_by_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    for number in [1, 2, 3, 5, 9, 10] {
        store.keep(row.id, receipt(number)).await.unwrap();
    }
    let in_runs = |count, runs| store.parts_by_run(row.id, count, runs);
    assert_eq!(in_runs(10, 10).await.unwrap().len(), 6);
    assert_eq!(in_runs(10, 4).await.unwrap(), [(0, 3), (1, 1), (3, 2)]);
    // A plan that has fewer, after a session that had more.
    assert_eq!(in_runs(2, 1).await.unwrap(), [(0, 2)]);
}
