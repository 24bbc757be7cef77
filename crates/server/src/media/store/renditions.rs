//! Table `renditions`: what is made of an asset after its first rendition, one size each.
//!
//! `pending → running → done`, or `failed` after several tries. None is started before the first
//! rendition of its asset is on disk, nor while an asset waits for its first one.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE renditions (
    asset TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    height INTEGER NOT NULL CHECK (height > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed')),
    input TEXT CHECK (input IS NULL OR state IN ('pending', 'running')),
    starts INTEGER NOT NULL DEFAULT 0 CHECK (starts >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    due_at INTEGER NOT NULL DEFAULT 0,
    variant TEXT,
    bytes INTEGER CHECK (bytes > 0),
    PRIMARY KEY (asset, height),
    CHECK ((state = 'done') = (variant IS NOT NULL)),
    CHECK ((state = 'done') = (bytes IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX renditions_not_done ON renditions (state, height, asset) WHERE state = 'pending';
";

/// A rendition to make. Its input is presigned: no `Debug`.
#[derive(Clone)]
pub(in crate::media) struct Step {
    /// Of which asset.
    pub(in crate::media) asset: String,
    /// The height that names it.
    pub(in crate::media) height: u32,
    /// Address of the original; `None`: the first rendition has the original's own picture.
    pub(in crate::media) input: Option<String>,
    /// How often it was started, this time included.
    pub(in crate::media) starts: u32,
    /// How often it failed.
    pub(in crate::media) failures: u32,
    /// How many were planned for the asset.
    pub(in crate::media) planned: u32,
    /// Seconds of the asset.
    pub(in crate::media) duration: f64,
}

/// What the renditions of an asset amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) struct Count {
    /// All that were planned.
    pub(in crate::media) planned: u32,
    /// Those that are made, and those that will not be.
    pub(in crate::media) ended: u32,
}

/// Plans the renditions of an asset whose first one was just made. What was made before is gone.
pub(in crate::media) fn plan(
    connection: &Connection,
    asset: &str,
    heights: &[u32],
    input: Option<&str>,
) -> Result<(), DatabaseError> {
    connection.execute("DELETE FROM renditions WHERE asset = ?1", [asset])?;
    let sql = "INSERT INTO renditions (asset, height, state, input) VALUES (?1, ?2, 'pending', ?3)";
    let mut statement = connection.prepare(sql)?;
    for height in heights {
        statement.execute(params![asset, height, input])?;
    }
    Ok(())
}

/// Takes a pending rendition, the cheapest first, which is running from then on. One of an asset at
/// a time.
pub(in crate::media) fn take(
    connection: &Connection,
    now: i64,
) -> Result<Option<Step>, DatabaseError> {
    let sql = "SELECT r.asset, r.height, a.duration
               FROM renditions r
               JOIN jobs j ON j.asset = r.asset AND j.state = 'done'
               JOIN assets a ON a.id = r.asset AND a.status = 'ready'
               WHERE r.state = 'pending' AND r.due_at <= ?1
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'pending')
                 AND NOT EXISTS (SELECT 1 FROM renditions o
                                 WHERE o.asset = r.asset AND o.state = 'running')
               ORDER BY r.height, r.asset LIMIT 1";
    let found = connection
        .query_row(sql, [now], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, f64>(2)?))
        })
        .optional()?;
    let Some((asset, height, duration)) = found else { return Ok(None) };
    let planned = count(connection, &asset)?.planned;
    let sql = "UPDATE renditions SET state = 'running', starts = starts + 1
               WHERE asset = ?1 AND height = ?2 AND state = 'pending'
               RETURNING input, starts, failures";
    Ok(connection
        .query_row(sql, params![asset, height], |row| {
            let (input, starts, failures) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Step { asset: asset.clone(), height, input, starts, failures, planned, duration })
        })
        .optional()?)
}

/// A rendition is whole on disk: from now on it is in the master playlist. Its input is forgotten.
pub(in crate::media) fn done(
    connection: &Connection,
    asset: &str,
    height: u32,
    variant: &str,
    bytes: u64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE renditions SET state = 'done', input = NULL, variant = ?3, bytes = ?4
         WHERE asset = ?1 AND height = ?2 AND state = 'running'",
        params![asset, height, variant, i64::try_from(bytes).ok()],
    )?)
}

