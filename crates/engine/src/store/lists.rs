//! The queue as lists: what is shown, what is next, what is counted. None of it reads more rows
//! than it returns, however long the queue is.

use std::path::PathBuf;

use dailies_database::DatabaseError;
use rusqlite::{Connection, named_params};
use serde::{Deserialize, Serialize};

use crate::store::columns::{bytes_path, name, named, path_bytes, unreadable};
use crate::store::uploads::{Destination, STEP, Upload, some};
use crate::transfer::{HoldKind, List, Phase, UploadId};

/// Bits of a place that tell uploads of one shelf apart: a shelf has about a thousand of them.
const SHELF: u32 = STEP.trailing_zeros() + 10;

/// A stretch of a list, by place. Counting whole shelves finds the row at an index without reading
/// those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf(i64);

impl Shelf {
    /// None comes before it.
    pub const FIRST: Self = Self(i64::MIN >> SHELF);
    /// None comes after it.
    pub const LAST: Self = Self(i64::MAX >> SHELF);

    /// The one with this place.
    #[must_use]
    pub fn of(place: i64) -> Self {
        Self(place >> SHELF)
    }

    fn first_place(self) -> i64 {
        self.0 << SHELF
    }
}

/// How many uploads on one shelf of a list are in the same state.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// The list.
    pub list: List,
    /// Which stretch of it.
    pub shelf: Shelf,
    /// Of all of them.
    pub phase: Phase,
    /// Of all of them.
    pub hold: HoldKind,
    /// How many.
    pub count: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// Bytes that are confirmed of all uploads in one state.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed {
    /// Of all of them.
    pub phase: Phase,
    /// Of all of them.
    pub hold: HoldKind,
    /// How many bytes.
    pub bytes: u64,
}

