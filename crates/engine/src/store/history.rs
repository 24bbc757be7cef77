//! The table of what happened to uploads.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use serde::{Deserialize, Serialize};

use crate::store::columns::{from_json, json};
use crate::transfer::{Event, Timestamp, UploadId};

/// Rows that are kept of one upload, give or take its milestones.
const MOST: u64 = 200;

/// Something to be remembered of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// How often.
    pub times: u64,
}

/// A row of an upload's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// Rises from row to row; some may be left out.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub number: u64,
    /// When it happened, for the first time.
    pub at: Timestamp,
    /// When it happened last, with nothing else in between.
    pub last_at: Timestamp,
    /// How often.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub times: u64,
    /// What.
    pub event: Event,
}

impl From<Event> for Happened {
    fn from(event: Event) -> Self {
        Self { event, times: 1 }
    }
}

/// Adds to an upload's history.
pub(super) fn remember(
    connection: &Connection,
    id: UploadId,
    at: Timestamp,
    happened: &[Happened],
) -> Result<(), DatabaseError> {
    for Happened { event, times } in happened {
        let event = json(event)?;
        let last = last(connection, id)?;
        if let Some((number, same)) = &last
            && *same == event
        {
            let mut statement = connection.prepare_cached(
                "UPDATE history SET times = times + ?3, last_at = ?4
                 WHERE upload_id = ?1 AND number = ?2",
            )?;
            statement.execute((id.to_string(), number, times.cast_signed(), at.0))?;
            continue;
        }
        let number = last.map_or(1, |(number, _)| number + 1);
        insert(connection, id, number, (at, at), *times, &event)?;
        if number.cast_unsigned() > MOST {
            fold(connection, id)?;
        }
    }
    Ok(())
}

/// Up to `limit` rows after number `after`, oldest first.
pub(super) fn page(
    connection: &Connection,
    id: UploadId,
    after: u64,
    limit: u64,
) -> Result<Vec<Episode>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, at, last_at, times, event FROM history
         WHERE upload_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let values = (id.to_string(), after.cast_signed(), limit.cast_signed());
    let rows = statement.query_map(values, |row| {
        Ok(Episode {
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            at: Timestamp(row.get(1)?),
            last_at: Timestamp(row.get(2)?),
            times: row.get::<_, i64>(3)?.cast_unsigned(),
            event: from_json(4, row.get_ref(4)?.as_str()?)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether this very event is in an upload's history.
pub(super) fn has(
    connection: &Connection,
    id: UploadId,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM history WHERE upload_id = ?1 AND event = ?2)",
    )?;
    Ok(statement.query_row((id.to_string(), json(event)?), |row| row.get(0))?)
}

/// The upload that this one was begun in place of, if it was.
pub(super) fn in_place_of(
    connection: &Connection,
    id: UploadId,
) -> Result<Option<UploadId>, DatabaseError> {
    let first = page(connection, id, 0, 1)?.pop();
    Ok(first.and_then(|row| match row.event {
        Event::StartedAgain { of } => Some(of),
        _ => None,
    }))
}

fn last(connection: &Connection, id: UploadId) -> Result<Option<(i64, String)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, event FROM history WHERE upload_id = ?1 ORDER BY number DESC LIMIT 1",
    )?;
    let row = statement.query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(row.optional()?)
}

fn insert(
    connection: &Connection,
    id: UploadId,
    number: i64,
    (at, last_at): (Timestamp, Timestamp),
    times: u64,
    event: &str,
) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO history (upload_id, number, at, last_at, times, event)
         VALUES (:upload, :number, :at, :last_at, :times, :event)",
    )?;
    statement.execute(named_params! {
        ":upload": id.to_string(),
        ":number": number,
        ":at": at.0,
        ":last_at": last_at.0,
        ":times": times.cast_signed(),
        ":event": event,
    })?;
    Ok(())
}

/// Puts the older half of what is no milestone into one row, once there is too much of it.
fn fold(connection: &Connection, id: UploadId) -> Result<(), DatabaseError> {
    let rows = page(connection, id, 0, u64::from(u32::MAX))?;
    let minor: Vec<_> = rows.iter().filter(|row| !row.event.is_milestone()).collect();
    let old = &minor[..minor.len() / 2];
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(()) };
    if (rows.len() as u64) <= MOST {
        return Ok(());
    }
    let stands_for = |row: &&Episode| match row.event {
        Event::Omitted { events, .. } => events,
        _ => row.times,
    };
    let omitted = Event::Omitted {
        events: old.iter().map(stands_for).sum(),
        retries: old.iter().map(|row| row.event.retries(row.times)).sum(),
    };
    let mut remove =
        connection.prepare_cached("DELETE FROM history WHERE upload_id = ?1 AND number = ?2")?;
    for row in old {
        remove.execute((id.to_string(), row.number.cast_signed()))?;
    }
    let number = first.number.cast_signed();
    insert(connection, id, number, (first.at, last.last_at), 1, &json(&omitted)?)
}

/// Removes rows that the table takes but that tell nothing. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    let mut statement = connection.prepare("SELECT upload_id, number, event FROM history")?;
    let mut rows = statement.query([])?;
    let mut senseless = Vec::new();
    while let Some(row) = rows.next()? {
        let event: rusqlite::Result<String> = row.get(2);
        if event.and_then(|event| from_json::<Event>(2, &event)).is_err() {
            senseless.push((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
        }
    }
    let mut remove =
        connection.prepare("DELETE FROM history WHERE upload_id = ?1 AND number = ?2")?;
    for row in &senseless {
        remove.execute((&row.0, row.1))?;
    }
    Ok(senseless.len())
}
