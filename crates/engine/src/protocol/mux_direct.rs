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
use crate::protocol::growing_files::GrowingFiles;
use crate::protocol::processing::each_left;
use crate::protocol::uploads_api::refusal;
use crate::protocol::{
    Arrived, Asked, Awaited, Earlier, Finished, Intent, Opened, Order, Processing, Sent, Standings,
    Ticket, Try, UploadProtocol,
};
use crate::source::PartBody;
use crate::store::{Receipt, Session, SessionKind};
use crate::team::Caller;
use crate::transfer::{ByteRange, Failure, Growth};

/// How long the media engine is left alone with bytes that it has and says nothing of yet.
const TAKING: Duration = Duration::from_secs(1);

/// Uploads through one server's direct uploads.
#[derive(Clone, Debug)]
pub struct MuxDirect {
    caller: Caller,
    growing: GrowingFiles,
}

impl MuxDirect {
    /// Uploads as `caller`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller, growing: GrowingFiles::default() }
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

    /// Another upload for the video, if none is open but the one that is `gone`. `size` are the
    /// bytes of a file that grows, or grew, as far as they are known.
    async fn reopen(
        &self,
        video_id: &str,
        gone: Option<String>,
        size: Option<u64>,
    ) -> Result<DirectUpload, Failure> {
        let body = ReopenDirectUpload { gone, file_size: size };
        self.ask(Method::POST, &upload(video_id), |request| request.json(&body)).await
    }

    /// Asks for room for the first `end` bytes of a file that grows.
    async fn promised(&self, intent: &Intent, opened: &Opened, end: u64) -> Result<(), Failure> {
        match self.reopen(intent.video()?, None, Some(end)).await? {
            DirectUpload::Waiting { upload_id, .. } if upload_id == opened.session.key => Ok(()),
            _ => Err(Failure::SessionGone),
        }
    }

    /// What is at an address; `None` where it leads nowhere any more.
    async fn at(&self, url: &SignedUrl, total: Option<u64>) -> Result<Option<Standing>, Failure> {
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
                self.at(url, Some(intent.size)).await?.ok_or(Failure::SessionGone)
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
            file_size: intent.size_at_first(),
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
        let mut upload = match intent.growth {
            // Its size, which nobody could say before.
            Some(Growth::Grown) => self.reopen(video_id, None, Some(intent.size)).await?,
            Some(Growth::Growing) | None => self.show(video_id).await?,
        };
        // What went up of a file while it grew is not compared with it yet: naming the total, the
        // question could be the end.
        let total = intent.size_at_first();
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
                    match self.at(&url, total).await? {
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
            upload = self.reopen(video_id, gone, intent.total()).await?;
            reopened = true;
        }
    }

    async fn takes_growing_files(&self) -> Option<Order> {
        let taken = self.growing.are_taken(self.caller.base(), self.caller.clients()).await;
        taken.then_some(Order::FromTheStart)
    }

    async fn discard(&self, intent: &Intent, session: &Session) -> Result<(), Failure> {
        let gone = Some(session.key.clone());
        self.reopen(intent.video()?, gone, intent.total()).await.map(drop)
    }

    fn tickets_at_once(&self) -> usize {
        1
    }

    async fn tickets(
        &self,
        _: &Intent,
        opened: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        let url = opened.url.as_ref().ok_or(Failure::SessionGone)?;
        Ok(parts.iter().map(|asked| Ticket::to(asked.part, url.clone())).collect())
    }

    async fn send(
        &self,
        intent: &Intent,
        opened: &Opened,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let total = intent.total();
        if total.is_none() {
            self.promised(intent, opened, range.offset + range.length).await?;
        }
        let sent = put_range(self.caller.clients(), &ticket.url, range, total, body).await?;
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
        _: Try,
    ) -> Result<Finished, Failure> {
        match self.show(intent.video()?).await? {
            DirectUpload::Uploaded { .. } => {
                Ok(Finished { video_id: None, size: None, checksum: None })
            }
            DirectUpload::Waiting { url, .. } => {
                match self.at(&self.signed(&url)?, Some(intent.size)).await? {
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