pub(super) fn tallies(connection: &Connection) -> Result<Vec<Tally>, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT list, place >> ?1, phase, hold, count(*), sum(size)
         FROM uploads INDEXED BY uploads_by_place GROUP BY 1, 2, 3, 4",
    )?;
    let rows = statement.query_map([SHELF], |row| {
        Ok(Tally {
            list: named(0, row.get(0)?)?,
            shelf: Shelf(row.get(1)?),
            phase: named(2, row.get(2)?)?,
            hold: named(3, row.get(3)?)?,
            count: row.get::<_, i64>(4)?.cast_unsigned(),
            bytes: row.get::<_, i64>(5)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Bytes that are confirmed of uploads that are not all there yet, by their state. Of a file that
/// grows, no more than it had when it was found: that is its size here.
pub(super) fn confirmed(connection: &Connection) -> Result<Vec<Confirmed>, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT phase, hold, sum(min(size, there)) FROM
             (SELECT u.phase, u.hold, u.size, sum(p.size) AS there
              FROM parts p JOIN uploads u ON u.id = p.upload_id GROUP BY u.id)
         GROUP BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| {
        let bytes: i64 = row.get(2)?;
        let (phase, hold) = (named(0, row.get(0)?)?, named(1, row.get(1)?)?);
        Ok(Confirmed { phase, hold, bytes: bytes.cast_unsigned() })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn page(
    connection: &Connection,
    list: List,
    from: Shelf,
    skip: u64,
    limit: u64,
) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    some(
        connection,
        "WHERE list = :list AND place >= :from ORDER BY place LIMIT :limit OFFSET :skip",
        named_params! {
            ":list": name(&list)?,
            ":from": from.first_place(),
            ":limit": limit.cast_signed(),
            ":skip": skip.cast_signed(),
        },
    )
}

/// How many of a list come before a place on its own shelf.
pub(super) fn before_on_shelf(
    connection: &Connection,
    list: List,
    place: i64,
) -> Result<u64, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM uploads WHERE list = ?1 AND place >= ?2 AND place < ?3",
    )?;
    let from = Shelf::of(place).first_place();
    let count: i64 = statement.query_row((name(&list)?, from, place), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

pub(super) fn ids(connection: &Connection, list: List) -> Result<Vec<UploadId>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM uploads WHERE list = ?1 ORDER BY place")?;
    let rows = statement.query_map([name(&list)?], |row| id(row.get_ref(0)?.as_str()?))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Uploads that may start, in the order in which they will.
pub(super) fn next(
    connection: &Connection,
    server: &str,
    limit: u64,
) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    some(
        connection,
        "WHERE server = ?1 AND phase = 'queued' AND hold = 'none'
         ORDER BY first DESC, place LIMIT ?2",
        (server, limit.cast_signed()),
    )
}

/// Uploads that go on by themselves.
pub(super) fn begun(connection: &Connection) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    some(
        connection,
        // Word for word that of its index, which it could not use otherwise.
        "INDEXED BY uploads_begun
         WHERE (phase <> 'queued' AND phase <> 'ready'
                AND (hold = 'none' OR hold = 'backoff' OR hold = 'offline')) OR cleanup",
        [],
    )
}

/// Uploads to a server whose bytes are on their way, moving or not.
pub(super) fn begun_for(
    connection: &Connection,
    server: &str,
) -> Result<Vec<UploadId>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM uploads INDEXED BY uploads_uploading
         WHERE phase = 'uploading' AND server = ?1 AND hold NOT IN ('cancelled', 'failed')",
    )?;
    let rows = statement.query_map([server], |row| id(row.get_ref(0)?.as_str()?))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Up to `limit` uploads after `after` whose files are missing, and where those were.
pub(super) fn missing(
    connection: &Connection,
    after: Option<UploadId>,
    limit: u64,
) -> Result<Vec<(UploadId, PathBuf)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, path FROM uploads WHERE hold = 'source_missing' AND id > ?1
         ORDER BY id LIMIT ?2",
    )?;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = statement.query_map((after, limit.cast_signed()), |row| {
        Ok((id(row.get_ref(0)?.as_str()?)?, bytes_path(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Uploads of files to a place that have not ended.
pub(super) fn unfinished(
    connection: &Connection,
    paths: &[PathBuf],
    to: &Destination,
) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    let of = |path: &PathBuf| {
        some(
            connection,
            "WHERE path = ?1 AND server = ?2 AND project_id = ?3
               AND phase NOT IN ('processing', 'ready') AND hold NOT IN ('cancelled', 'failed')",
            (path_bytes(path), &to.server, &to.project_id),
        )
    };
    let each: Vec<_> = paths.iter().map(of).collect::<Result<_, _>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// Videos of other uploads that could be taken for `row`'s.
pub(super) fn taken(connection: &Connection, row: &Upload) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT video_id FROM uploads
         WHERE video_id IS NOT NULL AND size = ?1 AND title = ?2 AND id <> ?3",
    )?;
    let size = row.fingerprint.size.cast_signed();
    let rows = statement.query_map((size, &row.title, row.id.to_string()), |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Videos of other uploads of files with `row`'s name, as far as those have any.
pub(super) fn namesakes(
    connection: &Connection,
    row: &Upload,
) -> Result<Vec<Option<String>>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT path, video_id FROM uploads
         WHERE title = ?1 AND server = ?2 AND id <> ?3 AND registration <> 'no'",
    )?;
    let others = statement
        .query_map((&row.title, &row.destination.server, row.id.to_string()), |other| {
            Ok((bytes_path(other.get(0)?), other.get(1)?))
        })?;
    let mut named = Vec::new();
    for other in others {
        let (path, video) = other?;
        if path.file_name() == row.path.file_name() {
            named.push(video);
        }
    }
    Ok(named)
}

/// Up to `limit` uploads after `after` that have not ended, in an order in which none is missed.
pub(super) fn after(
    connection: &Connection,
    after: Option<UploadId>,
    limit: u64,
) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    some(
        connection,
        "WHERE id > ?1 AND list <> 'done' ORDER BY id LIMIT ?2",
        (after, limit.cast_signed()),
    )
}

fn id(text: &str) -> rusqlite::Result<UploadId> {
    text.parse().map_err(|error: ulid::DecodeError| unreadable(0, error.to_string()))
}

/// Where among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Spot {
    /// Before all.
    Front,
    /// Before this one.
    Before(UploadId),
    /// After all.
    End,
}

/// Whose places are other ones after a change of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reordered {
    /// Those of the uploads that were named, as far as they wait.
    Named,
    /// Those of all that have not ended: there was no room between two of them.
    All,
}

