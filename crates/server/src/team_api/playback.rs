//! Playing: sessions of the media engine, and addresses of the original.

use dailies_api::error::ErrorCode;
use dailies_api::mux::AssetStatus;
use dailies_api::playback::{OriginalUrl, PlaybackSession};
use dailies_api::projects::Role;
use dailies_api::videos::{VideoArgs, VideoStatus, Visibility};
use dailies_database::DatabaseError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Team;
use super::content_type::extension;
use super::error::Refusal;
use super::functions::{Call, value};
use crate::db::videos::{self, VideoRow};
use crate::storage::GetAs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PublicArgs {
    public_id: String,
}

/// What a watch page needs: the session and what to call the video.
#[derive(Serialize)]
struct PublicSession {
    title: String,
    #[serde(flatten)]
    session: PlaybackSession,
}

/// `getPlaybackSession` and `getPlaybackUrl`, which differ in the fields that each dialect reads.
pub(crate) async fn session(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let video = call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video;
    value(call.team.signed_session(&video)?)
}

/// For anyone who knows the public id of a public video; null for everything else alike.
pub(crate) async fn public_session(mut call: Call) -> Result<Value, Refusal> {
    let args: PublicArgs = call.args()?;
    let video = call
        .team
        .database
        .read::<_, DatabaseError, _>(move |connection| {
            videos::by_public_id(connection, &args.public_id)
        })
        .await?;
    match video {
        Some(video)
            if video.visibility == Visibility::Public && video.status == VideoStatus::Ready =>
        {
            let session = call.team.signed_session(&video)?;
            value(PublicSession { title: video.title, session })
        }
        _ => Ok(Value::Null),
    }
}

/// The original as it was sent, as soon as all of it is there.
pub(crate) async fn original(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let video = call.team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    let (Some(key), true) = (&video.s3_key, video.status != VideoStatus::Uploading) else {
        return Err(not_ready("the original is not all there yet"));
    };
    let content_type = video.content_type.as_deref();
    let how = GetAs { content_type, disposition: None };
    let url = call.team.ingest.storage.sign_get(key, &how).await?;
    value(OriginalUrl { url, content_type: video.content_type, filename: None })
}

/// The original, to be saved under the video's title.
pub(crate) async fn download(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let video = call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video;
    let (Some(key), VideoStatus::Ready) = (&video.s3_key, video.status) else {
        return Err(not_ready("this video cannot be downloaded until it is ready"));
    };
    let content_type = video.content_type.as_deref().unwrap_or("video/mp4");
    let filename = filename(&video.title, extension(content_type));
    let disposition = attachment(&filename);
    let how = GetAs { content_type: Some(content_type), disposition: Some(&disposition) };
    let url = call.team.ingest.storage.sign_get(key, &how).await?;
    value(OriginalUrl { url, content_type: None, filename: Some(filename) })
}

/// Asks the media engine itself; `skipped` where it has nothing to say.
pub(crate) async fn check_asset(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video;
    let status = match team.ingest.ask(&video.id).await? {
        Some(AssetStatus::Preparing) => "preparing",
        Some(AssetStatus::Ready) => "ready",
        Some(AssetStatus::Errored) => "errored",
        None => "skipped",
    };
    Ok(json!({"status": status}))
}

impl Team {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit a Float64 for 285,000 years")]
    fn signed_session(&self, video: &VideoRow) -> Result<PlaybackSession, Refusal> {
        let (VideoStatus::Ready, Some(playback_id)) = (video.status, &video.mux_playback_id) else {
            return Err(not_ready("this video cannot be played yet"));
        };
        let signed = self.signer.sign(playback_id).map_err(|error| {
            tracing::error!(%error, "a playback token could not be signed");
            Refusal::internal()
        })?;
        Ok(PlaybackSession {
            playback_url: Some(signed.url.clone()),
            url: Some(signed.url),
            poster_url: Some(signed.poster_url),
            playback_id: Some(playback_id.clone()),
            token: Some(signed.token),
            duration: video.duration,
            expires_at: Some(signed.expires_at as f64),
        })
    }
}

fn not_ready(message: &str) -> Refusal {
    Refusal::new(ErrorCode::NotReady, message)
}

/// The title as a file's name: nothing that a file system reads as a path or cannot hold.
fn filename(title: &str, extension: &str) -> String {
    let safe: String = title
        .chars()
        .map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c })
        .take(120)
        .collect();
    let safe = safe.trim().trim_start_matches('.');
    let suffix = format!(".{extension}");
    match safe.len().checked_sub(suffix.len()).and_then(|at| safe.get(at..)) {
        Some(end) if end.eq_ignore_ascii_case(&suffix) && end.len() < safe.len() => safe.to_owned(),
        _ if safe.is_empty() => format!("video{suffix}"),
        _ => format!("{safe}{suffix}"),
    }
}

/// `Content-Disposition` of RFC 6266: plain ASCII for old readers, RFC 8187 for the others.
fn attachment(filename: &str) -> String {
    let ascii: String =
        filename.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in filename.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_file_name() {
        assert_eq!(filename("Day 1", "mp4"), "Day 1.mp4");
        assert_eq!(filename("clip.MP4", "mp4"), "clip.MP4");
        assert_eq!(filename("clip.mp4", "mov"), "clip.mp4.mov");
        assert_eq!(filename("../../etc/passwd", "mp4"), "_.._etc_passwd.mp4");
        assert_eq!(filename("a\"b\r\nc", "mp4"), "a_b__c.mp4");
        assert_eq!(filename("...", "mp4"), "video.mp4");
        assert_eq!(filename(".mp4", "mp4"), "mp4.mp4");
    }

    #[test]
    fn a_name_outside_ascii_is_sent_both_ways() {
        assert_eq!(
            attachment("Tag 1 – Köln.mp4"),
            "attachment; filename=\"Tag 1 _ K_ln.mp4\"; \
             filename*=UTF-8''Tag%201%20%E2%80%93%20K%C3%B6ln.mp4"
        );
    }
}
