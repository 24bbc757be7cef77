//! Chunked upload sessions: the `videoUpload` endpoint of a Serverpod deployment.
//!
//! The wire says how many chunks are confirmed, not which. They are confirmed in order, one at a
//! time, so how many is which, also at a server that counts calls instead of chunks.

use async_trait::async_trait;
use dailies_api::chunked_sessions::{
    ChunkArgs, ChunkUploadProgress, ChunkUploadUrl, ChunkedUploadSession, ConfirmChunk, EXCEPTION,
    Exception, ExceptionCode, ExceptionData, InitializeVideoUpload, MediaFile, SessionArgs,
    SessionStatus,
};
use futures_util::future::try_join_all;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Code;
use crate::net::{SignedUrl, put_answer, put_body};
use crate::protocol::{
    Arrived, ArrivedPart, Asked, Awaited, Earlier, Finished, Intent, Opened, Processing, Sent,
    Standings, Ticket, Try, UploadProtocol,
};
use crate::source::PartBody;
use crate::store::{Receipt, Session, SessionKind};
use crate::team::Caller;
use crate::transfer::{ByteRange, Failure, PartNumber};

/// Bytes of a chunk where the server does not say them: the documented endpoint has them built in.
const CHUNK: u64 = 5 << 20;
/// Addresses asked for at once. Each is a call of its own, and good for half an hour.
const TICKETS: usize = 8;
/// Confirmations of one chunk that may be lost on their way, one after the other.
const CONFIRMATIONS: usize = 3;

/// Uploads through one server's chunked sessions.
#[derive(Clone, Debug)]
pub struct ChunkedSessions {
    caller: Caller,
}

impl ChunkedSessions {
    /// Uploads as `caller`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    async fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        args: &A,
    ) -> Result<R, Failure> {
        let path = format!("videoUpload/{method}");
        let answer = self.caller.ask(Method::POST, &path, |request| request.json(args)).await?;
        match answer.status {
            StatusCode::OK => answer.json(method),
            StatusCode::BAD_REQUEST => Err(match answer.json::<Exception>(method) {
                Ok(Exception { class_name, data }) if class_name == EXCEPTION => meaning(data),
                _ => answer.refusal(),
            }),
            _ => Err(answer.refusal()),
        }
    }

    /// A new session. One whose answer is lost cannot be found again: the wire lists none, and
    /// knows no name of ours for it. It holds no bytes, and its server ends it after a day.
    async fn initialize(&self, intent: &Intent) -> Result<Opened, Failure> {
        let args = InitializeVideoUpload {
            file_name: intent.file_name.clone(),
            mime_type: intent.content_type.clone(),
            total_size: intent.size,
            duration_seconds: None,
            project_id: Some(intent.project_id.clone()).filter(|project| !project.is_empty()),
        };
        let session: ChunkedUploadSession = self.call("initializeVideoUpload", &args).await?;
        let kind = SessionKind::Chunked {
            chunk_size: session.chunk_size.unwrap_or(CHUNK),
            chunk_count: session.total_chunks,
            media_file_id: session.media_file_id,
        };
        let session = Session { key: session.id.to_string(), kind };
        Ok(Opened { session, url: None, arrived: Arrived::NOTHING })
    }

    /// The session as it stands; [`Failure::SessionGone`] where it takes no more chunks.
    async fn resume(&self, session: &Session, chunk_count: u32) -> Result<Opened, Failure> {
        let progress = self.progress(session).await?;
        if progress.status == Some(SessionStatus::Failed) {
            return Err(Failure::SessionGone);
        }
        let confirmed = progress.uploaded_chunks.min(chunk_count);
        if confirmed < chunk_count {
            // How far it is, a session says also after its day is over. An address it does not give.
            let _: ChunkUploadUrl = self.chunk_url(session, confirmed).await?;
        }
        let part = |number| {
            Some(ArrivedPart { part: PartNumber::new(number)?, etag: None, content: None })
        };
        let arrived = Arrived::Parts((1..=confirmed).filter_map(part).collect());
        Ok(Opened { session: session.clone(), url: None, arrived })
    }

    async fn progress(&self, session: &Session) -> Result<ChunkUploadProgress, Failure> {
        self.call("getUploadProgress", &args(session)?).await
    }

    async fn chunk_url(&self, session: &Session, index: u32) -> Result<ChunkUploadUrl, Failure> {
        let args = ChunkArgs {
            upload_session_id: args(session)?.upload_session_id,
            chunk_index: i64::from(index),
        };
        self.call("getChunkUploadUrl", &args).await
    }

    async fn ticket(&self, session: &Session, part: PartNumber) -> Result<Ticket, Failure> {
        let leave = self.chunk_url(session, index(part)).await?;
        let url = SignedUrl::from_answer(&leave.upload_url, self.caller.base());
        let url = url.map_err(|refusal| Failure::Refused {
            code: Code::StorageRefused,
            reason: format!("the server named {refusal}"),
        })?;
        let headers = leave.upload_headers.iter().map(|(name, value)| header(name, value));
        let headers = headers.collect::<Result<HeaderMap, _>>()?;
        Ok(Ticket { headers, ..Ticket::to(part, url) })
    }
}

