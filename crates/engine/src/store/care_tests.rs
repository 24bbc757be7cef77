use std::collections::HashMap;

use crate::error::Code;
use crate::store::tests::{receipt, upload};
use crate::transfer::{Event, Hold, State, Timestamp};

use super::*;
use crate::store::{Upload, Written};
use crate::transfer::{List, UploadId};

const ROWS: usize = 250;
const PAGE: usize = 4096;
const AGE: Duration = Duration::from_secs(600);

/// A queue of many uploads with parts and histories, and the ids in it.
async fn queue(path: &Path) -> Vec<Upload> {
    let store = Store::open(path).unwrap();
    let one = upload(path.parent().unwrap());
    let row = |number: usize| Upload {
        id: UploadId::new(),
        title: format!("A001_C{number:04}"),
        ..one.clone()
    };
    let rows: Vec<_> = (0..ROWS).map(row).collect();
    store.insert(rows.clone()).await.unwrap();
    for row in rows.iter().step_by(5) {
        let state = State { hold: Hold::NeedsUser { code: Code::SignedOut }, ..row.state };
        let written = Written {
            happened: vec![Event::Begun.into(), Event::Paused.into()],
            ..Written::only(Upload { state, ..row.clone() }, Timestamp(3))
        };
        store.update(vec![written]).await.unwrap();
        for part in 1..4 {
            store.keep(row.id, receipt(part)).await.unwrap();
        }
    }
    store.close().await;
    rows
}

/// Everything that lists and single questions give.
async fn try_all(store: &Store) -> Result<HashMap<UploadId, String>, DatabaseError> {
    let mut all = HashMap::new();
    for list in List::ALL {
        for (row, _) in store.uploads(store.ids(list).await?).await? {
            store.receipts(row.id).await?;
            store.history(row.id, 0, 500).await?;
            all.insert(row.id, row.title);
        }
    }
    store.tallies().await?;
    store.begun().await?;
    Ok(all)
}

async fn all(store: &Store) -> HashMap<UploadId, String> {
    try_all(store).await.unwrap()
}

/// Opens a queue as the engine does: at the start, and again where damage is met later.
async fn open(path: &Path) -> (Store, Option<Rebuilt>, HashMap<UploadId, String>) {
    let (store, rebuilt) = Store::open_or_rebuild(path, Timestamp(2)).unwrap();
    match try_all(&store).await {
        Ok(all) => return (store, rebuilt, all),
        Err(error) => assert!(error.is_damage() && rebuilt.is_none(), "{error:?}"),
    }
    tokio::time::timeout(Duration::from_secs(5), store.damaged()).await.unwrap();
    store.close().await;
    let (store, rebuilt) = Store::rebuild(path, Timestamp(2)).unwrap();
    let all = all(&store).await;
    (store, Some(rebuilt), all)
}

fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut luck = fastrand::Rng::with_seed(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..luck.usize(1..6) {
        let first = usize::from(luck.u8(..) > 12);
        let page = luck.usize(first..bytes.len() / PAGE) * PAGE;
        let page = &mut bytes[page..page + PAGE];
        match luck.u8(0..3) {
            0 => page.fill(0),
            1 => luck.fill(page),
            _ => (0..luck.usize(1..40)).for_each(|_| page[luck.usize(..PAGE)] ^= luck.u8(1..)),
        }
    }
    bytes
}

/// Whatever is damaged: it opens, the damaged file is kept as it was, and every upload that the
/// file or its backup still has is there.
#[tokio::test]
async fn a_damaged_queue_is_kept_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.db");
    let rows = queue(&whole).await;
    let bytes = std::fs::read(&whole).unwrap();
    let mut rebuilds = 0;
    for seed in 0..40 {
        let path = folder.path().join(format!("{seed}/queue.db"));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let backed_up = seed % 2 == 0;
        if backed_up {
            std::fs::write(&path, &bytes).unwrap();
            backup::take(&path, Timestamp(1)).unwrap();
        }
        let broken = damaged(&bytes, seed);
        std::fs::write(&path, &broken).unwrap();
        let (store, rebuilt, found) = open(&path).await;
        let Some(rebuilt) = rebuilt else { continue };
        rebuilds += 1;
        assert_eq!(std::fs::read(&rebuilt.kept).unwrap(), broken, "seed {seed}: not kept");
        assert_eq!(rebuilt.uploads, found.len() as u64, "seed {seed}");
        let missing = rows.iter().filter(|row| !found.contains_key(&row.id)).count();
        assert!(missing == 0 || rebuilt.some_lost, "seed {seed}: {missing} lost in silence");
        assert!(missing == 0 || !backed_up, "seed {seed}: {missing} were in the backup");
        let row = upload(path.parent().unwrap());
        store.insert(vec![row.clone()]).await.unwrap();
        store.close().await;
        let (store, again) = Store::open_or_rebuild(&path, Timestamp(3)).unwrap();
        assert_eq!(again, None, "seed {seed}: what was made anew is whole");
        assert_eq!(store.uploads(vec![row.id]).await.unwrap().len(), 1);
    }
    assert!(rebuilds > 30, "hardly anything was damaged: {rebuilds}");
}

