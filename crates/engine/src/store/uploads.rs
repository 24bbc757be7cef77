//! The table of uploads.

use std::path::PathBuf;

use dailies_api::videos::Visibility;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, Params, Row, named_params};
use serde::{Deserialize, Serialize};

use crate::source::Fingerprint;
use crate::store::columns::{
    bytes_path, from_json, json, name, named, path_bytes, sift_named, unreadable,
};
use crate::transfer::{Growth, Hold, List, PartPlan, PlanError, State, Timestamp, UploadId};

/// One upload, all that is durable of it but for its parts.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its name, and its intent's.
    pub id: UploadId,
    /// Counts the writes; a write for another revision than the one that was read is refused.
    pub rev: i64,
    /// Phase and hold.
    pub state: State,
    /// Where the file lies.
    pub path: PathBuf,
    /// What people see.
    pub title: String,
    /// Media type.
    pub content_type: String,
    /// Which file, in which version; of one that grows, as it was when it was found.
    pub fingerprint: Fingerprint,
    /// Of one that began before its file was finished, until that is compared with what was sent.
    pub growth: Option<Growth>,
    /// Where it goes.
    pub destination: Destination,
    /// When it was added.
    pub added_at: Timestamp,
    /// When all its bytes were with the team.
    pub uploaded_at: Option<Timestamp>,
    /// Whether the team knows of it.
    pub registration: Registration,
    /// The team's name for the video.
    pub video_id: Option<String>,
    /// What was agreed on for its bytes.
    pub session: Option<Session>,
    /// Seconds.
    pub duration: Option<f64>,
    /// The server's own words for a failure.
    pub reason: Option<String>,
    /// Its place in its list; told by the store, which gives it one.
    pub place: i64,
    /// Goes before all uploads that do not.
    pub first: bool,
}

impl Upload {
    /// The list that shows it.
    #[must_use]
    pub fn list(&self) -> List {
        List::of(self.state)
    }

    /// Whether what was confirmed `before` counts in the session of now.
    #[must_use]
    pub fn has_session_of(&self, before: &Self) -> bool {
        match (&self.session, &before.session) {
            (Some(session), Some(before)) => session.continues(before),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// Whether a team knows of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Not tried.
    No,
    /// Tried; the answer may be lost.
    Tried,
    /// It does, or will with its bytes where its protocol registers nothing before them.
    Done,
}

/// Where an upload goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The team server's address. Uploads of another server wait until it is connected again.
    pub server: String,
    /// The project's id there.
    pub project_id: String,
    /// The project, in words.
    pub project: String,
    /// The team, in words.
    pub team: String,
    /// The video that it becomes the next version of; `None` for a video of its own.
    pub version_of: Option<String>,
    /// Who may watch its video, where somebody said so; else the team decides.
    pub visibility: Option<Visibility>,
}

/// What was agreed on with a team server for an upload's bytes. Holds no addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The other side's name for it: the object's key in the storage, a session's id.
    pub key: String,
    /// How the bytes go up.
    pub kind: SessionKind,
}

/// How an upload's bytes go up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SessionKind {
    /// In one request.
    Single,
    /// In parts.
    Multipart {
        /// The storage's name for it.
        upload_id: String,
        /// Bytes of every part but the last.
        part_size: u64,
        /// How many parts.
        part_count: u32,
        /// A part's checksum can be signed into its address.
        signs_checksums: bool,
    },
    /// In chunks, each confirmed at the team API before the next one is.
    Chunked {
        /// Bytes of every chunk but the last.
        chunk_size: u64,
        /// How many chunks.
        chunk_count: u32,
        /// The team's name for what comes of it, where it said one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_file_id: Option<i64>,
    },
    /// In order, one request after the other, from where the other side says it stands.
    InOrder {
        /// Bytes of every request but the last.
        chunk_size: u64,
    },
    /// In one form, all or nothing. The session's key is the name that its file is sent by.
    Form(Before),
    /// They are there already.
    AlreadyThere,
}

/// What a team had before a form was sent for the first time: none of it came of that form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Uploads of the same file name.
    pub namesakes: Vec<String>,
    /// When the newest upload was made, as the server wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

