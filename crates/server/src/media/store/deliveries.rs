//! Table `deliveries`: events that the receiver has not confirmed yet, in order per asset and upload.
//!
//! Column `asset` holds the id of either.

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use dailies_api::mux::{Asset, Upload, Webhook, WebhookObject};
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension, params};
use ulid::Ulid;

use super::{assets, uploads};

pub(super) const SCHEMA: &str = "
CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    asset TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0)
) STRICT;
CREATE INDEX deliveries_by_asset ON deliveries (asset, sequence);
";

/// The earliest event of each asset: a later one waits for it.
const HEADS: &str = "sequence IN (SELECT min(sequence) FROM deliveries GROUP BY asset)";

/// An event to deliver.
#[derive(Clone, Debug)]
pub(in crate::media) struct Delivery {
    /// Its place among all events.
    pub(in crate::media) sequence: i64,
    /// Whose: an asset's id, or an upload's.
    pub(in crate::media) asset: String,
    /// `video.asset.ready` and the like.
    pub(in crate::media) kind: String,
    /// The exact bytes to sign and send.
    pub(in crate::media) body: String,
    /// When the event happened, milliseconds.
    pub(in crate::media) created_at: i64,
    /// How often it was tried.
    pub(in crate::media) attempts: u32,
}

/// Adds the event `kind` with the asset as it stands in this transaction.
pub(in crate::media) fn insert(
    connection: &Connection,
    kind: &str,
    asset: &str,
    now: i64,
) -> Result<Asset, DatabaseError> {
    let data = assets::get(connection, asset)?.ok_or(DatabaseError::Stale)?;
    let value = serde_json::to_value(&data).expect("an asset has only string keys");
    push(connection, kind, ("asset", asset), value, now)?;
    Ok(data)
}

/// Adds the event `kind` with the upload as it stands in this transaction, without its address.
pub(in crate::media) fn insert_of_upload(
    connection: &Connection,
    kind: &str,
    upload: &str,
    now: i64,
) -> Result<Upload, DatabaseError> {
    let data = uploads::get(connection, upload)?.ok_or(DatabaseError::Stale)?;
    let value = serde_json::to_value(&data).expect("an upload has only string keys");
    push(connection, kind, ("upload", upload), value, now)?;
    Ok(data)
}

fn push(
    connection: &Connection,
    kind: &str,
    (object, id): (&str, &str),
    data: serde_json::Value,
    now: i64,
) -> Result<(), DatabaseError> {
    let event = Webhook {
        kind: kind.to_owned(),
        id: Ulid::new().to_string(),
        created_at: DateTime::from_millis(now).fmt(DateTimeFormat::DateTime).unwrap_or_default(),
        object: Some(WebhookObject { kind: object.to_owned(), id: id.to_owned() }),
        data,
    };
    let body = serde_json::to_string(&event).expect("an event has only string keys");
    connection.execute(
        "INSERT INTO deliveries (asset, kind, body, created_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![id, kind, body, now],
    )?;
    Ok(())
}

/// Events that may go out at `now`, at most one per asset.
pub(in crate::media) fn due(
    connection: &Connection,
    now: i64,
    limit: u32,
) -> Result<Vec<Delivery>, DatabaseError> {
    let sql = format!(
        "SELECT sequence, asset, kind, body, created_at, attempts FROM deliveries
         WHERE {HEADS} AND due_at <= ?1 ORDER BY sequence LIMIT ?2"
    );
    let mut statement = connection.prepare(&sql)?;
    let deliveries = statement.query_map(params![now, limit], |row| {
        Ok(Delivery {
            sequence: row.get(0)?,
            asset: row.get(1)?,
            kind: row.get(2)?,
            body: row.get(3)?,
            created_at: row.get(4)?,
            attempts: row.get(5)?,
        })
    })?;
    Ok(deliveries.collect::<Result<_, _>>()?)
}

/// When the next event becomes due, milliseconds.
pub(in crate::media) fn next_due(connection: &Connection) -> Result<Option<i64>, DatabaseError> {
    let sql = format!("SELECT min(due_at) FROM deliveries WHERE {HEADS}");
    Ok(connection.query_row(&sql, [], |row| row.get(0)).optional()?.flatten())
}

/// Forgets an event that was confirmed or given up.
pub(in crate::media) fn finish(
    connection: &Connection,
    sequence: i64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("DELETE FROM deliveries WHERE sequence = ?1", [sequence])?)
}

/// Puts an event off after a failed attempt.
pub(in crate::media) fn postpone(
    connection: &Connection,
    delivery: &Delivery,
    due_at: i64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE deliveries SET attempts = attempts + 1, due_at = ?3
         WHERE sequence = ?1 AND attempts = ?2",
        params![delivery.sequence, delivery.attempts, due_at],
    )?)
}
