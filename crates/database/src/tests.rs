#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use super::*;

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL) STRICT")])
}

fn rows(connection: &Connection) -> Result<i64, DatabaseError> {
    Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
}

#[tokio::test]
async fn one_failing_work_does_not_undo_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("a.db"), &migrations()).unwrap();
    let works = (0..40).map(|i| {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .write::<_, DatabaseError, _>(move |connection| {
                    connection.execute("INSERT INTO t (v) VALUES (?1)", [i.to_string()])?;
                    if i % 4 == 0 { Err(DatabaseError::Stale) } else { Ok(()) }
                })
                .await
        })
    });
    let mut failed = 0;
    for work in works.collect::<Vec<_>>() {
        failed += usize::from(work.await.unwrap().is_err());
    }
    assert_eq!(failed, 10);
    assert_eq!(database.read(rows).await.unwrap(), 30);
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("a.db"), &migrations()).unwrap();
    let refused = database
        .read::<_, DatabaseError, _>(|c| Ok(c.execute("INSERT INTO t (v) VALUES ('x')", [])?))
        .await;
    assert!(matches!(refused, Err(DatabaseError::Sqlite(_))));
}

#[test]
fn a_newer_schema_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(Database::open(&path, &migrations()).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 9).unwrap();
    drop(newer);
    assert!(matches!(Database::open(&path, &migrations()), Err(DatabaseError::NewerSchema)));
}

#[tokio::test]
async fn beside_its_owner_only_a_file_of_this_version_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    assert!(Database::open_existing(&path, &migrations()).is_err());
    assert!(!path.exists(), "nothing is made");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let other = Database::open_existing(&path, &migrations());
    assert!(matches!(other, Err(DatabaseError::Damaged(_))), "{other:?}");
    assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 8192]);
    std::fs::remove_file(&path).unwrap();

    let owner = Database::open(&path, &migrations()).unwrap();
    let beside = Database::open_existing(&path, &migrations()).unwrap();
    for database in [&owner, &beside] {
        let insert = |c: &Connection| Ok(c.execute("INSERT INTO t (v) VALUES ('x')", [])?);
        database.write::<_, DatabaseError, _>(insert).await.unwrap();
    }
    drop(beside);
    assert_eq!(owner.read(rows).await.unwrap(), 2);
    drop(owner);
    let later = Migrations::new(vec![M::up("CREATE TABLE t (v)"), M::up("CREATE TABLE u (v)")]);
    let older = Database::open_existing(&path, &later);
    assert!(matches!(older, Err(DatabaseError::OlderSchema)));
    let newer = Database::open_existing(&path, &Migrations::new(vec![]));
    assert!(matches!(newer, Err(DatabaseError::NewerSchema)));
}

#[test]
fn a_file_that_is_no_database_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    assert!(matches!(Database::open(&path, &migrations()), Err(DatabaseError::Damaged(_))));
    assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 8192]);
}

#[tokio::test]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_after_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("a.db"), &migrations()).unwrap();
    let room = async |pages: i64| {
        let set = move |connection: &Connection| {
            Ok(connection.pragma_update(None, "max_page_count", pages)?)
        };
        database.write::<_, DatabaseError, _>(set).await.unwrap();
    };
    let insert = |bytes: usize| {
        let database = database.clone();
        async move {
            let text = "x".repeat(bytes);
            let write =
                move |c: &Connection| Ok(c.execute("INSERT INTO t (v) VALUES (?1)", [text])?);
            database.write::<_, DatabaseError, _>(write).await
        }
    };
    insert(10).await.unwrap();
    room(10).await;
    let group = (0..20).map(|_| tokio::spawn(insert(100 << 10)));
    for insert in group.collect::<Vec<_>>() {
        let error = insert.await.unwrap().unwrap_err();
        assert!(error.is_full(), "{error:?}");
    }
    assert_eq!(database.read(rows).await.unwrap(), 1, "what was there is there");
    room(100_000).await;
    insert(100 << 10).await.unwrap();
    assert_eq!(database.read(rows).await.unwrap(), 2);
    let times = database.commit_times();
    let commits = times.buckets.iter().map(|(_, count)| count).sum::<u64>() + times.slower;
    assert!(commits >= 4 && !times.total.is_zero(), "{times:?}");
}
