//! The order of what waits: with an engine whose other side is in memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use url::Url;

use crate::clock::SystemClock;
use crate::engine::start_connected;
use crate::error::Code;
use crate::net::{Clients, NetOptions};
use crate::protocol::memory::{Memory, Shape};
use crate::rules::Switch;
use crate::store::Spot;
use crate::team::{Connection, Team};
use crate::transfer::{List, Phase, Schedule, UploadId};
use crate::view::{Change, News, UploadView};
use crate::{EngineHandle, EngineTask, Options};

const LIMIT: Duration = Duration::from_secs(60);

/// An engine that begins nothing until its schedule is another one.
async fn engine(folder: &Path) -> (EngineHandle, EngineTask) {
    let url = Url::parse("http://localhost/").unwrap();
    let clients = Clients::new(NetOptions::default()).unwrap();
    let team = Team::unasked(Connection::with_key(url, String::new().into()), clients);
    let memory = Arc::new(Memory::new(Shape::Single, 1 << 20));
    let connected = Some((Arc::new(team), memory as _));
    let (queue, clock) = (folder.join("queue.db"), Arc::new(SystemClock));
    let starting = start_connected(&queue, clock, Options::default(), connected);
    let (engine, task) = starting.await.unwrap();
    // This computer may itself be on a metered network.
    engine.turn(Switch::PauseOnMetered, false).await.unwrap();
    engine.set_schedule("daily 00:00-24:00 pause".parse().unwrap()).await.unwrap();
    (engine, task)
}

/// One after the other, as somebody drops them.
async fn add(engine: &EngineHandle, folder: &Path, many: u8) -> Vec<UploadId> {
    let mut ids = Vec::new();
    for number in 0..many {
        let path = folder.join(format!("{number}.mp4"));
        std::fs::write(&path, [b"\0\0\0\x10ftypisom\0\0\0\0".as_slice(), &[number; 64]].concat())
            .unwrap();
        let added = engine.add(vec![path], Some("root".into())).await.unwrap();
        ids.push(added.uploads[0].id);
    }
    ids
}

/// The next news of uploads, or that all have other places.
async fn told(changes: &mut Receiver<Change>) -> Option<Vec<UploadView>> {
    let next = async {
        loop {
            match changes.recv().await.unwrap().news {
                News::Uploads { uploads } => return Some(uploads),
                News::Order => return None,
                _ => {}
            }
        }
    };
    timeout(LIMIT, next).await.unwrap()
}

#[tokio::test]
async fn another_order_is_told_is_kept_and_is_the_one_in_which_uploads_begin() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, task) = engine(folder.path()).await;
    let ids = add(&engine, folder.path(), 4).await;
    let mut changes = engine.subscribe();
    engine.put(vec![ids[3], ids[2]], Spot::Before(ids[0])).await.unwrap();
    let uploads = told(&mut changes).await.unwrap();
    let all = engine.uploads(ids.clone()).await.unwrap();
    let place = |id: UploadId| all.iter().find(|upload| upload.id == id).unwrap().place;
    assert_eq!(uploads.len(), 2);
    assert!(uploads.iter().all(|upload| upload.place == place(upload.id)));
    assert!(place(ids[3]) < place(ids[2]) && place(ids[2]) < place(ids[0]));

    engine.set_first(vec![ids[1]], true).await.unwrap();
    let [next] = &told(&mut changes).await.unwrap()[..] else { panic!("more than it are told") };
    assert!(next.id == ids[1] && next.first && next.place < place(ids[3]));
    engine.set_first(vec![ids[1]], false).await.unwrap();
    assert!(!told(&mut changes).await.unwrap()[0].first);
    engine.put(vec![ids[1]], Spot::End).await.unwrap();
    engine.stop(task).await;

    let wanted = [ids[3], ids[2], ids[0], ids[1]];
    let (engine, task) = self::engine(folder.path()).await;
    assert_eq!(engine.ids(List::Waiting).await.unwrap(), wanted, "after a restart");
    let mut changes = engine.subscribe();
    engine.set_uploads(1).await.unwrap();
    engine.set_schedule(Schedule::default()).await.unwrap();
    let mut began = Vec::new();
    while began.len() < wanted.len() {
        for upload in told(&mut changes).await.unwrap() {
            if upload.phase > Phase::Queued && !began.contains(&upload.id) {
                began.push(upload.id);
            }
        }
    }
    assert_eq!(began, wanted);
    engine.stop(task).await;
}

#[tokio::test]
async fn nothing_is_put_before_what_is_not_in_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, task) = engine(folder.path()).await;
    let ids = add(&engine, folder.path(), 3).await;
    engine.cancel(vec![ids[0]]).await.unwrap();
    let ended = engine.put(vec![ids[2]], Spot::Before(ids[0])).await.unwrap_err();
    let unknown = engine.put(vec![ids[2]], Spot::Before(UploadId::new())).await.unwrap_err();
    assert_eq!((ended.code, unknown.code), (Code::WrongState, Code::NotFound));
    assert_eq!(engine.ids(List::Waiting).await.unwrap(), ids[1..]);
    engine.stop(task).await;
}

#[tokio::test]
async fn where_no_room_is_left_all_have_new_places_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, task) = engine(folder.path()).await;
    let ids = add(&engine, folder.path(), 3).await;
    let mut changes = engine.subscribe();
    let mut all = 0;
    for round in 0..100 {
        // Always between the same two, whose distance halves.
        let (moved, above) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        engine.put(vec![ids[moved]], Spot::Before(ids[2])).await.unwrap();
        all += usize::from(told(&mut changes).await.is_none());
        let order = engine.ids(List::Waiting).await.unwrap();
        assert_eq!(order, [ids[above], ids[moved], ids[2]], "round {round}");
    }
    assert!(all > 0);
    engine.stop(task).await;
}