#[async_trait]
impl UploadProtocol for ChunkedSessions {
    async fn answers(&self) -> bool {
        self.caller.clients().answer(self.caller.base()).await
    }

    /// The wire registers a video and opens its session in one call, which is [`Self::open`]'s:
    /// a session ends after a day, and the upload goes on in another.
    async fn register(&self, _: &Intent, _: Earlier) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn open(&self, intent: &Intent, session: Option<&Session>) -> Result<Opened, Failure> {
        if let Some(session) = session
            && let SessionKind::Chunked { chunk_count, .. } = session.kind
        {
            match self.resume(session, chunk_count).await {
                Err(Failure::SessionGone) => {}
                resumed => return resumed,
            }
        }
        self.initialize(intent).await
    }

    fn tickets_at_once(&self) -> usize {
        TICKETS
    }

    async fn tickets(
        &self,
        _: &Intent,
        opened: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        try_join_all(parts.iter().map(|asked| self.ticket(&opened.session, asked.part))).await
    }

    async fn send(
        &self,
        _: &Intent,
        _: &Opened,
        ticket: &Ticket,
        _: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let clients = self.caller.clients();
        let request = clients.put(&ticket.url);
        let request = request.headers(ticket.headers.clone());
        let answer = put_answer(put_body(clients, request, body).await?).await?;
        Ok(Sent { etag: answer.etag, checksum: answer.checksum, stored: None })
    }

    async fn confirm(
        &self,
        _: &Intent,
        opened: &Opened,
        part: PartNumber,
        range: ByteRange,
    ) -> Result<(), Failure> {
        if opened.arrived.parts().last().is_some_and(|last| part <= last.part) {
            // Sent again because its receipt is missing. A server that counts calls would count it
            // twice.
            return Ok(());
        }
        let args = ConfirmChunk {
            upload_session_id: args(&opened.session)?.upload_session_id,
            chunk_index: i64::from(index(part)),
            chunk_size: range.length,
        };
        let mut tries = 0;
        loop {
            let failure = match self.call("confirmChunkUpload", &args).await {
                Ok(ChunkUploadProgress { .. }) => return Ok(()),
                Err(failure) => failure,
            };
            let in_doubt = matches!(
                failure,
                Failure::Transport(_) | Failure::UnexpectedAnswer(_) | Failure::ServerFault { .. }
            );
            tries += 1;
            if !in_doubt || tries > CONFIRMATIONS {
                return Err(failure);
            }
            // Its answer may be all that was lost.
            if self.progress(&opened.session).await?.uploaded_chunks >= part.get() {
                return Ok(());
            }
        }
    }

    async fn finish(
        &self,
        intent: &Intent,
        session: &Session,
        _: &[Receipt],
        _: Try,
    ) -> Result<Finished, Failure> {
        let SessionKind::Chunked { media_file_id, .. } = session.kind else {
            return Err(Failure::SessionGone);
        };
        let finished = |media_file: Option<i64>, size| {
            let video_id = media_file.map_or_else(|| session.key.clone(), |id| id.to_string());
            Finished { video_id: Some(video_id), size: Some(size), checksum: None }
        };
        let progress = self.progress(session).await?;
        if progress.status == Some(SessionStatus::Completed) {
            // An earlier answer was lost, or a chunk that was taken twice has completed it. The
            // documented endpoint, asked again, looks for chunks that it has removed, and calls the
            // upload failed.
            return Ok(finished(media_file_id, progress.total_bytes));
        }
        let media: MediaFile = self.call("completeVideoUpload", &args(session)?).await?;
        if media.file_size != intent.size {
            tracing::warn!(upload = %intent.id, size = media.file_size, "another size is said");
        }
        Ok(finished(media_file_id.or(Some(media.id)), media.file_size))
    }

