use crate::census::{Census, Share};
use crate::error::Code;
use crate::store::tests::upload;
use crate::transfer::{Hold, Phase, State, Timestamp};

use super::*;

/// Every state that the table of uploads lets be.
fn states() -> Vec<State> {
    let phases = [
        Phase::Queued,
        Phase::Beginning,
        Phase::Uploading,
        Phase::Finishing,
        Phase::Processing,
        Phase::Ready,
    ];
    let holds = [
        Hold::None,
        Hold::Paused,
        Hold::Backoff { until: Timestamp(1) },
        Hold::Offline { until: Timestamp(1) },
        Hold::SourceMissing,
        Hold::NeedsUser { code: Code::SignedOut },
        Hold::Cancelled,
        Hold::Failed { code: Code::Refused },
    ];
    let of = |phase| holds.map(|hold| State { phase, hold, attempts: 0, cleanup: false });
    let all = phases.into_iter().flat_map(of);
    all.filter(|state| state.phase != Phase::Ready || state.hold == Hold::None).collect()
}

fn in_state(folder: &Path, state: State) -> Upload {
    let mut row = Upload { state, ..upload(folder) };
    row.registration = Registration::Done;
    row.video_id = Some("v".into());
    row.uploaded_at = Some(Timestamp(1));
    row.session = Some(Session { key: "k".into(), kind: SessionKind::Single });
    row
}

async fn add(store: &Store, folder: &Path, state: State) -> Upload {
    let row = in_state(folder, state);
    store.insert(vec![row.clone()]).await.unwrap();
    store.update(vec![Written::only(row.clone(), Timestamp(5))]).await.unwrap();
    store.uploads(vec![row.id]).await.unwrap().remove(0).0
}

#[tokio::test]
async fn the_table_has_each_upload_in_the_list_of_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    for state in states() {
        let row = add(&store, folder.path(), state).await;
        let ids = store.ids(List::of(state)).await.unwrap();
        assert!(ids.contains(&row.id), "{state:?}");
    }
    let mut census = Census::new(store.tallies().await.unwrap());
    for list in census.lists() {
        assert_eq!(list.count, store.ids(list.list).await.unwrap().len() as u64);
    }
    for list in List::ALL {
        for row in store.uploads(store.ids(list).await.unwrap()).await.unwrap() {
            census.take(Share::of(&row.0, row.1));
        }
    }
    assert_eq!(census.totals(), crate::view::Totals::default(), "what was counted is all there is");
    assert!(census.lists().iter().all(|list| list.count == 0));
}

#[tokio::test]
async fn what_waits_is_put_where_somebody_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let rows: Vec<_> = (0..5).map(|_| upload(folder.path())).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    store.insert(rows).await.unwrap();
    let order = async || {
        let now = store.ids(List::Waiting).await.unwrap();
        now.iter().map(|id| ids.iter().position(|i| i == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(order().await, [0, 1, 2, 3, 4]);
    store.put(vec![ids[3], ids[1]], Spot::Front).await.unwrap();
    assert_eq!(order().await, [3, 1, 0, 2, 4]);
    store.put(vec![ids[4]], Spot::Before(ids[0])).await.unwrap();
    assert_eq!(order().await, [3, 1, 4, 0, 2]);
    store.put(vec![ids[3]], Spot::End).await.unwrap();
    assert_eq!(order().await, [1, 4, 0, 2, 3]);
    // However often two change places, there is room between their neighbours.
    for round in 0..100 {
        let (moved, before) = if round % 2 == 0 { (0, 4) } else { (4, 0) };
        store.put(vec![ids[moved]], Spot::Before(ids[before])).await.unwrap();
    }
    assert_eq!(order().await, [1, 4, 0, 2, 3]);
    let first = |rows: Vec<(Upload, u64)>| rows.first().map(|(row, _)| row.id);
    let server = || "http://127.0.0.1:1/".to_owned();
    assert_eq!(first(store.next(server(), 1).await.unwrap()), Some(ids[1]));
    store.set_first(vec![ids[2]], true).await.unwrap();
    assert_eq!(first(store.next(server(), 1).await.unwrap()), Some(ids[2]));
}

/// Places are of one line, whatever list an upload is in: two that came while nothing waited, and
/// wait later, stand apart, and others fit between.
#[tokio::test]
async fn what_went_on_has_a_place_of_its_own_when_it_waits_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let sending = State { phase: Phase::Uploading, ..State::NEW };
    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(add(&store, folder.path(), sending).await);
    }
    let late = upload(folder.path());
    store.insert(vec![late.clone()]).await.unwrap();
    for row in &begun {
        let row = Upload { state: State { hold: Hold::Paused, ..sending }, ..row.clone() };
        store.update(vec![Written::only(row, Timestamp(6))]).await.unwrap();
    }
    let ids: Vec<_> = begun.iter().map(|row| row.id).chain([late.id]).collect();
    assert_eq!(store.ids(List::Waiting).await.unwrap(), ids);
    let put = store.put(vec![late.id], Spot::Before(ids[1])).await.unwrap();
    assert_eq!(put, Reordered::Named);
    let wanted = [ids[0], late.id, ids[1], ids[2]];
    assert_eq!(store.ids(List::Waiting).await.unwrap(), wanted);
}

