//! From a request's body to bytes in a file: positioned writes, hashed on the way, durable at the end.

use std::fs::File;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use s3s::StdError;
use s3s::dto::StreamingBlob;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::checksums::{Computed, Digests};
use super::in_place::Turn;
use super::positioned;
use super::refusal::Refusal;

/// Bytes gathered before they are written, so that a blocking thread is worth its start.
const SLICE: usize = 1 << 20;
/// How long a body may bring nothing before it is given up.
const BODY_IDLE: Duration = Duration::from_secs(60);

/// One body on its way into its place in a file.
///
/// At most two slices are in memory: one that is written and one that is gathered. A blocking
/// thread is held only while it writes, so that slow clients cannot use them up. `guard` is kept
/// until the last write has ended, also if the request is dropped in the middle of one.
pub(super) struct Intake<G> {
    file: Arc<File>,
    offset: u64,
    digests: Digests,
    /// Of the file, where others write to it, too.
    turn: Option<Turn>,
    guard: G,
}

impl<G: Send + 'static> Intake<G> {
    pub(super) fn new(file: File, offset: u64, digests: Digests, guard: G) -> Self {
        Self { file: Arc::new(file), offset, digests, turn: None, guard }
    }

    /// Writes only in turn.
    pub(super) fn in_turn(self, turn: Option<Turn>) -> Self {
        Self { turn, ..self }
    }

    /// Takes exactly `length` bytes of `body` and makes them durable.
    ///
    /// # Errors
    /// [`Refusal::IncompleteBody`] for any other number of bytes; nothing may be recorded then.
    pub(super) async fn receive(
        self,
        body: Option<StreamingBlob>,
        length: u64,
    ) -> Result<(Computed, G), Refusal> {
        let mut writer = self;
        let mut received: u64 = 0;
        if let Some(mut body) = body {
            let mut writing: Option<JoinHandle<io::Result<Self>>> = None;
            let mut idle = Some(writer);
            loop {
                let (slice, ended) = gather(&mut body).await?;
                received += slice.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
                if received > length {
                    return Err(Refusal::IncompleteBody);
                }
                writer = match (idle.take(), writing.take()) {
                    (Some(writer), _) => writer,
                    (None, Some(writing)) => joined(writing).await?,
                    (None, None) => return Err(stopped().into()),
                };
                if ended && slice.is_empty() {
                    break;
                }
                writing = Some(tokio::task::spawn_blocking(move || writer.write(&slice)));
            }
        }
        if received != length {
            return Err(Refusal::IncompleteBody);
        }
        let durable = tokio::task::spawn_blocking(move || {
            writer.file.sync_data()?;
            Ok((writer.digests.finish(), writer.guard))
        });
        Ok(joined(durable).await?)
    }

    fn write(mut self, slice: &[Bytes]) -> io::Result<Self> {
        for bytes in slice {
            self.digests.update(bytes);
        }
        let turn = self.turn.clone();
        let _turn = turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        for bytes in slice {
            positioned::write_all_at(&self.file, bytes, self.offset)?;
            self.offset += bytes.len() as u64;
        }
        Ok(self)
    }
}

/// The next slice, and whether the body ended with it.
async fn gather(body: &mut StreamingBlob) -> Result<(Vec<Bytes>, bool), Refusal> {
    let mut slice = Vec::new();
    let mut gathered = 0;
    while gathered < SLICE {
        let next = timeout(BODY_IDLE, body.next()).await.map_err(|_| Refusal::RequestTimeout)?;
        match next {
            Some(Ok(bytes)) => {
                gathered += bytes.len();
                slice.push(bytes);
            }
            Some(Err(error)) => return Err(broken(&error)),
            None => return Ok((slice, true)),
        }
    }
    Ok((slice, false))
}

/// Why a body broke off. The crate `s3s` keeps its error types to itself: their words are its API.
fn broken(error: &StdError) -> Refusal {
    let words = error.to_string();
    if words.ends_with("Sha256Mismatch") {
        Refusal::ContentSha256Mismatch
    } else if words.ends_with("SignatureMismatch") {
        Refusal::ChunkSignature
    } else {
        Refusal::IncompleteBody
    }
}

async fn joined<T>(task: JoinHandle<io::Result<T>>) -> io::Result<T> {
    task.await.unwrap_or_else(|_| Err(stopped()))
}

fn stopped() -> io::Error {
    io::Error::other("the writing thread ended early")
}
