//! `multipart/form-data`, read as it comes: no more of it is in memory than one piece.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use dailies_api::error::ErrorCode;
use futures_util::Stream;
use multer::{Constraints, Multipart, SizeLimit};

use crate::config::Limits;
use crate::http_actions::{HttpRefusal, announced};
use crate::team_api::Refusal;

/// Bytes of everything around the video.
pub(super) const AROUND: u64 = 64 << 10;
/// Bytes that may be read and belong to no field yet: what a boundary or headers without end fill.
const UNREAD: u64 = 1 << 20;
/// After a refusal, so that the answer reaches a sender who has not stopped yet.
const LINGER: Duration = Duration::from_secs(3);

/// A form that is being received.
pub(super) struct Form {
    parts: Multipart<'static>,
    /// Read, but given to nobody yet.
    unread: Arc<AtomicU64>,
    /// How long it may stop coming.
    stall: Duration,
    /// `Content-Length`, where there is one.
    pub(super) announced: Option<u64>,
}

/// One field of it.
pub(super) struct Field<'a> {
    field: multer::Field<'static>,
    unread: &'a AtomicU64,
    stall: Duration,
}

impl Form {
    /// Begins, or refuses by what the headers say.
    pub(super) fn new(
        headers: &HeaderMap,
        body: Body,
        limits: &Limits,
    ) -> Result<Self, HttpRefusal> {
        let boundary = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| multer::parse_boundary(value).ok())
            .ok_or_else(|| {
                let message = "send multipart/form-data with a boundary";
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                HttpRefusal::new(status, ErrorCode::InvalidArgument, message)
            })?;
        let most = limits.max_file_size.saturating_add(AROUND);
        let announced = announced(headers);
        if announced.is_some_and(|length| length > most) {
            return Err(too_large(limits.max_file_size));
        }
        let sizes = SizeLimit::new()
            .whole_stream(most)
            .for_field("video", limits.max_file_size)
            .for_field("folder", AROUND);
        let unread = Arc::new(AtomicU64::new(0));
        let stream =
            OnePiece { body: body.into_data_stream(), unread: Arc::clone(&unread), gave: false };
        let constraints = Constraints::new().size_limit(sizes);
        let parts = Multipart::with_constraints(stream, boundary, constraints);
        Ok(Self { parts, unread, stall: limits.form_stall, announced })
    }

    /// The next field; `None` after the form's own end, and only then.
    pub(super) async fn next(&mut self) -> Result<Option<Field<'_>>, HttpRefusal> {
        let next = in_time(self.stall, self.parts.next_field()).await?;
        Ok(next.map(|field| Field { field, unread: &self.unread, stall: self.stall }))
    }

    /// Lets a sender who is refused read why: a connection closed with bytes on their way is reset,
    /// and takes the answer with it.
    pub(super) async fn linger(mut self) {
        let rest = async {
            while let Ok(Some(mut field)) = self.next().await {
                while let Ok(Some(_)) = field.piece().await {}
            }
        };
        let _ = tokio::time::timeout(LINGER, rest).await;
    }
}

impl Field<'_> {
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    pub(super) fn filename(&self) -> Option<&str> {
        self.field.file_name()
    }

    pub(super) fn content_type(&self) -> Option<&str> {
        self.field.content_type().map(AsRef::as_ref)
    }

    /// The next bytes; `None` after the last.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, HttpRefusal> {
        let piece = in_time(self.stall, self.field.chunk()).await?;
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        // Boundaries and headers are in no piece; what they took is not counted twice.
        let _ = self.unread.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |unread| {
            Some(unread.saturating_sub(length))
        });
        Ok(piece)
    }

    /// The whole field, which is short.
    pub(super) async fn text(mut self) -> Result<String, HttpRefusal> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            if bytes.len() + piece.len() > usize::try_from(AROUND).unwrap_or(usize::MAX) {
                return Err(Refusal::argument(self.name(), "this field is too long").into());
            }
            bytes.extend_from_slice(&piece);
        }
        String::from_utf8(bytes)
            .map_err(|_| Refusal::argument("folder", "a path is UTF-8 text").into())
    }
}

/// A body that never gives two pieces at once: multer reads as long as there is something to read,
/// and would hold a fast sender's whole video.
struct OnePiece {
    body: BodyDataStream,
    unread: Arc<AtomicU64>,
    gave: bool,
}

/// Why a body cannot be read on.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the connection broke")]
    Broken,
    #[error("no field begins or ends where it must")]
    Endless,
}

impl Stream for OnePiece {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = std::task::ready!(Pin::new(&mut self.body).poll_next(context));
        self.gave = piece.is_some();
        Poll::Ready(piece.map(|piece| {
            let piece = piece.map_err(|_| BodyError::Broken)?;
            let length = piece.len() as u64;
            let unread = self.unread.fetch_add(length, Ordering::Relaxed) + length;
            if unread > UNREAD { Err(BodyError::Endless) } else { Ok(piece) }
        }))
    }
}

async fn in_time<T>(
    stall: Duration,
    read: impl Future<Output = Result<T, multer::Error>>,
) -> Result<T, HttpRefusal> {
    match tokio::time::timeout(stall, read).await {
        Ok(read) => read.map_err(|error| refused(&error)),
        Err(_) => {
            let message = "the form stopped coming; nothing of it was kept, send it again";
            let status = StatusCode::REQUEST_TIMEOUT;
            Err(HttpRefusal::new(status, ErrorCode::InvalidArgument, message))
        }
    }
}

fn refused(error: &multer::Error) -> HttpRefusal {
    match error {
        multer::Error::FieldSizeExceeded { limit, field_name } => {
            if field_name.as_deref() == Some("folder") {
                return Refusal::argument("folder", "this field is too long").into();
            }
            too_large(*limit)
        }
        multer::Error::StreamSizeExceeded { limit } => too_large(limit.saturating_sub(AROUND)),
        // What the form is wrong in, never what is in it.
        _ => {
            tracing::debug!(%error, "a form could not be read");
            let message = "the form is not whole, or no multipart/form-data";
            HttpRefusal::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidArgument, message)
        }
    }
}

pub(super) fn too_large(most: u64) -> HttpRefusal {
    let message = format!("a file has at most {most} bytes");
    Refusal::new(ErrorCode::FileTooLarge, message).at("video").into()
}
