//! A project's videos, page by page. A page begins after a row that the one before it ended with, so
//! that videos which come meanwhile shift nothing.

use dailies_api::videos::VideoOrder;
use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

use super::{VideoRow, many};

/// One page.
pub(crate) struct Listing {
    pub(crate) project_id: String,
    pub(crate) order: VideoOrder,
    /// Superseded versions, too.
    pub(crate) all_versions: bool,
    pub(crate) after: Option<Place>,
    /// Rows at the most.
    pub(crate) limit: u32,
}

/// Where a page ended.
pub(crate) struct Place {
    /// Of the last row; empty where the order does not ask for it.
    pub(crate) title: String,
    pub(crate) seq: i64,
}

pub(crate) fn page(
    connection: &Connection,
    listing: &Listing,
) -> Result<Vec<VideoRow>, DatabaseError> {
    let latest = if listing.all_versions { "" } else { "AND v.superseded = 0" };
    let (title, seq) = match &listing.after {
        Some(place) => (Some(place.title.as_str()), Some(place.seq)),
        None => (None, None),
    };
    let rest = match listing.order {
        VideoOrder::LastUploaded => format!(
            "WHERE v.project_id = ?1 {latest} AND (?2 IS NULL OR v.seq < ?2) AND ?3 IS ?3
             ORDER BY v.seq DESC LIMIT ?4"
        ),
        VideoOrder::Alphabetical => format!(
            "WHERE v.project_id = ?1 {latest}
                 AND (?2 IS NULL OR (v.title COLLATE NOCASE, v.seq) > (?3 COLLATE NOCASE, ?2))
             ORDER BY v.title COLLATE NOCASE, v.seq LIMIT ?4"
        ),
    };
    many(connection, &rest, params![listing.project_id, seq, title, listing.limit])
}

/// Every video of a project, all versions.
pub(crate) fn of_project(
    connection: &Connection,
    project_id: &str,
) -> Result<Vec<VideoRow>, DatabaseError> {
    many(connection, "WHERE v.project_id = ?1 ORDER BY v.seq", [project_id])
}