impl Session {
    /// Whether it is the same upload on the other side. Of a file that grew, the number of parts is
    /// known only at its end.
    #[must_use]
    pub fn continues(&self, before: &Self) -> bool {
        use SessionKind::Multipart;
        match (&self.kind, &before.kind) {
            (
                Multipart { upload_id, part_size, signs_checksums, .. },
                Multipart { upload_id: id, part_size: size, signs_checksums: signs, .. },
            ) => {
                (&self.key, upload_id, part_size, signs_checksums) == (&before.key, id, size, signs)
            }
            _ => self == before,
        }
    }

    /// How a file of `total` bytes is divided.
    ///
    /// # Errors
    /// Where the server's sizes contradict each other.
    pub fn plan(&self, total: u64) -> Result<PartPlan, PlanError> {
        match self.kind {
            SessionKind::Single | SessionKind::Form(_) | SessionKind::AlreadyThere => {
                Ok(PartPlan::single(total))
            }
            SessionKind::Multipart { part_size, part_count, .. } => {
                PartPlan::multipart(total, part_size, part_count)
            }
            SessionKind::Chunked { chunk_size, chunk_count, .. } => {
                PartPlan::multipart(total, chunk_size, chunk_count)
            }
            SessionKind::InOrder { chunk_size } => PartPlan::in_order(total, chunk_size),
        }
    }
}

/// Between two places that follow on each other, so that others fit between.
pub(super) const STEP: i64 = 1 << 32;

const COLUMNS: &str = "id, rev, phase, hold, hold_until, hold_code, attempts, cleanup, path, title,
    content_type, fingerprint, server, project_id, project, team, added_at, uploaded_at,
    registration, video_id, session, duration, reason, place, first, version_of,
    visibility, growth";

/// Rows that `condition` names, each with the bytes that are confirmed of it.
pub(super) fn some(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<Vec<(Upload, u64)>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, (SELECT coalesce(sum(p.size), 0) FROM parts p WHERE p.upload_id = u.id)
         FROM uploads u {condition}"
    ))?;
    let rows = statement.query_map(values, |row| {
        let confirmed: i64 = row.get(28)?;
        Ok((read(row)?, confirmed.cast_unsigned()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a row behind all that have not ended and returns its place, which none of these has.
pub(super) fn insert(connection: &Connection, row: &Upload) -> Result<i64, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO uploads (id, phase, hold, attempts, cleanup, path, title, content_type, size,
             fingerprint, server, project_id, project, team, version_of, visibility, growth, added_at,
             registration, first, place)
         VALUES (:id, 'queued', 'none', 0, 0, :path, :title, :content_type, :size,
             :fingerprint, :server, :project_id, :project, :team, :version_of, :visibility, :growth,
             :added_at, 'no', :first,
             coalesce((SELECT max(last) FROM (
                 SELECT max(place) AS last FROM uploads WHERE list = 'uploading' UNION ALL
                 SELECT max(place) FROM uploads WHERE list = 'needs_you' UNION ALL
                 SELECT max(place) FROM uploads WHERE list = 'waiting')), 0) + :step)",
    )?;
    let inserted = statement.execute(named_params! {
        ":id": row.id.to_string(),
        ":path": path_bytes(&row.path),
        ":title": row.title,
        ":content_type": row.content_type,
        ":size": row.fingerprint.size.cast_signed(),
        ":fingerprint": json(&row.fingerprint)?,
        ":server": row.destination.server,
        ":project_id": row.destination.project_id,
        ":project": row.destination.project,
        ":team": row.destination.team,
        ":version_of": row.destination.version_of,
        ":growth": row.growth.map(|growth| name(&growth)).transpose()?,
        ":visibility": row.destination.visibility.as_ref().map(name).transpose()?,
        ":first": row.first,
        ":added_at": row.added_at.0,
        ":step": STEP,
    })?;
    exactly_one(inserted)?;
    place(connection, row.id)
}

/// By a statement of its own: a `RETURNING` would build a table for it.
fn place(connection: &Connection, id: UploadId) -> Result<i64, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT place FROM uploads WHERE id = ?1")?;
    Ok(statement.query_row([id.to_string()], |row| row.get(0))?)
}

/// Writes a row and returns its place, which is another one at the top once it has ended.
pub(super) fn update(connection: &Connection, row: &Upload) -> Result<i64, DatabaseError> {
    let (hold, until, code) = hold_columns(row.state.hold)?;
    let mut statement = connection.prepare_cached(
        "UPDATE uploads SET rev = rev + 1, phase = :phase, hold = :hold, hold_until = :until,
             hold_code = :code, attempts = :attempts, cleanup = :cleanup,
             uploaded_at = :uploaded_at, registration = :registration, video_id = :video_id,
             session = :session, duration = :duration, reason = :reason,
             fingerprint = :fingerprint, size = :size, path = :path, growth = :growth,
             place = CASE WHEN :ended AND list <> 'done' THEN
                 coalesce((SELECT min(place) FROM uploads WHERE list = 'done'), 0) - :step
                 ELSE place END
         WHERE id = :id AND rev = :rev",
    )?;
    let updated = statement.execute(named_params! {
        ":id": row.id.to_string(),
        ":rev": row.rev,
        ":phase": name(&row.state.phase)?,
        ":hold": hold,
        ":until": until,
        ":code": code,
        ":attempts": row.state.attempts,
        ":cleanup": row.state.cleanup,
        ":uploaded_at": row.uploaded_at.map(|at| at.0),
        ":registration": name(&row.registration)?,
        ":video_id": row.video_id,
        ":session": row.session.as_ref().map(json).transpose()?,
        ":fingerprint": json(&row.fingerprint)?,
        ":size": row.fingerprint.size.cast_signed(),
        ":growth": row.growth.map(|growth| name(&growth)).transpose()?,
        ":path": path_bytes(&row.path),
        ":duration": row.duration,
        ":reason": row.reason,
        ":ended": row.list() == List::Done,
        ":step": STEP,
    })?;
    exactly_one(updated)?;
    place(connection, row.id)
}

/// Its revision stays: who writes the row knows of this already.
pub(super) fn intend(connection: &Connection, id: UploadId) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached(
        "UPDATE uploads SET registration = 'tried' WHERE id = ?1 AND registration = 'no'",
    )?;
    exactly_one(statement.execute([id.to_string()])?)
}

