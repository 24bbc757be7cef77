//! The Uploads API: one form per video. It cannot resume, and takes nothing back.

use std::time::Duration;

use async_trait::async_trait;
use dailies_api::error::ErrorCode;
use dailies_api::uploads_api::{Accepted, BASE, OneUpload, Upload, UploadCode, Uploads};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, StatusCode};

use crate::error::Code;
use crate::net::SignedUrl;
use crate::protocol::processing::{all_fail, each_left};
use crate::protocol::{
    Arrived, Asked, Awaited, Earlier, Finished, Intent, Opened, Processing, Sent, Standings,
    Ticket, Try, UploadProtocol,
};
use crate::source::PartBody;
use crate::store::{Before, Receipt, Session, SessionKind};
use crate::team::{Answer, Caller, function_failure};
use crate::transfer::{ByteRange, Failure};

/// How long a form that may still be coming in is left alone before it is looked at again.
const STILL_COMING: Duration = Duration::from_secs(2);

/// Uploads through one server's Uploads API.
#[derive(Clone, Debug)]
pub struct UploadsApi {
    caller: Caller,
}

impl UploadsApi {
    /// Uploads as `caller`. A destination's project is a folder's path, such as `root/rushes`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The most recent uploads of the caller's team, fifty at the most.
    async fn listed(&self) -> Result<Vec<Upload>, Failure> {
        let answer = self.caller.ask(Method::GET, &uploads(), |request| request).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.refusal());
        }
        Ok(answer.json::<Uploads>("the list of uploads")?.data)
    }

    async fn processing_of(&self, id: String) -> Result<Processing, Failure> {
        let path = format!("{}/{id}", uploads());
        let answer = self.caller.ask(Method::GET, &path, |request| request).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(&answer));
        }
        Ok(standing(answer.json::<OneUpload>("an upload")?.data))
    }
}

#[async_trait]
impl UploadProtocol for UploadsApi {
    async fn answers(&self) -> bool {
        self.caller.clients().answer(self.caller.base()).await
    }

    /// A team knows of a video only with its bytes.
    async fn register(&self, _: &Intent, _: Earlier) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// Before the first form, asks what is there already; before any other, whether the one before
    /// arrived after all.
    async fn open(&self, intent: &Intent, session: Option<&Session>) -> Result<Opened, Failure> {
        let listed = self.listed().await?;
        let session = match session {
            Some(session) => match &session.kind {
                SessionKind::Form(before) => match arrived(&listed, intent, session, before)? {
                    Some(id) => Session { key: id, kind: SessionKind::AlreadyThere },
                    None => session.clone(),
                },
                SessionKind::AlreadyThere => session.clone(),
                _ => first(&listed, intent),
            },
            None => first(&listed, intent),
        };
        Ok(Opened { session, url: None, arrived: Arrived::NOTHING })
    }

    fn tickets_at_once(&self) -> usize {
        1
    }

    async fn tickets(
        &self,
        _: &Intent,
        _: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        let malformed = || Failure::UnexpectedAnswer("the server's address is none".into());
        let base = self.caller.base();
        let url = base.join(&uploads()).map_err(|_| malformed())?;
        let url = SignedUrl::from_answer(url.as_str(), base).map_err(|_| malformed())?;
        Ok(parts.iter().map(|asked| Ticket::to(asked.part, url.clone())).collect())
    }

