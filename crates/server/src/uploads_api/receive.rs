//! From a form to a video whose bytes are in the storage, or to nothing at all.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use dailies_api::error::ErrorCode;
use dailies_api::uploads_api::{Accepted, AcceptedUpload};
use dailies_api::videos::VideoStatus;
use dailies_database::DatabaseError;
use tokio::sync::oneshot;

use super::form::{AROUND, Field, Form};
use super::status;
use crate::clock::now_millis;
use crate::db::videos::transitions::{self, Beginning};
use crate::db::videos::{self, NewVideo, Original};
use crate::db::{quota, uploads, users};
use crate::http_actions::HttpRefusal;
use crate::keys::object_key;
use crate::random;
use crate::storage::Incoming;
use crate::team_api::{
    FolderPath, Principal, Refusal, Team, accepted, by_name, check_size, first_project, part_plan,
    team_of, title,
};

/// Bytes of a part on its way to the storage, unless 10,000 of them would not do.
const PART: u64 = 8 << 20;
/// How long one part may take to come in: what drips is not an upload.
const PART_TIME: Duration = Duration::from_mins(15);
/// What comes with other fields is not looked at; there are not many of them.
const MOST_FIELDS: usize = 32;

/// Receives in a task of its own, so that a sender who goes away leaves nothing behind.
pub(super) async fn receive(
    team: &Arc<Team>,
    user: Principal,
    form: Form,
) -> Result<Accepted, HttpRefusal> {
    let place =
        tokio::time::timeout(Duration::from_secs(10), Arc::clone(&team.forms).acquire_owned());
    let Ok(Ok(place)) = place.await else {
        let message = "too many uploads at once; try again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(HttpRefusal::new(status, ErrorCode::Internal, message));
    };
    let (tell, told) = oneshot::channel();
    let running = Arc::clone(team);
    team.calls.spawn(async move {
        let _place = place;
        let mut receiving = Receiving { team: &running, user, form, folder: None, video: None };
        let result = Box::pin(receiving.run()).await;
        let refused = result.is_err();
        if refused {
            receiving.undo().await;
        }
        let _ = tell.send(result);
        if refused {
            receiving.form.linger().await;
        }
    });
    told.await.unwrap_or_else(|_| Err(Refusal::internal().into()))
}

/// A form, and what came of it so far.
struct Receiving<'a> {
    team: &'a Arc<Team>,
    user: Principal,
    form: Form,
    folder: Option<FolderPath>,
    video: Option<Received>,
}

/// The video.
struct Received {
    id: String,
    team_id: String,
    /// `None` once it is whole.
    incoming: Option<Incoming>,
    key: String,
    /// Whether its folder was known when it was registered.
    placed: bool,
}

impl Receiving<'_> {
    async fn run(&mut self) -> Result<Accepted, HttpRefusal> {
        let mut fields = 0;
        let announced = self.form.announced;
        while let Some(mut field) = self.form.next().await? {
            fields += 1;
            if fields > MOST_FIELDS {
                return Err(Refusal::argument("form", "too many fields").into());
            }
            match field.name() {
                "folder" if self.folder.is_none() => {
                    self.folder = Some(FolderPath::parse(&field.text().await?)?);
                }
                "video" if self.video.is_none() => {
                    let folder = self.folder.clone();
                    let received =
                        register(self.team, &self.user, folder, &field, announced).await?;
                    let received = self.video.insert(received);
                    store(self.team, received, &mut field).await?;
                }
                name @ ("folder" | "video") => {
                    let name = name.to_owned();
                    return Err(Refusal::argument(&name, "this field came twice").into());
                }
                _ => drop(field.text().await?),
            }
        }
        let missing = |field| Err(Refusal::argument(field, "this field is missing").into());
        let Some(video) = &self.video else { return missing("video") };
        let Some(folder) = self.folder.clone() else { return missing("folder") };
        if !video.placed {
            let (id, team_id) = (video.id.clone(), video.team_id.clone());
            self.team
                .database
                .write::<_, Refusal, _>(move |connection| {
                    let project = folder.project(connection, &team_id)?;
                    Ok(transitions::place(connection, &id, &project)?)
                })
                .await?;
        }
        let id = video.id.clone();
        let answer = finish(self.team, &id).await?;
        // From here on it is a video like any other, whatever happens to its processing.
        self.video = None;
        Ok(answer)
    }

    /// Removes the video and what was stored of it.
    async fn undo(&mut self) {
        let Some(Received { id, incoming, key, .. }) = self.video.take() else { return };
        let video_id = id.clone();
        let remove = move |connection: &_| transitions::remove_unfinished(connection, &id);
        match self.team.database.write::<_, DatabaseError, _>(remove).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, video = video_id, "an upload was left registered"),
        }
        let removed = match incoming {
            Some(incoming) => incoming.abort().await,
            None => self.team.ingest.storage.delete(&key).await,
        };
        if let Err(error) = removed {
            tracing::warn!(%error, video = video_id, "a refused upload was left in the storage");
        }
    }
}