/// As queues of earlier versions have them.
#[tokio::test]
async fn uploads_in_one_place_get_places_of_their_own_when_one_is_put_before_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let rows: Vec<_> = UploadId::in_order().take(4).collect();
    let rows = rows.into_iter().map(|id| Upload { id, ..upload(folder.path()) });
    let rows: Vec<_> = rows.collect();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    store.insert(rows).await.unwrap();
    store.write(|c| Ok(c.execute("UPDATE uploads SET place = 7", [])?)).await.unwrap();
    let put = store.put(vec![ids[3]], Spot::Before(ids[1])).await.unwrap();
    assert_eq!(put, Reordered::All);
    let wanted = [ids[0], ids[3], ids[1], ids[2]];
    assert_eq!(store.ids(List::Waiting).await.unwrap(), wanted);
}

#[tokio::test]
async fn any_index_of_a_long_list_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let one = upload(folder.path());
    let rows = (0..3000).map(|_| Upload { id: UploadId::new(), ..one.clone() });
    store.insert(rows.collect()).await.unwrap();
    let census = Census::new(store.tallies().await.unwrap());
    let ids = store.ids(List::Waiting).await.unwrap();
    for index in [0, 1, 1022, 1023, 1024, 2047, 2998, 2999] {
        let (shelf, skip) = census.locate(List::Waiting, index).unwrap();
        let page = store.page(List::Waiting, shelf, skip, 2).await.unwrap();
        let at = usize::try_from(index).unwrap();
        let found: Vec<_> = page.iter().map(|(row, _)| row.id).collect();
        assert_eq!(found, ids[at..(at + 2).min(ids.len())], "{index}");
        let row = &page[0].0;
        let before = census.before(List::Waiting, Shelf::of(row.place));
        let on_shelf = store.before_on_shelf(List::Waiting, row.place).await.unwrap();
        assert_eq!(before + on_shelf, index);
    }
    assert_eq!(census.locate(List::Waiting, 3000), None);
    assert_eq!(census.locate(List::Done, 0), None);
}

#[tokio::test]
async fn what_has_ended_stands_newest_first_and_keeps_no_parts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut ended = Vec::new();
    for _ in 0..3 {
        let row = add(&store, folder.path(), State::NEW).await;
        let receipt = crate::store::tests::receipt(1);
        store.keep(row.id, receipt).await.unwrap();
        ended.push(row);
    }
    for row in &ended {
        let state = State { hold: Hold::Cancelled, ..row.state };
        let row = Upload { state, ..row.clone() };
        store.update(vec![Written::only(row, Timestamp(5))]).await.unwrap();
        assert!(store.receipts(ended[0].id).await.unwrap().is_empty());
    }
    let newest_first: Vec<_> = ended.iter().rev().map(|row| row.id).collect();
    assert_eq!(store.ids(List::Done).await.unwrap(), newest_first);
}