    async fn send(
        &self,
        intent: &Intent,
        opened: &Opened,
        _: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let left = body.left();
        let video = Part::stream_with_length(Body::wrap(body), range.length)
            .file_name(opened.session.key.clone())
            .mime_str(&intent.content_type)
            .map_err(|error| Failure::UnexpectedAnswer(error.to_string()))?;
        // The folder first: a server then knows where the video goes before it reads it.
        let form = Form::new().text("folder", intent.project_id.clone()).part("video", video);
        let answer = self.caller.send_form(&uploads(), form, left).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(refusal(&answer));
        }
        let accepted: Accepted = answer.json("the answer to a form")?;
        Ok(Sent { etag: accepted.data.id, checksum: None, stored: None })
    }

    async fn finish(
        &self,
        _: &Intent,
        session: &Session,
        receipts: &[Receipt],
        _: Try,
    ) -> Result<Finished, Failure> {
        let id = match &session.kind {
            SessionKind::AlreadyThere => Some(&session.key),
            _ => receipts.first().map(|receipt| &receipt.etag),
        };
        let video_id = Some(id.ok_or(Failure::SessionGone)?.clone());
        Ok(Finished { video_id, size: None, checksum: None })
    }

    /// The list says it of the most recent ones; the others are asked about one by one.
    async fn processing(&self, videos: &[Awaited]) -> Standings {
        let mut standings = Standings::new();
        if videos.len() > 1 {
            match self.listed().await {
                Ok(listed) => {
                    let of = |upload: Upload| (upload.id.clone(), Ok(standing(upload)));
                    standings.extend(listed.into_iter().map(of));
                }
                Err(failure) => return all_fail(videos, &failure),
            }
        }
        each_left(videos, standings, |video| self.processing_of(video)).await
    }

    /// What did not arrive whole its server has removed; what did, the wire cannot take back.
    async fn abandon(&self, _: &Intent, _: Option<&Session>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Below the server's address.
fn uploads() -> String {
    format!("{}/uploads", BASE.trim_start_matches('/'))
}

fn standing(upload: Upload) -> Processing {
    match UploadCode::of(upload.status) {
        Some(UploadCode::Completed) => Processing::Playable { duration: None },
        Some(UploadCode::Failed) => Processing::Failed { reason: None },
        Some(UploadCode::Pending | UploadCode::Processing | UploadCode::Uploading) => {
            Processing::UnderWay
        }
        None => {
            let Upload { id, status, status_text: text, .. } = upload;
            tracing::info!(id, status, text, "a status that this version does not know");
            Processing::UnderWay
        }
    }
}

/// The name a form's file goes by. Quotes, slashes and line ends are read in as many ways as there
/// are servers; what is sent must be what is listed.
fn sent_name(file_name: &str) -> String {
    let safe = |c: char| if c.is_control() || "\"\\/".contains(c) { '_' } else { c };
    let name: String = file_name.chars().map(safe).collect();
    name.trim().to_owned()
}

/// A session whose form was not sent yet.
fn first(listed: &[Upload], intent: &Intent) -> Session {
    let key = sent_name(&intent.file_name);
    let before = Before {
        namesakes: named(listed, &key).map(|upload| upload.id.clone()).collect(),
        newest: listed.iter().filter_map(|upload| upload.created_at.clone()).max(),
    };
    Session { key, kind: SessionKind::Form(before) }
}

fn named<'a>(listed: &'a [Upload], name: &'a str) -> impl Iterator<Item = &'a Upload> {
    listed.iter().filter(move |upload| upload.filename == name)
}

/// The upload that an earlier form became. A name is all the wire has to know it by, and cameras
/// give the same names again and again: where another upload could be meant, none is. A video that
/// arrives twice is a nuisance, one that never does is a loss.
fn arrived(
    listed: &[Upload],
    intent: &Intent,
    session: &Session,
    before: &Before,
) -> Result<Option<String>, Failure> {
    let new = |upload: &&Upload| {
        !before.namesakes.contains(&upload.id)
            && !intent.namesakes.contains(&Some(upload.id.clone()))
            // The server's own clock, in the one form it writes: it need not be read.
            && (upload.created_at.is_none() || upload.created_at >= before.newest)
    };
    let mut found = named(listed, &session.key).filter(new);
    let (Some(upload), None) = (found.next(), found.next()) else { return Ok(None) };
    if intent.namesakes.contains(&None) {
        return Ok(None);
    }
    if UploadCode::of(upload.status) == Some(UploadCode::Uploading) {
        // Our own server says so while a form still comes in, and forgets one that breaks off.
        return Err(Failure::Busy { after: Some(STILL_COMING) });
    }
    Ok(Some(upload.id.clone()))
}

/// By its code where the server says one: by the status alone, a file that is too large and a team
/// that is full look alike.
pub(super) fn refusal(answer: &Answer) -> Failure {
    let refused = |code, reason| Failure::Refused { code, reason };
    let said = answer.error().filter(|data| data.code != ErrorCode::Unknown);
    match (answer.status.as_u16(), said) {
        (400..=499, Some(data)) if !matches!(answer.status.as_u16(), 401 | 403 | 408 | 429) => {
            function_failure(Some(data.code), &data.message)
        }
        (404, None) => refused(Code::NotFound, answer.status.to_string()),
        (413, None) => refused(Code::FileTooLarge, answer.status.to_string()),
        (415, None) => refused(Code::UnsupportedType, answer.status.to_string()),
        (400 | 422, None) => refused(Code::Refused, answer.status.to_string()),
        _ => answer.refusal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::{Timestamp, UploadId};

    fn upload(id: &str, filename: &str, status: u16, second: u8) -> Upload {
        Upload {
            id: id.into(),
            filename: filename.into(),
            status,
            status_text: String::new(),
            created_at: Some(format!("2024-08-11T10:00:{second:02}Z")),
            updated_at: None,
        }
    }

    fn intent(namesakes: Vec<Option<String>>) -> Intent {
        Intent {
            id: UploadId::new(),
            project_id: "root".into(),
            title: "C0001".into(),
            file_name: "C0001.MP4".into(),
            size: 1,
            growth: None,
            content_type: "video/mp4".into(),
            added_at: Timestamp(0),
            video_id: None,
            version_of: None,
            visibility: None,
            namesakes,
        }
    }

    /// What is taken for ours of uploads listed after a form whose answer is lost.
    fn taken(after: &[Upload], namesakes: Vec<Option<String>>) -> Result<Option<String>, Failure> {
        let intent = intent(namesakes);
        let session = first(&[upload("old", "C0001.MP4", 6, 1)], &intent);
        let SessionKind::Form(before) = &session.kind else { panic!("no form") };
        arrived(after, &intent, &session, before)
    }

    #[test]
    fn an_upload_that_can_only_be_ours_is_ours() {
        let listed = [
            upload("new", "C0001.MP4", 3, 9),
            upload("b", "C0002.MP4", 6, 9),
            upload("old", "C0001.MP4", 6, 1),
        ];
        assert_eq!(taken(&listed, vec![]), Ok(Some("new".into())));
        assert_eq!(taken(&listed[1..], vec![]), Ok(None), "there before the form");
        let deleted = [upload("older", "C0001.MP4", 6, 0)];
        assert_eq!(taken(&deleted, vec![]), Ok(None), "older than the oldest that was listed");
    }

    #[test]
    fn an_upload_that_may_be_another_is_not_ours() {
        let one = [upload("new", "C0001.MP4", 3, 9)];
        assert_eq!(
            taken(&one, vec![Some("new".into())]),
            Ok(None),
            "another upload's of this queue"
        );
        assert_eq!(taken(&one, vec![None]), Ok(None), "perhaps another upload's of this queue");
        let two = [upload("new", "C0001.MP4", 3, 9), upload("newer", "C0001.MP4", 3, 9)];
        assert_eq!(taken(&two, vec![]), Ok(None));
        assert_eq!(taken(&two, vec![Some("newer".into())]), Ok(Some("new".into())));
    }

    #[test]
    fn a_form_that_still_comes_in_is_waited_for() {
        let coming = [upload("new", "C0001.MP4", 5, 9)];
        assert_eq!(taken(&coming, vec![]), Err(Failure::Busy { after: Some(STILL_COMING) }));
    }

    #[test]
    fn names_are_sent_as_they_will_be_listed() {
        assert_eq!(sent_name("Größe 素材.mp4"), "Größe 素材.mp4");
        assert_eq!(sent_name(" a\"b\\c/d\r\n.mp4"), "a_b_c_d__.mp4");
    }
}
