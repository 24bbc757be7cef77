//! From a request's body to bytes in a file: whole blocks, hashed on the way, durable at the end.

use std::fs::File;
use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use s3s::StdError;
use s3s::dto::StreamingBlob;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::block::Block;
use super::checksums::{Computed, Digests};
use super::direct::DirectFile;
use super::in_place::Turn;
use super::refusal::Refusal;

/// How long a body may bring nothing before it is given up.
const BODY_IDLE: Duration = Duration::from_secs(60);

/// One body on its way into its place in a file.
///
/// Two blocks are in memory: one that is written and one that is gathered. A blocking thread is
/// held only while it writes, so that slow clients cannot use them up. `guard` is kept until the last
/// write has ended, also if the request is dropped in the middle of one.
pub(super) struct Intake<G> {
    file: DirectFile,
    offset: u64,
    digests: Digests,
    /// Of the file, where others write to it, too.
    turn: Option<Turn>,
    guard: G,
}

impl<G: Send + 'static> Intake<G> {
    pub(super) fn new(file: File, offset: u64, digests: Digests, guard: G) -> Self {
        Self { file: DirectFile::new(file), offset, digests, turn: None, guard }
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
            let mut rest = Bytes::new();
            let mut gathered = Block::new();
            let mut other = Some(Block::new());
            let mut writing: Option<JoinHandle<io::Result<(Self, Block)>>> = None;
            let mut idle = Some(writer);
            loop {
                let ended = gather(&mut body, &mut rest, &mut gathered).await?;
                received += gathered.len() as u64;
                if received > length {
                    return Err(Refusal::IncompleteBody);
                }
                let free;
                (writer, free) = match (idle.take(), other.take(), writing.take()) {
                    (Some(writer), Some(free), _) => (writer, free),
                    (_, _, Some(writing)) => joined(writing).await?,
                    _ => return Err(stopped().into()),
                };
                if ended && gathered.is_empty() {
                    break;
                }
                let block = std::mem::replace(&mut gathered, free);
                gathered.clear();
                writing = Some(tokio::task::spawn_blocking(move || writer.write(block)));
            }
        }
        if received != length {
            return Err(Refusal::IncompleteBody);
        }
        let durable = tokio::task::spawn_blocking(move || {
            writer.file.sync()?;
            Ok((writer.digests.finish(), writer.guard))
        });
        Ok(joined(durable).await?)
    }

    fn write(mut self, block: Block) -> io::Result<(Self, Block)> {
        self.digests.update(&block);
        let turn = self.turn.clone();
        let _turn = turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.file.write_all_at(&block, self.offset)?;
        self.offset += block.len() as u64;
        Ok((self, block))
    }
}

/// Fills a block, but for the last; whether the body ended. `rest` is what did not fit before.
async fn gather(
    body: &mut StreamingBlob,
    rest: &mut Bytes,
    block: &mut Block,
) -> Result<bool, Refusal> {
    loop {
        block.take_from(rest);
        if block.is_full() {
            return Ok(false);
        }
        let next = timeout(BODY_IDLE, body.next()).await.map_err(|_| Refusal::RequestTimeout)?;
        match next {
            Some(Ok(bytes)) => *rest = bytes,
            Some(Err(error)) => return Err(broken(&error)),
            None => return Ok(true),
        }
    }
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
