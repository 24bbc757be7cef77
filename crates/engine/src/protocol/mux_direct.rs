//! Mux direct uploads: the team registers a video and hands out the address of a resumable PUT at
//! its media engine.
//!
//! Only the other side's word says how far an upload is: nothing is sent before it was asked.

use std::time::Duration;

use async_trait::async_trait;
use dailies_api::direct_uploads::{
    CreateDirectUpload, DirectUpload, GRANULE, PATH, ReopenDirectUpload,
};
use dailies_api::videos::VideoStatus;
use reqwest::{Method, RequestBuilder, StatusCode};

use crate::error::Code;
use crate::net::{SignedUrl, Standing, put_range, standing};
use crate::protocol::processing::each_left;
use crate::protocol::uploads_api::refusal;
use crate::protocol::{
    Arrived, Awaited, Earlier, Finished, Intent, Opened, Processing, Sent, Standings, Ticket,
    UploadProtocol,
};
use crate::source::{Crc64, PartBody};
use crate::store::{Receipt, Session, SessionKind};
use crate::team::Caller;
use crate::transfer::{ByteRange, Failure, PartNumber};

/// How long the media engine is left alone with bytes that it has and says nothing of yet.
const TAKING: Duration = Duration::from_secs(1);

/// Uploads through one server's direct uploads.
#[derive(Clone, Debug)]
pub struct MuxDirect {
    caller: Caller,
}