/// The lists whose uploads have not ended. They share one row of places, so that an upload that
/// goes back to waiting has its own there.
const LINE: &str = "WITH line (list) AS (VALUES ('uploading'), ('needs_you'), ('waiting')) SELECT ";

/// Gives uploads that wait new places, in the order in which they are named. What does not wait
/// stays where it is.
pub(super) fn put(
    connection: &Connection,
    moved: &[UploadId],
    spot: Spot,
) -> Result<Reordered, DatabaseError> {
    let many = i64::try_from(moved.len()).unwrap_or(i64::MAX).saturating_add(1);
    let mut reordered = Reordered::Named;
    let (start, end) = match gap(connection, many, spot)? {
        Some(gap) => gap,
        None => {
            renumber(connection)?;
            reordered = Reordered::All;
            gap(connection, many, spot)?.expect("between even places there is room for 2^32 others")
        }
    };
    let mut statement = connection
        .prepare_cached("UPDATE uploads SET place = ?2 WHERE id = ?1 AND list = 'waiting'")?;
    for (id, nth) in moved.iter().zip(1..) {
        statement.execute((id.to_string(), start + (end - start) / many * nth))?;
    }
    Ok(reordered)
}

/// The places between which `many` others are wanted, if there is room for them.
fn gap(
    connection: &Connection,
    many: i64,
    spot: Spot,
) -> Result<Option<(i64, i64)>, DatabaseError> {
    let number =
        |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<Option<i64>, DatabaseError> {
            Ok(connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
        };
    let room = STEP.saturating_mul(many);
    let of_each = |which: &str, condition: &str| {
        format!(
            "{LINE} {which}((SELECT {which}(place) FROM uploads u WHERE u.list = line.list{condition}))
             FROM line"
        )
    };
    Ok(match spot {
        Spot::Front => {
            let end = number(&of_each("min", ""), &[])?.unwrap_or_default();
            Some((end.saturating_sub(room), end))
        }
        Spot::Before(id) => {
            let place = "SELECT max(place) FROM uploads WHERE id = ?1";
            let end = number(place, &[&id.to_string()])?.unwrap_or_default();
            let start = number(&of_each("max", " AND place < ?1"), &[&end])?;
            let start = start.unwrap_or_else(|| end.saturating_sub(room));
            let alike = "SELECT count(*) FROM uploads
                         WHERE list IN ('uploading', 'needs_you', 'waiting') AND place = ?1";
            let alone = number(alike, &[&end])? <= Some(1);
            (alone && end - start >= many).then_some((start, end))
        }
        Spot::End => {
            let start = number(&of_each("max", ""), &[])?.unwrap_or_default();
            Some((start, start.saturating_add(room)))
        }
    })
}

/// Gives what has not ended even places again, in the order in which it stands.
fn renumber(connection: &Connection) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE uploads SET place = even.place
         FROM (SELECT id, row_number() OVER (ORDER BY place, id) * ?1 AS place
               FROM uploads WHERE list <> 'done') AS even
         WHERE uploads.id = even.id",
        [STEP],
    )?;
    Ok(())
}

/// Lets uploads go before all others, and stand there as far as they wait; or no longer go before them.
pub(super) fn set_first(
    connection: &Connection,
    ids: &[UploadId],
    first: bool,
) -> Result<Reordered, DatabaseError> {
    let mut statement = connection.prepare_cached("UPDATE uploads SET first = ?2 WHERE id = ?1")?;
    for id in ids {
        statement.execute((id.to_string(), first))?;
    }
    if first { put(connection, ids, Spot::Front) } else { Ok(Reordered::Named) }
}
