//! `webhook_events`: deliveries already taken, so that a doubled one does nothing.

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE webhook_events (
        id TEXT PRIMARY KEY,
        received_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX webhook_events_by_age ON webhook_events (received_at)";

/// Milliseconds. Mux retries for 24 hours; <https://www.mux.com/docs/core/listen-for-webhooks>.
const KEPT: i64 = 7 * 24 * 60 * 60 * 1000;

/// Notes the event; false if it was there already. Drops old ones.
pub(crate) fn first_seen(
    connection: &Connection,
    id: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    connection.execute("DELETE FROM webhook_events WHERE received_at < ?1", [now - KEPT])?;
    let inserted = connection.execute(
        "INSERT INTO webhook_events (id, received_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
        params![id, now],
    )?;
    Ok(inserted == 1)
}