/// What had not reached the file itself yet is read from its journal.
#[tokio::test]
async fn what_stands_in_the_journal_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/queue.db");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let rows = queue(&path).await;
    let store = Store::open(&path).unwrap();
    let late = upload(folder.path());
    store.insert(vec![late.clone()]).await.unwrap();
    let wal = std::fs::read(path.with_file_name("queue.db-wal")).unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - PAGE;
    bytes[last..].fill(0x5a);
    // As a power cut leaves them: a journal that was not played into its file.
    std::fs::write(&path, &bytes).unwrap();
    std::fs::write(path.with_file_name("queue.db-wal"), &wal).unwrap();
    let (store, _) = Store::open_or_rebuild(&path, Timestamp(2)).unwrap();
    assert!(all(&store).await.contains_key(&late.id));
    assert!(!rows.is_empty());
}

#[tokio::test]
async fn damage_is_told_where_it_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    queue(&path).await;
    let mut bytes = std::fs::read(&path).unwrap();
    // What every opening reads, which is the schema, lies before.
    bytes[36 * PAGE..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    // As a file that is too large to be checked at once.
    let store = Store::of(Database::open_unchecked(&path, &migrations()).unwrap(), &path);
    assert!(store.ids(List::Waiting).await.is_err());
    tokio::time::timeout(Duration::from_secs(5), store.damaged()).await.unwrap();
    store.check().await;
    tokio::time::timeout(Duration::from_secs(5), store.damaged()).await.unwrap();
    store.close().await;
    let (store, rebuilt) = Store::rebuild(&path, Timestamp(1)).unwrap();
    assert!(rebuilt.some_lost && rebuilt.uploads < ROWS as u64, "{rebuilt:?}");
    assert_eq!(all(&store).await.len() as u64, rebuilt.uploads);
}

#[tokio::test]
async fn backups_are_taken_when_something_changed_and_two_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let store = Store::open(&path).unwrap();
    store.insert(vec![upload(folder.path())]).await.unwrap();
    let copies = || {
        let files = std::fs::read_dir(folder.path().join("backups")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let now = crate::clock::Clock::now(&crate::clock::SystemClock);
    store.back_up(now, AGE).await.unwrap();
    let first = copies();
    assert_eq!(first.len(), 1);
    store.back_up(now.after(AGE), AGE).await.unwrap();
    assert_eq!(copies(), first, "nothing has changed");
    let later = |times: u32| now.after(AGE * times);
    for times in 1..5 {
        store.insert(vec![upload(folder.path())]).await.unwrap();
        // As if it had been written just now, by that time.
        let written = std::time::UNIX_EPOCH + Duration::from_millis(later(times).0.unsigned_abs());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
        store.back_up(later(times), AGE).await.unwrap();
    }
    let kept = copies();
    assert!(kept.len() == 2 && !kept.contains(&first[0]), "{kept:?}");
    let newest = Store::open(&backup::newest(&path).unwrap()).unwrap();
    assert_eq!(all(&newest).await.len(), 5);
}

#[tokio::test]
async fn a_newer_schema_is_left_alone_and_every_older_one_is_copied_and_moved_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let rows = queue(&path).await;
    let set = |version: usize| {
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", version.cast_signed()).unwrap();
    };
    set(SCHEMAS.len() + 1);
    let before = std::fs::read(&path).unwrap();
    let refused = Store::open_or_rebuild(&path, Timestamp(1));
    assert!(matches!(refused, Err(DatabaseError::NewerSchema)), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(!path.with_file_name("backups").exists() && !path.with_file_name("damaged").exists());
    std::fs::remove_file(&path).unwrap();

    for version in 1..SCHEMAS.len() {
        let mut connection = Connection::open(&path).unwrap();
        migrations().to_version(&mut connection, version).unwrap();
        let registered = if version == 1 { "register_tried" } else { "place, registration" };
        let values = if version == 1 { "1" } else { "1, 'tried'" };
        let fingerprint = serde_json::to_string(&rows[0].fingerprint).unwrap();
        let insert = format!(
            "INSERT INTO uploads (id, phase, hold, attempts, cleanup, path, title, content_type,
                 size, fingerprint, server, project_id, project, team, added_at, {registered})
             VALUES (?1, 'queued', 'none', 0, 0, x'61', 'a', 'video/mp4', 5, ?2, 'http://s/', 'p',
                 'P', 'T', 1, {values})"
        );
        connection.execute(&insert, (rows[0].id.to_string(), fingerprint)).unwrap();
        drop(connection);
        let now = Timestamp(i64::try_from(version).unwrap());
        let (store, rebuilt) = Store::open_or_rebuild(&path, now).unwrap();
        assert_eq!(rebuilt, None);
        assert!(all(&store).await.contains_key(&rows[0].id), "from version {version}");
        let copy = Connection::open(backup::newest(&path).unwrap()).unwrap();
        let copied: i64 = copy.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(copied, now.0, "as it was before");
        store.close().await;
        std::fs::remove_file(&path).unwrap();
    }
}