/// A try failed; another one follows at `due_at`, or none.
pub(in crate::media) fn failed(
    connection: &Connection,
    asset: &str,
    height: u32,
    due_at: Option<i64>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE renditions SET failures = failures + 1, due_at = coalesce(?3, 0),
             state = CASE WHEN ?3 IS NULL THEN 'failed' ELSE 'pending' END,
             input = CASE WHEN ?3 IS NULL THEN NULL ELSE input END
         WHERE asset = ?1 AND height = ?2 AND state = 'running'",
        params![asset, height, due_at],
    )?)
}

/// At start: what was half made when the process ended is to be made again.
pub(in crate::media) fn resume(connection: &Connection) -> Result<usize, DatabaseError> {
    Ok(connection.execute("UPDATE renditions SET state = 'pending' WHERE state = 'running'", [])?)
}

/// Height and master playlist attributes of the renditions that are made.
pub(in crate::media) fn made(
    connection: &Connection,
    asset: &str,
) -> Result<Vec<(u32, String)>, DatabaseError> {
    let sql = "SELECT height, variant FROM renditions WHERE asset = ?1 AND state = 'done'
               ORDER BY height";
    let mut statement = connection.prepare_cached(sql)?;
    let made = statement.query_map([asset], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(made.collect::<Result<_, _>>()?)
}

/// How many there are.
pub(in crate::media) fn count(
    connection: &Connection,
    asset: &str,
) -> Result<Count, DatabaseError> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE state IN ('done', 'failed'))
               FROM renditions WHERE asset = ?1";
    Ok(connection
        .query_row(sql, [asset], |row| Ok(Count { planned: row.get(0)?, ended: row.get(1)? }))?)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::{assets, jobs, migrations};
    use super::*;

    /// Assets `A…` and `B…`, both ready with a ladder, and `C…`, whose job is as it is told.
    fn database(third: &str) -> Connection {
        let mut connection = Connection::open_in_memory().expect("a database");
        migrations().to_latest(&mut connection).expect("migrated");
        for name in ["A", "B", "C"] {
            assets::insert(&connection, &id(name), None, 1).expect("an asset");
            jobs::insert(&connection, &id(name), "http://a/").expect("a job");
        }
        let state = |name: &str, sql: &str| {
            connection.execute(sql, [id(name)]).expect("changed");
        };
        for name in ["A", "B"] {
            state(name, "UPDATE jobs SET state = 'done', input = NULL WHERE asset = ?1");
            state(
                name,
                "UPDATE assets SET status = 'ready', duration = 1, bytes = 1 WHERE id = ?1",
            );
        }
        state("C", &format!("UPDATE jobs SET state = '{third}' WHERE asset = ?1"));
        plan(&connection, &id("A"), &[360, 480], Some("http://a/")).expect("planned");
        plan(&connection, &id("B"), &[360], None).expect("planned");
        connection
    }

    fn id(name: &str) -> String {
        name.repeat(26)
    }

    fn taken(connection: &Connection) -> Option<(String, u32)> {
        take(connection, 10).expect("asked").map(|step| (step.asset[..1].to_owned(), step.height))
    }

    #[test]
    fn first_renditions_go_before_all_others_and_cheap_ones_before_dear_ones() {
        assert_eq!(taken(&database("pending")), None, "an asset waits for its first");
        let connection = database("running");
        assert_eq!(taken(&connection), Some(("A".into(), 360)));
        assert_eq!(taken(&connection), Some(("B".into(), 360)));
        assert_eq!(taken(&connection), None, "one of an asset at a time");
        done(&connection, &id("A"), 360, "BANDWIDTH=1", 1).expect("done");
        assert_eq!(taken(&connection), Some(("A".into(), 480)));
        assert_eq!(made(&connection, &id("A")).expect("read"), [(360, "BANDWIDTH=1".into())]);
        assert_eq!(count(&connection, &id("A")).expect("read"), Count { planned: 2, ended: 1 });
    }

    #[test]
    fn a_failed_step_waits_and_in_the_end_forgets_its_input() {
        let connection = database("running");
        taken(&connection);
        failed(&connection, &id("A"), 360, Some(20)).expect("put off");
        assert_eq!(taken(&connection), Some(("B".into(), 360)));
        assert_eq!(taken(&connection), Some(("A".into(), 480)), "another step of it may go");
        resume(&connection).expect("as after a restart");
        let step = take(&connection, 30).expect("asked").expect("due");
        assert_eq!((step.height, step.starts, step.failures), (360, 2, 1));
        failed(&connection, &id("A"), 360, None).expect("given up");
        let sql = "SELECT state, input FROM renditions WHERE asset = ?1 AND height = 360";
        let row: (String, Option<String>) = connection
            .query_row(sql, [id("A")], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("there");
        assert_eq!(row, ("failed".into(), None));
    }
}