/// Registers the video, with as much of the quota as its form's length says it needs at least.
async fn register(
    team: &Team,
    user: &Principal,
    folder: Option<FolderPath>,
    field: &Field<'_>,
    announced: Option<u64>,
) -> Result<Received, HttpRefusal> {
    let filename = field.filename().unwrap_or_default();
    // A browser sends a bare name; other senders' paths are not ours to know.
    let filename = filename.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned();
    if filename.is_empty() {
        return Err(Refusal::argument("video", "send a file, with its name").into());
    }
    let said = field.content_type().filter(|said| *said != "application/octet-stream");
    let content_type =
        accepted(said.or_else(|| by_name(&filename)).unwrap_or_default()).map_err(of_the_form)?;
    let title = title(&filename).map_err(of_the_form)?;
    let least = announced.map_or(1, |length| length.saturating_sub(AROUND)).max(1);
    let most = announced.unwrap_or(team.limits.max_file_size);
    let (part_size, _) = part_plan(most, PART);
    let id = random::id();
    let key = object_key(&id);
    let placed = folder.is_some();
    let beginning = Beginning {
        original: Original::Stored(key.clone()),
        file_size: Some(least),
        content_type: Some(content_type.clone()),
        multipart: None,
    };
    let (user, video_id) = (user.clone(), id.clone());
    let team_id = team
        .database
        .write::<_, Refusal, _>(move |connection| {
            let now = now_millis();
            let team_id = team_of(connection, &user)?;
            let project_id = match folder {
                Some(folder) => folder.project(connection, &team_id)?,
                None => first_project(connection, &team_id)?,
            };
            let video = NewVideo {
                id: video_id,
                project_id,
                uploader_name: users::name(connection, &user.user_id)?,
                uploader_id: user.user_id,
                title,
                description: None,
                public_id: random::name(),
                file_size: beginning.file_size,
                content_type: beginning.content_type.clone(),
            };
            videos::insert(connection, &video, now)?;
            uploads::set_filename(connection, &video.id, &filename)?;
            let row = videos::get(connection, &video.id)?.ok_or_else(Refusal::internal)?;
            transitions::begin_upload(connection, &row, &beginning, now)?;
            Ok(team_id)
        })
        .await
        .map_err(of_the_form)?;
    let part_size = usize::try_from(part_size).unwrap_or(usize::MAX);
    let incoming = Incoming::new(team.ingest.storage.clone(), key.clone(), content_type, part_size);
    Ok(Received { id, team_id, incoming: Some(incoming), key, placed })
}

/// Stores the field's bytes as they come; the quota grows before what it is for is sent.
async fn store(
    team: &Team,
    received: &mut Received,
    field: &mut Field<'_>,
) -> Result<(), HttpRefusal> {
    let Some(incoming) = &mut received.incoming else { return Ok(()) };
    let mut size = 0_u64;
    let slow = || {
        let message = "the video comes too slowly; nothing of it was kept";
        HttpRefusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::InvalidArgument, message)
    };
    let mut deadline = tokio::time::Instant::now() + PART_TIME;
    while let Some(mut piece) =
        tokio::time::timeout_at(deadline, field.piece()).await.map_err(|_| slow())??
    {
        size += piece.len() as u64;
        while !piece.is_empty() {
            if incoming.room() == 0 {
                reserve(team, &received.id, size).await?;
                incoming.send().await.map_err(Refusal::from)?;
                deadline = tokio::time::Instant::now() + PART_TIME;
            }
            let taken = piece.split_to(incoming.room().min(piece.len()));
            incoming.take(&taken);
        }
    }
    check_size(size, &team.limits).map_err(of_the_form)?;
    let id = received.id.clone();
    team.database
        .write::<_, Refusal, _>(move |connection| {
            transitions::set_size(connection, &id, size)?;
            Ok(transitions::touch(connection, &id, now_millis())?)
        })
        .await
        .map_err(of_the_form)?;
    incoming.finish().await.map_err(Refusal::from)?;
    received.incoming = None;
    Ok(())
}

async fn reserve(team: &Team, id: &str, size: u64) -> Result<(), HttpRefusal> {
    let id = id.to_owned();
    let reserve = move |connection: &_| {
        quota::reserve(connection, &id, size)?;
        // It goes on: no background job may take it for idle.
        transitions::touch(connection, &id, now_millis())
    };
    let reserved = team.database.write::<_, DatabaseError, _>(reserve).await;
    reserved.map_err(|error| of_the_form(error.into()))
}

/// What the team API's functions call the size, the type or the title, is the form's video.
fn of_the_form(refusal: Refusal) -> HttpRefusal {
    match refusal.0.field.as_deref() {
        Some("fileSize" | "contentType" | "title") => refusal.at("video").into(),
        _ => refusal.into(),
    }
}

/// Has the media engine begin. That it does not answer is no reason to send the video again.
async fn finish(team: &Team, id: &str) -> Result<Accepted, HttpRefusal> {
    let _held = team.locks.hold(id).await;
    let video_id = id.to_owned();
    let get = move |connection: &_| videos::get(connection, &video_id);
    let Some(video) =
        team.database.read::<_, DatabaseError, _>(get.clone()).await.map_err(Refusal::from)?
    else {
        return Err(Refusal::no_video().into());
    };
    let finished = team.finish(video).await;
    let after = team.database.read::<_, DatabaseError, _>(get).await.map_err(Refusal::from)?;
    let status = after.map_or(VideoStatus::Uploading, |video| video.status);
    if let (Err(refusal), VideoStatus::Uploading) = (finished, status) {
        return Err(refusal.into());
    }
    // Just taken: that the media engine has it already is told to who asks.
    let (status, text) = match status {
        VideoStatus::Failed => status::code(VideoStatus::Failed, false),
        _ => status::code(VideoStatus::Processing, false),
    }
    .on_the_wire();
    Ok(Accepted {
        message: "Upload accepted and is now being processed.".to_owned(),
        data: AcceptedUpload { id: status::upload_id(id), status, status_text: text.to_owned() },
    })
}
