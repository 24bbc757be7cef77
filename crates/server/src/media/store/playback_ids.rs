//! Table `playback_ids`: the names by which an asset is played.

use dailies_api::mux::{PlaybackId, PlaybackPolicy};
use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension};

pub(super) const SCHEMA: &str = "
CREATE TABLE playback_ids (
    id TEXT PRIMARY KEY CHECK (length(id) >= 32),
    asset TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    policy TEXT NOT NULL CHECK (policy IN ('public', 'signed'))
) STRICT, WITHOUT ROWID;
CREATE INDEX playback_ids_by_asset ON playback_ids (asset);
";

/// What a playback id leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::media) struct Target {
    /// Who may play.
    pub(in crate::media) policy: PlaybackPolicy,
    /// Whose files.
    pub(in crate::media) asset: String,
    /// Whether they are there.
    pub(in crate::media) ready: bool,
}

/// Gives an asset a name.
pub(in crate::media) fn insert(
    connection: &Connection,
    asset: &str,
    id: &str,
    policy: PlaybackPolicy,
) -> Result<(), DatabaseError> {
    let policy = match policy {
        PlaybackPolicy::Public => "public",
        PlaybackPolicy::Signed => "signed",
    };
    connection.execute(
        "INSERT INTO playback_ids (id, asset, policy) VALUES (?1, ?2, ?3)",
        [id, asset, policy],
    )?;
    Ok(())
}

/// What `id` leads to.
pub(in crate::media) fn find(
    connection: &Connection,
    id: &str,
) -> Result<Option<Target>, DatabaseError> {
    let sql = "SELECT p.policy, a.id, a.status = 'ready'
               FROM playback_ids p JOIN assets a ON a.id = p.asset WHERE p.id = ?1";
    Ok(connection
        .query_row(sql, [id], |row| {
            Ok(Target {
                policy: policy(row.get_ref(0)?.as_str()?),
                asset: row.get(1)?,
                ready: row.get(2)?,
            })
        })
        .optional()?)
}

/// One name of one asset.
pub(in crate::media) fn get(
    connection: &Connection,
    asset: &str,
    id: &str,
) -> Result<Option<PlaybackId>, DatabaseError> {
    let names = of_asset(connection, asset)?;
    Ok(names.into_iter().find(|name| name.id == id))
}

/// Takes a name away. False where the asset has no such name.
pub(in crate::media) fn delete(
    connection: &Connection,
    asset: &str,
    id: &str,
) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM playback_ids WHERE asset = ?1 AND id = ?2";
    Ok(connection.execute(sql, [asset, id])? == 1)
}

/// The names of one asset.
pub(in crate::media) fn of_asset(
    connection: &Connection,
    asset: &str,
) -> Result<Vec<PlaybackId>, DatabaseError> {
    let mut statement = connection
        .prepare("SELECT id, policy FROM playback_ids WHERE asset = ?1 ORDER BY policy, id")?;
    let ids = statement.query_map([asset], |row| {
        Ok(PlaybackId { id: row.get(0)?, policy: policy(row.get_ref(1)?.as_str()?) })
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Anything but `public` needs a token: an unknown word must not open a video.
fn policy(word: &str) -> PlaybackPolicy {
    if word == "public" { PlaybackPolicy::Public } else { PlaybackPolicy::Signed }
}