pub(super) fn remove(connection: &Connection, id: UploadId) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("DELETE FROM uploads WHERE id = ?1", [id.to_string()])?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let id: String = row.get(0)?;
    Ok(Upload {
        id: id.parse().map_err(|error: ulid::DecodeError| unreadable(0, error.to_string()))?,
        rev: row.get(1)?,
        state: State {
            phase: named(2, row.get(2)?)?,
            hold: hold(row)?,
            attempts: row.get(6)?,
            cleanup: row.get(7)?,
        },
        path: bytes_path(row.get(8)?),
        title: row.get(9)?,
        content_type: row.get(10)?,
        fingerprint: from_json(11, row.get_ref(11)?.as_str()?)?,
        growth: row.get::<_, Option<_>>(27)?.map(|growth| named(27, growth)).transpose()?,
        destination: Destination {
            server: row.get(12)?,
            project_id: row.get(13)?,
            project: row.get(14)?,
            team: row.get(15)?,
            version_of: row.get(25)?,
            visibility: row
                .get::<_, Option<String>>(26)?
                .map(|text| named(26, text))
                .transpose()?,
        },
        added_at: Timestamp(row.get(16)?),
        uploaded_at: row.get::<_, Option<i64>>(17)?.map(Timestamp),
        registration: named(18, row.get(18)?)?,
        video_id: row.get(19)?,
        session: row.get_ref(20)?.as_str_or_null()?.map(|text| from_json(20, text)).transpose()?,
        duration: row.get(21)?,
        reason: row.get(22)?,
        place: row.get(23)?,
        first: row.get(24)?,
    })
}

/// The hold as its three columns: serde's tagged form, taken apart.
fn hold_columns(hold: Hold) -> rusqlite::Result<(String, Option<i64>, Option<String>)> {
    let value = serde_json::to_value(hold).map_err(|error| unreadable(3, error))?;
    let text = |key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let kind = text("kind").ok_or_else(|| unreadable(3, "a hold without a kind"))?;
    Ok((kind, value.get("until").and_then(serde_json::Value::as_i64), text("code")))
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    let (kind, until, code): (String, Option<i64>, Option<String>) =
        (row.get(3)?, row.get(4)?, row.get(5)?);
    serde_json::from_value(serde_json::json!({ "kind": kind, "until": until, "code": code }))
        .map_err(|error| unreadable(3, error))
}

/// Removes rows that the table takes but that are no uploads. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    sift_named(connection, "uploads", COLUMNS, |row| Ok(read(row)?.id))
}
