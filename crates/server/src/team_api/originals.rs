//! `getOriginalPlaybackUrl`, `getDownloadUrl`, `getPublicDownloadUrl`, `getSharedDownloadUrl`: addresses
//! of the original, as soon as all of it is there.

use dailies_api::error::ErrorCode;
use dailies_api::playback::{GrantArgs, OriginalArgs, OriginalUrl, PublicArgs};
use dailies_api::projects::Role;
use dailies_api::videos::VideoStatus;
use serde_json::Value;

use super::Team;
use super::content_type::extension;
use super::error::Refusal;
use super::functions::{Call, value};
use super::public::Public;
use super::shared::Opened;
use crate::db::videos::{Original, VideoRow};
use crate::storage::GetAs;

/// The original, to be played. A grant opens it as far as the link allows downloads, and besides while
/// nothing else can be played.
pub(crate) async fn play(mut call: Call) -> Result<Value, Refusal> {
    let args: OriginalArgs = call.args()?;
    let video = match args.grant_token {
        None => call.team.video_for(&call.caller, &args.video_id, Role::Member).await?.video,
        Some(grant) => {
            let opened = call.team.granted_for(grant, &args.video_id).await?;
            if opened.video.status == VideoStatus::Ready {
                allows_download(&opened)?;
            }
            opened.video
        }
    };
    let key = whole(&video)?;
    let content_type = video.content_type.as_deref();
    let how = GetAs { content_type, disposition: None };
    let url = call.team.ingest.storage.sign_get(key, &how).await?;
    value(OriginalUrl { url, content_type: video.content_type, filename: None })
}

/// The original, to be saved, by a role or by a grant.
pub(crate) async fn download(mut call: Call) -> Result<Value, Refusal> {
    let args: OriginalArgs = call.args()?;
    let video = match args.grant_token {
        None => call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video,
        Some(grant) => {
            let opened = call.team.granted_for(grant, &args.video_id).await?;
            allows_download(&opened)?;
            opened.video
        }
    };
    call.team.download_of(&video).await
}

/// The original of a public video, to be saved.
pub(crate) async fn public_download(mut call: Call) -> Result<Value, Refusal> {
    let args: PublicArgs = call.args()?;
    match call.team.public(args.public_id).await? {
        Public::Ready(video) => call.team.download_of(&video).await,
        Public::Processing { .. } => Err(not_ready("this video is not ready yet")),
        Public::Nothing => {
            Err(Refusal::new(ErrorCode::NotFound, "no such public video").at("publicId"))
        }
    }
}

/// The original of a shared video, to be saved, where its link allows that.
pub(crate) async fn shared_download(mut call: Call) -> Result<Value, Refusal> {
    let args: GrantArgs = call.args()?;
    let opened = call.team.granted(args.grant_token).await?;
    allows_download(&opened)?;
    call.team.download_of(&opened.video).await
}

impl Team {
    /// The original, to be saved under the video's title.
    async fn download_of(&self, video: &VideoRow) -> Result<Value, Refusal> {
        if video.status == VideoStatus::Failed {
            return Err(not_ready("this video failed; what was sent may be no video at all"));
        }
        let key = whole(video)?;
        let content_type = video.content_type.as_deref().unwrap_or("video/mp4");
        let filename = filename(&video.title, extension(content_type));
        let disposition = attachment(&filename);
        let how = GetAs { content_type: Some(content_type), disposition: Some(&disposition) };
        let url = self.ingest.storage.sign_get(key, &how).await?;
        value(OriginalUrl { url, content_type: None, filename: Some(filename) })
    }

    /// What a grant opens, if that is this video.
    async fn granted_for(&self, grant: String, video_id: &str) -> Result<Opened, Refusal> {
        let opened = self.granted(grant).await?;
        if opened.video.id == video_id { Ok(opened) } else { Err(Refusal::no_video()) }
    }
}

fn allows_download(opened: &Opened) -> Result<(), Refusal> {
    if opened.allow_download {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::Forbidden, "this link is for watching, not for downloading"))
}

/// The original's key, once all of it is there: also while the media engine works, or if it failed.
fn whole(video: &VideoRow) -> Result<&str, Refusal> {
    match (&video.original, video.status) {
        (None, _) | (_, VideoStatus::Uploading) => {
            Err(not_ready("the original is not all there yet"))
        }
        (Some(Original::Stored(key)), _) => Ok(key),
        (Some(Original::Direct(_)), _) => {
            let message = "this video went to the media engine directly: its original is not kept";
            Err(Refusal::new(ErrorCode::NotFound, message))
        }
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