impl MuxDirect {
    /// Uploads as `caller`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<DirectUpload, Failure> {
        let answer = self.caller.ask(method, path, fill).await?;
        match answer.status {
            StatusCode::OK | StatusCode::CREATED => answer.json("a direct upload"),
            _ => Err(refusal(&answer)),
        }
    }

    async fn show(&self, video_id: &str) -> Result<DirectUpload, Failure> {
        self.ask(Method::GET, &upload(video_id), |request| request).await
    }

    async fn processing_of(&self, video_id: String) -> Result<Processing, Failure> {
        Ok(match self.show(&video_id).await? {
            DirectUpload::Uploaded { status: VideoStatus::Ready, duration, .. } => {
                Processing::Playable { duration }
            }
            DirectUpload::Uploaded { status: VideoStatus::Failed, error, .. } => {
                Processing::Failed { reason: error }
            }
            DirectUpload::Uploaded { .. } | DirectUpload::Waiting { .. } => Processing::UnderWay,
            DirectUpload::Ended { .. } => Processing::Failed { reason: None },
        })
    }

    /// Another upload for the video, if none is open but the one that is `gone`.
    async fn reopen(&self, video_id: &str, gone: Option<String>) -> Result<DirectUpload, Failure> {
        let body = ReopenDirectUpload { gone };
        self.ask(Method::POST, &upload(video_id), |request| request.json(&body)).await
    }

    /// What is at an address; `None` where it leads nowhere any more.
    async fn at(&self, url: &SignedUrl, total: u64) -> Result<Option<Standing>, Failure> {
        match standing(self.caller.clients(), url, total).await {
            Ok(standing) => Ok(Some(standing)),
            Err(Failure::SessionGone) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn signed(&self, url: &str) -> Result<SignedUrl, Failure> {
        SignedUrl::from_answer(url, self.caller.base()).map_err(|refusal| Failure::Refused {
            code: Code::StorageRefused,
            reason: format!("the server named {refusal}"),
        })
    }

    /// What is there after its last byte went out and was said to be taken. A network that says so
    /// in the place of the storage is found out here, where what is missing can still be sent.
    async fn proven(&self, intent: &Intent, url: &SignedUrl) -> Result<Standing, Failure> {
        match self.show(intent.video()?).await? {
            DirectUpload::Uploaded { .. } => Ok(Standing::Whole),
            DirectUpload::Waiting { .. } => {
                self.at(url, intent.size).await?.ok_or(Failure::SessionGone)
            }
            DirectUpload::Ended { .. } => Err(Failure::SessionGone),
        }
    }
}

#[async_trait]
impl UploadProtocol for MuxDirect {
    async fn answers(&self) -> bool {
        self.caller.clients().answer(self.caller.base()).await
    }

    /// The intent's id is the key under which a server registers nothing twice. The wire has no
    /// list in which an earlier try could be looked for: one that is made again after the server
    /// has forgotten the key leaves a video without bytes, which the server ends by itself.
    async fn register(&self, intent: &Intent, _: Earlier) -> Result<Option<String>, Failure> {
        let body = CreateDirectUpload {
            project_id: intent.project_id.clone(),
            title: intent.title.clone(),
            description: None,
            filename: intent.file_name.clone(),
            file_size: intent.size,
            content_type: intent.content_type.clone(),
        };
        let key = intent.id.to_string();
        let fill = |request: RequestBuilder| request.json(&body).header("idempotency-key", &key);
        let (DirectUpload::Waiting { id, .. }
        | DirectUpload::Ended { id }
        | DirectUpload::Uploaded { id, .. }) =
            self.ask(Method::POST, PATH.trim_start_matches('/'), fill).await?;
        Ok(Some(id))
    }

    async fn open(&self, intent: &Intent, _: Option<&Session>) -> Result<Opened, Failure> {
        let video_id = intent.video()?;
        let mut upload = self.show(video_id).await?;
        let mut reopened = false;
        loop {
            let gone = match upload {
                DirectUpload::Uploaded { id, .. } => {
                    let session = Session { key: id, kind: SessionKind::AlreadyThere };
                    return Ok(Opened { session, url: None, arrived: Arrived::NOTHING });
                }
                DirectUpload::Ended { .. } => None,
                DirectUpload::Waiting { upload_id, url, chunk_size, .. } => {
                    let url = self.signed(&url)?;
                    match self.at(&url, intent.size).await? {
                        // Any network can say so; if it is true, the team says it, too, and soon.
                        Some(Standing::Whole) => return Err(Failure::Busy { after: Some(TAKING) }),
                        Some(Standing::UpTo(bytes)) => {
                            let chunk_size = (chunk_size / GRANULE).max(1) * GRANULE;
                            let kind = SessionKind::InOrder { chunk_size };
                            let session = Session { key: upload_id, kind };
                            let arrived = Arrived::UpTo(bytes);
                            return Ok(Opened { session, url: Some(url), arrived });
                        }
                        None => Some(upload_id),
                    }
                }
            };
            if reopened {
                return Err(Failure::SessionGone);
            }
            // It may be gone because all of it arrived: the team says so instead of opening another.
            upload = self.reopen(video_id, gone).await?;
            reopened = true;
        }
    }

    fn tickets_at_once(&self) -> usize {
        1
    }

    async fn tickets(
        &self,
        _: &Intent,
        opened: &Opened,
        parts: &[(PartNumber, Option<Crc64>)],
    ) -> Result<Vec<Ticket>, Failure> {
        let url = opened.url.as_ref().ok_or(Failure::SessionGone)?;
        Ok(parts.iter().map(|(part, _)| Ticket::to(*part, url.clone())).collect())
    }

    async fn send(
        &self,
        intent: &Intent,
        _: &Opened,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let sent = put_range(self.caller.clients(), &ticket.url, range, intent.size, body).await?;
        let standing = match sent {
            Standing::Whole => self.proven(intent, &ticket.url).await?,
            part => part,
        };
        let stored = Some(bytes(standing, intent.size));
        Ok(Sent { etag: String::new(), checksum: None, stored })
    }

    /// The bytes are the media engine's: that it has made an asset of them is all there is to know.
    async fn finish(
        &self,
        intent: &Intent,
        _: &Session,
        _: &[Receipt],
    ) -> Result<Finished, Failure> {
        match self.show(intent.video()?).await? {
            DirectUpload::Uploaded { .. } => {
                Ok(Finished { video_id: None, size: None, checksum: None })
            }
            DirectUpload::Waiting { url, .. } => {
                match self.at(&self.signed(&url)?, intent.size).await? {
                    Some(Standing::Whole) => Err(Failure::Busy { after: Some(TAKING) }),
                    Some(Standing::UpTo(_)) | None => Err(Failure::SessionGone),
                }
            }
            DirectUpload::Ended { .. } => Err(Failure::Refused {
                code: Code::Damaged,
                reason: "the media engine took the file and made nothing of it".into(),
            }),
        }
    }

    async fn processing(&self, videos: &[Awaited]) -> Standings {
        each_left(videos, Standings::new(), |video| self.processing_of(video)).await
    }

    async fn abandon(&self, intent: &Intent, _: Option<&Session>) -> Result<(), Failure> {
        let Some(video_id) = &intent.video_id else { return Ok(()) };
        let path = upload(video_id);
        let answer = self.caller.ask(Method::DELETE, &path, |request| request).await?;
        match answer.status {
            // What is not there, or is complete, is as good as removed.
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND | StatusCode::CONFLICT => Ok(()),
            _ => Err(refusal(&answer)),
        }
    }
}

/// Below the server's address.
fn upload(video_id: &str) -> String {
    format!("{}/{video_id}", PATH.trim_start_matches('/'))
}

fn bytes(standing: Standing, total: u64) -> u64 {
    match standing {
        Standing::Whole => total,
        Standing::UpTo(bytes) => bytes,
    }
}