    /// The wire has no question about a media file: what is put together is the team's.
    async fn processing(&self, videos: &[Awaited]) -> Standings {
        let there =
            |video: &Awaited| (video.video_id.clone(), Ok(Processing::Playable { duration: None }));
        videos.iter().map(there).collect()
    }

    async fn abandon(&self, _: &Intent, session: Option<&Session>) -> Result<(), Failure> {
        let Some(session) = session else { return Ok(()) };
        match self.call::<_, Value>("cancelUpload", &args(session)?).await {
            Ok(_) | Err(Failure::SessionGone) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// Chunks are numbered from zero.
fn index(part: PartNumber) -> u32 {
    part.get() - 1
}

fn args(session: &Session) -> Result<SessionArgs, Failure> {
    // One of another protocol, which this server does not have.
    let upload_session_id = session.key.parse().map_err(|_| Failure::SessionGone)?;
    Ok(SessionArgs { upload_session_id })
}

/// A header that the server wants sent with a chunk, if a storage may be told it.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let refused = || Failure::Refused {
        code: Code::StorageRefused,
        reason: "the server named a header that no storage is sent".into(),
    };
    let name = HeaderName::try_from(name).map_err(|_| refused())?;
    let allowed = ["x-amz-", "x-goog-"].iter().any(|prefix| name.as_str().starts_with(prefix));
    if !allowed && name != reqwest::header::CONTENT_TYPE {
        return Err(refused());
    }
    Ok((name, HeaderValue::try_from(value).map_err(|_| refused())?))
}

fn meaning(ExceptionData { code, message }: ExceptionData) -> Failure {
    let refused = |code| Failure::Refused { code, reason: message };
    match code {
        ExceptionCode::Unauthenticated => refused(Code::SignedOut),
        ExceptionCode::UserNotFound | ExceptionCode::AccessDenied => refused(Code::Forbidden),
        ExceptionCode::InvalidType => refused(Code::UnsupportedType),
        ExceptionCode::FileTooLarge => refused(Code::FileTooLarge),
        ExceptionCode::QuotaExceeded => refused(Code::QuotaExceeded),
        ExceptionCode::SessionNotFound | ExceptionCode::SessionExpired => Failure::SessionGone,
        // What the storage has of the chunk is not what was sent.
        ExceptionCode::InvalidChunk | ExceptionCode::ChunkNotFound => Failure::PartDamaged,
        // What was confirmed is not there any more: only a new upload mends it.
        ExceptionCode::Incomplete | ExceptionCode::ChunkMissing => refused(Code::Damaged),
        ExceptionCode::MediaNotFound => refused(Code::NotFound),
        ExceptionCode::Unknown => refused(Code::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_names_no_header_that_opens_something() {
        assert!(header("content-type", "video/mp4").is_ok());
        assert!(header("X-Amz-Acl", "private").is_ok());
        for name in ["authorization", "cookie", "host", "content-length", "x amz", ""] {
            assert!(header(name, "x").is_err(), "{name}");
        }
        assert!(header("x-amz-acl", "a\r\nb: c").is_err());
    }

    #[test]
    fn what_is_gone_is_opened_again_and_what_is_damaged_sent_again() {
        let of = |code| meaning(ExceptionData { code, message: "words".into() });
        assert_eq!(of(ExceptionCode::SessionExpired), Failure::SessionGone);
        assert_eq!(of(ExceptionCode::SessionNotFound), Failure::SessionGone);
        assert_eq!(of(ExceptionCode::ChunkNotFound), Failure::PartDamaged);
        assert!(matches!(
            of(ExceptionCode::ChunkMissing),
            Failure::Refused { code: Code::Damaged, .. }
        ));
    }
}
