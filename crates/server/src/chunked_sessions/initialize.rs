//! `initializeVideoUpload`.

use dailies_api::chunked_sessions::{ChunkedUploadSession, InitializeVideoUpload};
use rusqlite::Connection;

use super::failure::Failure;
use super::{Session, models};
use crate::clock::now_millis;
use crate::db::chunk_sessions::{self, NewSession, SessionRow};
use crate::db::users;
use crate::db::videos::transitions::{self, Beginning};
use crate::db::videos::{self, NewVideo, OpenMultipart, Original};
use crate::keys::object_key;
use crate::random;
use crate::team_api::{
    Principal, Refusal, Role, accepted, check_size, first_project, part_plan, roles, team_of, title,
};

/// Bytes of a chunk, unless 10,000 of them would not do.
const CHUNK: u64 = 5 << 20;
/// How long a session lives, milliseconds.
const LIFETIME: i64 = 24 * 60 * 60 * 1000;
/// Characters of a file's name.
const LONGEST_NAME: usize = 255;

/// Registers the video with its quota, and opens its upload.
pub(super) async fn initialize(
    session: Session,
    args: InitializeVideoUpload,
) -> Result<ChunkedUploadSession, Failure> {
    let Session { team, user } = session;
    let mime_type = accepted(&args.mime_type)?;
    check_size(args.total_size, &team.limits)?;
    let title = title(&args.file_name)?;
    let (chunk_size, total_chunks) = plan(args.total_size);
    let id = random::id();
    let key = object_key(&id);
    // Refused before the storage is asked for anything.
    let (asking, project) = (user.clone(), args.project_id.clone());
    let project_id =
        team.database.write(move |connection| place(connection, &asking, project)).await?;
    let upload_id = team.ingest.storage.create_multipart(&key, &mime_type).await?;
    let open = OpenMultipart {
        upload_id: upload_id.clone(),
        part_size: chunk_size,
        part_count: total_chunks,
        grows: false,
    };
    let new = NewSession {
        user_id: user.user_id.clone(),
        video_id: id.clone(),
        file_id: random::name(),
        file_name: safe_name(&args.file_name),
        mime_type: mime_type.clone(),
        total_size: args.total_size,
        duration: args.duration_seconds,
        storage_key: key.clone(),
        chunk_size,
        total_chunks,
        expires_at: now_millis() + LIFETIME,
    };
    let beginning = Beginning {
        original: Original::Stored(key.clone()),
        file_size: Some(args.total_size),
        content_type: Some(mime_type),
        multipart: Some(open),
    };
    let row = team
        .database
        .write(move |connection| {
            let video = NewVideo {
                id,
                project_id,
                uploader_name: users::name(connection, &user.user_id)?,
                uploader_id: user.user_id,
                title,
                description: None,
                public_id: random::name(),
                file_size: Some(args.total_size),
                content_type: beginning.content_type.clone(),
            };
            begin(connection, &video, &beginning, &new)
        })
        .await;
    match row {
        Ok(row) => Ok(models::session(row)),
        Err(refusal) => {
            // Nothing names it; what is left of it here a background job removes.
            if let Err(error) = team.ingest.storage.abort_multipart(&key, &upload_id).await {
                tracing::warn!(%error, "an upload that was refused was left in the storage");
            }
            Err(refusal.into())
        }
    }
}

/// Bytes of a chunk, and how many there are.
pub(super) fn plan(total: u64) -> (u64, u32) {
    part_plan(total, CHUNK)
}

/// The project asked for, or the first of the caller's team.
fn place(
    connection: &Connection,
    user: &Principal,
    project: Option<String>,
) -> Result<String, Refusal> {
    match project {
        Some(id) => {
            roles::project(connection, user, &id, Role::Member)?;
            Ok(id)
        }
        None => first_project(connection, &team_of(connection, user)?),
    }
}

fn begin(
    connection: &Connection,
    video: &NewVideo,
    beginning: &Beginning,
    session: &NewSession,
) -> Result<SessionRow, Refusal> {
    let now = now_millis();
    videos::insert(connection, video, now)?;
    let row = videos::get(connection, &video.id)?.ok_or_else(Refusal::internal)?;
    transitions::begin_upload(connection, &row, beginning, now)?;
    let id = chunk_sessions::insert(connection, session, now)?;
    chunk_sessions::get(connection, id)?.ok_or_else(Refusal::internal)
}

/// As the protocol's own server makes names safe.
pub(super) fn safe_name(name: &str) -> String {
    let mut safe = String::new();
    let mut spaces = false;
    for character in name.chars().take(LONGEST_NAME) {
        if character.is_whitespace() {
            if !spaces {
                safe.push('_');
            }
            spaces = true;
            continue;
        }
        spaces = false;
        match character {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => safe.push('_'),
            character if character.is_control() => safe.push('_'),
            character => safe.extend(character.to_lowercase()),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        assert_eq!(safe_name("Day 1 /  a:b*?.MP4"), "day_1____a_b__.mp4".replace("____", "___"));
        assert_eq!(safe_name("../..\\x\0y"), ".._.._x_y");
        assert_eq!(safe_name(&"a".repeat(300)).len(), 255);
    }
}
