//! `idempotency`: the first answer to a call that named an `Idempotency-Key`, for 24 hours.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE idempotency (
        caller TEXT NOT NULL,
        key TEXT NOT NULL,
        request BLOB NOT NULL CHECK (length(request) = 32),
        answer TEXT,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (caller, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_by_age ON idempotency (created_at)";

/// How long an answer is kept, milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;

/// One call under one key.
#[derive(Clone, Debug)]
pub(crate) struct KeyedCall {
    /// Whose key it is: two callers may use the same.
    pub(crate) caller: String,
    pub(crate) key: String,
    /// SHA-256 of path and arguments.
    pub(crate) request: [u8; 32],
}

/// What the table knows of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum Earlier {
    /// The key is new, or its answer is too old.
    None,
    /// The key was used for another call.
    OtherCall,
    /// The same call was made; its answer, where it may be kept.
    Same(Option<String>),
}

pub(crate) fn find(
    connection: &Connection,
    call: &KeyedCall,
    now: i64,
) -> Result<Earlier, DatabaseError> {
    let row: Option<([u8; 32], Option<String>)> = connection
        .prepare_cached(
            "SELECT request, answer FROM idempotency
             WHERE caller = ?1 AND key = ?2 AND created_at > ?3",
        )?
        .query_row(params![call.caller, call.key, now - KEPT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match row {
        None => Earlier::None,
        Some((request, _)) if request != call.request => Earlier::OtherCall,
        Some((_, answer)) => Earlier::Same(answer),
    })
}

/// Keeps the first answer; `None` where an answer holds addresses that expire.
pub(crate) fn insert(
    connection: &Connection,
    call: &KeyedCall,
    answer: Option<&str>,
    now: i64,
) -> Result<(), DatabaseError> {
    // One that is too old may still be there.
    connection.execute(
        "INSERT INTO idempotency (caller, key, request, answer, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (caller, key) DO UPDATE SET
             request = excluded.request, answer = excluded.answer, created_at = excluded.created_at
             WHERE idempotency.created_at <= ?6",
        params![call.caller, call.key, call.request, answer, now, now - KEPT],
    )?;
    Ok(())
}

/// Drops at most `limit` answers that are too old; says how many.
pub(crate) fn drop_old(
    connection: &Connection,
    now: i64,
    limit: u32,
) -> Result<usize, DatabaseError> {
    Ok(connection.execute(
        "DELETE FROM idempotency WHERE (caller, key) IN
             (SELECT caller, key FROM idempotency WHERE created_at <= ?1 LIMIT ?2)",
        params![now - KEPT, limit],
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::scratch;

    #[tokio::test]
    async fn an_answer_is_kept_for_a_day_and_for_its_own_call() {
        let (_folder, database) = scratch();
        let call = |request| KeyedCall { caller: "c".into(), key: "k".into(), request };
        database
            .write::<_, DatabaseError, _>(move |connection| {
                insert(connection, &call([1; 32]), Some("\"v\""), 1000)?;
                let soon = find(connection, &call([1; 32]), 2000)?;
                assert_eq!(soon, Earlier::Same(Some("\"v\"".into())));
                assert_eq!(find(connection, &call([2; 32]), 2000)?, Earlier::OtherCall);
                assert_eq!(find(connection, &call([2; 32]), 1000 + KEPT)?, Earlier::None);
                insert(connection, &call([2; 32]), None, 1000 + KEPT)?;
                assert_eq!(find(connection, &call([2; 32]), 1001 + KEPT)?, Earlier::Same(None));
                assert_eq!(drop_old(connection, 1001 + KEPT, 10)?, 0, "it is new");
                assert_eq!(drop_old(connection, 1000 + 2 * KEPT, 10)?, 1);
                Ok(())
            })
            .await
            .expect("plain statements");
    }
}
