//! Everything that has ended: what has a receipt, whether it is still in the queue or not, and what
//! was cancelled or given up without one.

use dailies_database::DatabaseError;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use crate::store::columns::{bytes_path, unreadable};
use crate::store::{Upload, UploadReceipt, receipts, uploads};
use crate::transfer::{Timestamp, UploadId};

/// An upload that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its name.
    pub id: UploadId,
    /// When its bytes had been compared, or what happened to it last.
    pub at: Timestamp,
    /// As it is in the queue; `None` once it was taken off it.
    pub upload: Option<Upload>,
    /// `None` where its bytes were never all with its team.
    pub receipt: Option<UploadReceipt>,
}

/// Where a page begins: after this one, which ended later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "EndedBefore"))]
#[serde(rename_all = "camelCase")]
pub struct Before {
    /// When it ended.
    pub ended_at: Timestamp,
    /// Which.
    pub upload_id: UploadId,
}

/// Words that are looked for, each of them anywhere in what is known of an upload.
#[derive(Clone, Debug, Default)]
pub struct Search(Vec<String>);

impl Search {
    /// The words of a text; without any, everything is found.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.to_lowercase().split_whitespace().map(str::to_owned).collect())
    }

    fn finds(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        if self.0.is_empty() {
            return Ok(true);
        }
        // The file's name and not its folders: all videos of a disk have those in common.
        let path = bytes_path(row.get("path")?);
        let mut text = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        for column in ["title", "project", "team"] {
            if let Some(value) = row.get_ref(column)?.as_str_or_null()? {
                text.push('\n');
                text.push_str(&value.to_lowercase());
            }
        }
        // Of an id, whoever looks for it has all: two figures of a name are in many ids.
        let ids =
            [row.get_ref("id")?.as_str_or_null()?, row.get_ref("video_id")?.as_str_or_null()?];
        let is_id = |word: &str| ids.into_iter().flatten().any(|id| id.eq_ignore_ascii_case(word));
        Ok(self.0.iter().all(|word| text.contains(word.as_str()) || is_id(word)))
    }
}

/// Ordered by indexes, but for what has no receipt, so that a page reads no more rows than it looks
/// at.
const ENDED: &str = "
    SELECT r.upload_id AS id, r.finished_at AS at, r.path, u.title, r.project, r.team, r.video_id
    FROM receipts r LEFT JOIN uploads u ON u.id = r.upload_id
    WHERE (r.finished_at, r.upload_id) < (?1, ?2)
    UNION ALL
    SELECT id, at, path, title, project, team, video_id FROM (
        SELECT u.id, u.path, u.title, u.project, u.team, u.video_id, coalesce(
            (SELECT max(h.last_at) FROM history h WHERE h.upload_id = u.id), u.added_at) AS at
        FROM uploads u WHERE u.hold IN ('cancelled', 'failed')
            AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.upload_id = u.id))
    WHERE (at, id) < (?1, ?2)
    ORDER BY at DESC, id DESC";

/// Up to `limit` of them that `search` finds, newest end first.
pub(super) fn page(
    connection: &Connection,
    search: &Search,
    before: Option<Before>,
    limit: usize,
) -> Result<Vec<Ended>, DatabaseError> {
    let mut statement = connection.prepare_cached(ENDED)?;
    let from = before.map_or((i64::MAX, String::new()), |before| {
        (before.ended_at.0, before.upload_id.to_string())
    });
    let mut rows = statement.query(from)?;
    let mut page = Vec::new();
    while page.len() < limit
        && let Some(row) = rows.next()?
    {
        if search.finds(row)? {
            page.push(whole(connection, row)?);
        }
    }
    Ok(page)
}

fn whole(connection: &Connection, row: &Row<'_>) -> Result<Ended, DatabaseError> {
    let id = row.get_ref("id")?.as_str().map_err(|error| unreadable(0, error))?;
    let id: UploadId = id.parse().map_err(|e: ulid::DecodeError| unreadable(0, e.to_string()))?;
    let upload = uploads::some(connection, "WHERE id = ?1", [id.to_string()])?.pop();
    Ok(Ended {
        id,
        at: Timestamp(row.get("at")?),
        upload: upload.map(|(upload, _)| upload),
        receipt: receipts::of(connection, id)?,
    })
}
