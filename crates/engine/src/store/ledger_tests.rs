use crate::source::Crc64;
use crate::store::tests::upload;
use crate::transfer::{Event, HoldKind, Phase, State, Timestamp, Why, Words};

use super::*;

fn failed(text: &str) -> Event {
    Event::Failed { why: Why::Transport { detail: Words::of(text) }, then: HoldKind::Offline }
}

async fn happens(store: &Store, row: &mut Upload, at: i64, events: Vec<Event>) {
    let happened = events.into_iter().map(Happened::from).collect();
    let written = Written { happened, ..Written::only(row.clone(), Timestamp(at)) };
    store.update(vec![written]).await.unwrap();
    row.rev += 1;
}

#[tokio::test]
async fn what_happens_again_and_again_is_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    happens(&store, &mut row, 10, vec![Event::Begun, failed("cut")]).await;
    happens(&store, &mut row, 20, vec![failed("cut")]).await;
    happens(&store, &mut row, 30, vec![failed("reset"), Event::Paused]).await;
    let all = store.history(row.id, 0, 10).await.unwrap();
    let seen: Vec<_> = all.iter().map(|e| (e.number, e.at.0, e.last_at.0, e.times)).collect();
    assert_eq!(seen, [(1, 10, 10, 1), (2, 10, 20, 2), (3, 30, 30, 1), (4, 30, 30, 1)]);
    assert_eq!(all[1].event, failed("cut"));
    assert_eq!(store.history(row.id, 2, 1).await.unwrap(), all[2..3]);
    store.remove(vec![row.id]).await.unwrap();
    assert!(store.history(row.id, 0, 10).await.unwrap().is_empty());
}

/// However long it takes, a history has an end; its milestones and the count of its tries stay.
#[tokio::test]
async fn a_history_is_bounded_and_counts_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("queue.db")).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    happens(&store, &mut row, 1, vec![Event::Begun]).await;
    for time in 2..600 {
        let event = if time % 3 == 0 { Event::Connected } else { failed(&format!("cut {time}")) };
        happens(&store, &mut row, time, vec![event]).await;
        let rows = store.history(row.id, 0, 10_000).await.unwrap();
        assert!(rows.len() <= 201, "{}", rows.len());
    }
    let rows = store.history(row.id, 0, 10_000).await.unwrap();
    assert!(rows.is_sorted_by(|a, b| a.number < b.number && a.last_at <= b.at));
    assert_eq!(rows[0].event, Event::Begun);
    let Event::Omitted { events, .. } = rows[1].event else { panic!("{:?}", rows[1]) };
    assert_eq!(events + rows[2..].iter().map(|row| row.times).sum::<u64>(), 598);
    let retries: u64 = rows.iter().map(|row| row.event.retries(row.times)).sum();
    assert_eq!(retries, (2..600).filter(|time| time % 3 != 0).count() as u64);
}

#[tokio::test]
async fn a_receipt_outlives_its_upload_and_contradicts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let store = Store::open(&path).unwrap();
    let mut row = upload(folder.path());
    store.insert(vec![row.clone()]).await.unwrap();
    happens(&store, &mut row, 7, vec![Event::Begun, failed("cut"), failed("cut")]).await;
    row.state = State { phase: Phase::Processing, ..State::NEW };
    row.registration = Registration::Done;
    row.video_id = Some("v".into());
    row.uploaded_at = Some(Timestamp(9));
    row.session = Some(Session { key: "k".into(), kind: SessionKind::Single });
    let checksum = Crc64::of(b"bytes");
    let compared = Compared {
        checksum,
        parts: 1,
        proof: Proof::Reported,
        said_size: Some(5),
        said_checksum: Some(checksum),
    };
    for wrong in [
        Compared { said_size: Some(6), ..compared },
        Compared { said_checksum: Some(Crc64::EMPTY), ..compared },
    ] {
        let written = Written { finished: Some(wrong), ..Written::only(row.clone(), Timestamp(9)) };
        assert!(store.update(vec![written]).await.is_err(), "{wrong:?}");
        let (now, _) = store.uploads(vec![row.id]).await.unwrap().remove(0);
        assert_eq!(now.state.phase, Phase::Queued, "a mismatch is never done");
        assert_eq!(store.upload_receipt(row.id).await.unwrap(), None);
    }
    let written = Written { finished: Some(compared), ..Written::only(row.clone(), Timestamp(9)) };
    store.update(vec![written]).await.unwrap();
    store.remove(vec![row.id]).await.unwrap();
    drop(store);

    let store = Store::open(&path).unwrap();
    let receipt = store.upload_receipt(row.id).await.unwrap().unwrap();
    assert_eq!((receipt.size, receipt.key.as_str(), receipt.retries), (5, "k", 2));
    assert_eq!(receipt.compared, compared);
    assert_eq!(receipt.began_at, Some(Timestamp(7)));
    assert_eq!((receipt.added_at, receipt.finished_at), (Timestamp(1), Timestamp(9)));
    assert_eq!((&receipt.path, &receipt.destination), (&row.path, &row.destination));
    assert_eq!(store.upload_receipts(None, 10).await.unwrap(), [receipt]);
    assert_eq!(store.upload_receipts(Some(row.id), 10).await.unwrap(), []);
}
