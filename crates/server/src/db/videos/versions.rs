//! Versions of one video: rows of one stack, in one project, numbered without gaps.

use dailies_api::videos::Visibility;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, params};

use super::{NewVideo, VideoRow, insert, many};
use crate::db::text;

/// All versions, oldest first; a video without others is its own only one.
pub(crate) fn stack(
    connection: &Connection,
    video: &VideoRow,
) -> Result<Vec<VideoRow>, DatabaseError> {
    match &video.stack_id {
        None => Ok(vec![video.clone()]),
        Some(stack) => many(connection, "WHERE v.stack_id = ?1 ORDER BY v.version_number", [stack]),
    }
}

/// Adds a version after `latest`, as visible as that; answers the stack's id and the number.
pub(crate) fn add(
    connection: &Connection,
    latest: &VideoRow,
    video: &NewVideo,
    now: i64,
) -> Result<(String, u32), DatabaseError> {
    let stack_id = latest.stack_id.clone().unwrap_or_else(|| latest.id.clone());
    let number = latest.version_number + 1;
    exactly_one(connection.execute(
        "UPDATE videos SET stack_id = ?2, superseded = 1
         WHERE id = ?1 AND superseded = 0 AND coalesce(stack_id, ?2) = ?2",
        params![latest.id, stack_id],
    )?)?;
    insert(connection, video, now)?;
    exactly_one(connection.execute(
        "UPDATE videos SET stack_id = ?2, version_number = ?3, visibility = ?4 WHERE id = ?1",
        params![video.id, stack_id, number, text(latest.visibility)],
    )?)?;
    Ok((stack_id, number))
}

/// Numbers what is left of a stack after `removed` was deleted from it; the highest is the latest.
pub(crate) fn close_up(connection: &Connection, removed: &VideoRow) -> Result<(), DatabaseError> {
    if removed.stack_id.is_none() {
        return Ok(());
    }
    let left = stack(connection, removed)?;
    // In order, since no two may have one number at any time.
    for (number, video) in (1_u32..).zip(&left) {
        connection.execute(
            "UPDATE videos SET version_number = ?2 WHERE id = ?1 AND version_number <> ?2",
            params![video.id, number],
        )?;
    }
    if let Some(latest) = left.last() {
        let sql = "UPDATE videos SET superseded = 0 WHERE id = ?1";
        exactly_one(connection.execute(sql, [&latest.id])?)?;
    }
    Ok(())
}

/// Of all versions alike: a later one must not open what an earlier one closed.
pub(crate) fn set_visibility(
    connection: &Connection,
    video: &VideoRow,
    visibility: Visibility,
) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE videos SET visibility = ?3 WHERE id = ?1 OR stack_id = ?2",
        params![video.id, video.stack_id, text(visibility)],
    )?;
    Ok(())
}

/// Moves all versions.
pub(crate) fn move_to(
    connection: &Connection,
    video: &VideoRow,
    project_id: &str,
) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE videos SET project_id = ?3 WHERE id = ?1 OR stack_id = ?2",
        params![video.id, video.stack_id, project_id],
    )?;
    Ok(())
}

/// Changes what people read; `None` leaves it.
pub(crate) fn describe(
    connection: &Connection,
    id: &str,
    title: Option<&str>,
    description: Option<&str>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET title = coalesce(?2, title),
             description = nullif(coalesce(?3, description), '') WHERE id = ?1",
        params![id, title, description],
    )?)
}
