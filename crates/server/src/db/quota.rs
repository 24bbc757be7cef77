//! What each team may keep, keeps, and has promised to uploads, in bytes.
//!
//! What a video takes is a function of its own row: two generated columns. Triggers add them up in
//! the team's row, and refuse the statement that would take a team above its quota. So a charge is
//! taken, moved and released in the very transaction that changes the video, by whatever changes it,
//! and the sums cannot drift from the rows.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, params};

use super::settings::{self, Setting};

/// `videos.reserved`: registered, not all there yet. `videos.used`: an original is kept, also of a
/// video that only the media engine failed with. `team_storage.quota`: null for the server's own default.
///
/// Only growth is refused: a quota that was lowered stops nobody from finishing or removing.
pub(crate) const ADD: &str = "
    ALTER TABLE videos ADD COLUMN reserved INTEGER NOT NULL GENERATED ALWAYS AS (
        CASE WHEN status = 'uploading' THEN coalesce(file_size, 0) ELSE 0 END) VIRTUAL;
    ALTER TABLE videos ADD COLUMN used INTEGER NOT NULL GENERATED ALWAYS AS (
        CASE WHEN status <> 'uploading' AND s3_key IS NOT NULL
            THEN coalesce(file_size, 0) ELSE 0 END) VIRTUAL;
    CREATE TABLE team_storage (
        team_id TEXT PRIMARY KEY REFERENCES teams (id) ON DELETE CASCADE,
        quota INTEGER CHECK (quota >= 0),
        reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
        used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO team_storage (team_id, reserved, used)
        SELECT t.id, coalesce(sum(v.reserved), 0), coalesce(sum(v.used), 0)
        FROM teams t LEFT JOIN projects p ON p.team_id = t.id
            LEFT JOIN videos v ON v.project_id = p.id GROUP BY t.id;
    CREATE TRIGGER teams_have_storage AFTER INSERT ON teams
    BEGIN
        INSERT INTO team_storage (team_id) VALUES (NEW.id);
    END;
    CREATE TRIGGER videos_charge AFTER INSERT ON videos
    BEGIN
        UPDATE team_storage SET reserved = reserved + NEW.reserved, used = used + NEW.used
        WHERE team_id = (SELECT team_id FROM projects WHERE id = NEW.project_id);
    END;
    CREATE TRIGGER videos_charge_anew
    AFTER UPDATE OF status, file_size, s3_key, project_id ON videos
    WHEN NEW.reserved <> OLD.reserved OR NEW.used <> OLD.used OR NEW.project_id <> OLD.project_id
    BEGIN
        UPDATE team_storage SET
            reserved = reserved
                + NEW.reserved * (team_id = (SELECT team_id FROM projects WHERE id = NEW.project_id))
                - OLD.reserved * (team_id = (SELECT team_id FROM projects WHERE id = OLD.project_id)),
            used = used
                + NEW.used * (team_id = (SELECT team_id FROM projects WHERE id = NEW.project_id))
                - OLD.used * (team_id = (SELECT team_id FROM projects WHERE id = OLD.project_id))
        WHERE team_id IN (SELECT team_id FROM projects WHERE id IN (NEW.project_id, OLD.project_id));
    END;
    CREATE TRIGGER videos_release AFTER DELETE ON videos
    BEGIN
        UPDATE team_storage SET reserved = reserved - OLD.reserved, used = used - OLD.used
        WHERE team_id = (SELECT team_id FROM projects WHERE id = OLD.project_id);
    END;
    CREATE TRIGGER teams_keep_within_quota AFTER UPDATE OF reserved, used ON team_storage
    WHEN NEW.reserved + NEW.used > OLD.reserved + OLD.used
        AND NEW.reserved + NEW.used > coalesce(
            NEW.quota,
            (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'team_quota'),
            9223372036854775807)
    BEGIN
        SELECT RAISE(ABORT, 'quota_exceeded ' || max(0, coalesce(
            NEW.quota,
            (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'team_quota'))
            - OLD.reserved - OLD.used));
    END";

/// A team's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TeamStorage {
    /// What it may keep; `None`: the server's own default.
    pub(crate) quota: Option<u64>,
    pub(crate) used: u64,
    /// Promised to uploads.
    pub(crate) reserved: u64,
}

pub(crate) fn of_team(
    connection: &Connection,
    team_id: &str,
) -> Result<TeamStorage, DatabaseError> {
    let sql = "SELECT quota, used, reserved FROM team_storage WHERE team_id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([team_id], |row| {
        let bytes = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
        Ok(TeamStorage {
            quota: row.get::<_, Option<i64>>("quota")?.map(i64::unsigned_abs),
            used: bytes("used")?,
            reserved: bytes("reserved")?,
        })
    })?)
}

/// `None`: the server's own default, from now on.
pub(crate) fn set(
    connection: &Connection,
    team_id: &str,
    quota: Option<u64>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE team_storage SET quota = ?2 WHERE team_id = ?1",
        params![team_id, quota.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))],
    )?)
}

/// What begins the text that the trigger refuses with; the bytes that are free follow.
const REFUSED: &str = "quota_exceeded ";

/// The quota of teams that have none of their own; `None`: no limit.
pub(crate) fn set_default(
    connection: &Connection,
    bytes: Option<u64>,
) -> Result<(), DatabaseError> {
    match bytes {
        Some(bytes) => settings::set(connection, Setting::TeamQuota, &bytes.to_string()),
        None => settings::clear(connection, Setting::TeamQuota),
    }
}

/// The bytes that are free, where a statement was refused because of a quota.
pub(crate) fn exceeded(error: &DatabaseError) -> Option<u64> {
    let DatabaseError::Sqlite(rusqlite::Error::SqliteFailure(code, Some(text))) = error else {
        return None;
    };
    if code.extended_code != rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER {
        return None;
    }
    text.strip_prefix(REFUSED)?.parse().ok()
}

/// The teams whose sums are not those of their videos. There are none, ever.
pub(crate) fn wrong_sums(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.team_id FROM team_storage t
         LEFT JOIN projects p ON p.team_id = t.team_id LEFT JOIN videos v ON v.project_id = p.id
         GROUP BY t.team_id
         HAVING t.reserved <> coalesce(sum(v.reserved), 0) OR t.used <> coalesce(sum(v.used), 0)",
    )?;
    let teams = statement.query_map([], |row| row.get(0))?;
    Ok(teams.collect::<Result<_, _>>()?)
}

/// An upload whose size is not known beforehand needs at least this many bytes in all. Never less
/// than it was registered with.
pub(crate) fn reserve(
    connection: &Connection,
    video_id: &str,
    bytes: u64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET file_size = max(coalesce(file_size, 0), ?2)
         WHERE id = ?1 AND status = 'uploading'",
        params![video_id, i64::try_from(bytes).unwrap_or(i64::MAX)],
    )?)
}

#[cfg(test)]
mod tests;
