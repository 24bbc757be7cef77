//! What is kept of uploads for people to read: what happened to each, and the receipts of those
//! that are finished.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::handle::{Command, EngineHandle, no_such_upload};
use crate::source::Crc64;
use crate::store::{Compared, Destination, Episode, Proof, Store, UploadReceipt};
use crate::transfer::{Event, Timestamp, UploadId};

/// The longest page.
const PAGE: u64 = 500;

/// What the loop is asked about the ledger. Each is answered.
#[derive(Debug)]
pub(crate) enum Question {
    Receipt(UploadId, oneshot::Sender<Result<ReceiptView, EngineError>>),
    Receipts(Option<UploadId>, oneshot::Sender<Result<Vec<ReceiptView>, EngineError>>),
    History(UploadId, Option<u64>, oneshot::Sender<Result<Vec<Episode>, EngineError>>),
    /// For an asker who reads a lot.
    Store(oneshot::Sender<Store>),
}

/// What proves that the bytes of a finished upload are with its team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// Whose.
    pub upload_id: UploadId,
    /// The team's name for the video.
    pub video_id: Option<String>,
    /// Where the file lay, for reading only: lossy where it is no Unicode.
    pub path: String,
    /// Bytes.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub size: u64,
    /// Of the whole file as it was read here, as S3 writes it: base64.
    pub checksum: String,
    /// What kind of checksum.
    pub algorithm: Algorithm,
    /// The other side's name for the object or the session.
    pub key: String,
    /// The team server's address.
    pub server: String,
    /// The project's id there.
    pub project_id: String,
    /// The project, in words.
    pub project: String,
    /// The team, in words.
    pub team: String,
    /// In how many parts it went up; none where the team had all of it already.
    pub parts: u32,
    /// How it is known that what arrived is what was read.
    pub proof: Proof,
    /// What the server says of the whole. It contradicts nothing of the above.
    pub answer: AnswerView,
    /// When it was added.
    pub added_at: Timestamp,
    /// When its turn came.
    pub began_at: Option<Timestamp>,
    /// When what arrived had been compared.
    pub finished_at: Timestamp,
    /// Tries that failed, of parts and of the whole.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub retries: u64,
}

/// What a server says of a finished upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct AnswerView {
    /// Bytes, if it says them.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub size: Option<u64>,
    /// The same kind of checksum, if it says it.
    pub checksum: Option<String>,
}

/// Kinds of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Algorithm {
    /// CRC-64/NVME, which S3 computes over whole objects.
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
}

impl From<UploadReceipt> for ReceiptView {
    fn from(receipt: UploadReceipt) -> Self {
        let Destination { server, project_id, project, team, .. } = receipt.destination;
        let Compared { checksum, parts, proof, said_size, said_checksum } = receipt.compared;
        let answer = AnswerView { size: said_size, checksum: said_checksum.map(Crc64::to_wire) };
        Self {
            upload_id: receipt.id,
            video_id: receipt.video_id,
            path: receipt.path.to_string_lossy().into_owned(),
            size: receipt.size,
            checksum: checksum.to_wire(),
            algorithm: Algorithm::Crc64Nvme,
            key: receipt.key,
            server,
            project_id,
            project,
            team,
            parts,
            proof,
            answer,
            added_at: receipt.added_at,
            began_at: receipt.began_at,
            finished_at: receipt.finished_at,
            retries: receipt.retries,
        }
    }
}

impl EngineHandle {
    /// The receipt of a finished upload, also of one that was taken off the list.
    ///
    /// # Errors
    /// [`Code::NotFound`] and, for one that is not finished, [`Code::WrongState`].
    pub async fn receipt(&self, id: UploadId) -> Result<ReceiptView, EngineError> {
        self.ask(|done| Command::Ledger(Question::Receipt(id, done))).await?
    }

    /// The next receipts after that of upload `after`, at most 500, oldest upload first; none where
    /// there are no more.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn receipts(&self, after: Option<UploadId>) -> Result<Vec<ReceiptView>, EngineError> {
        self.ask(|done| Command::Ledger(Question::Receipts(after, done))).await?
    }

    /// What happened to an upload after number `after`, or all from its beginning, oldest first, at
    /// most 500 at a time; none where there is no more.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn history(
        &self,
        id: UploadId,
        after: Option<u64>,
    ) -> Result<Vec<Episode>, EngineError> {
        self.ask(|done| Command::Ledger(Question::History(id, after, done))).await?
    }

    /// The tables, to be read by the asker while the loop goes on.
    pub(crate) async fn store(&self) -> Result<Store, EngineError> {
        self.ask(|done| Command::Ledger(Question::Store(done))).await
    }
}

impl Engine {
    pub(crate) async fn look_up(&self, question: Question) {
        // An asker that has gone away is not waited for.
        match question {
            Question::Receipt(id, done) => {
                let _ = done.send(self.receipt(id).await);
            }
            Question::Receipts(after, done) => {
                let page = self.store.upload_receipts(after, PAGE).await;
                let views = |page: Vec<_>| page.into_iter().map(ReceiptView::from).collect();
                let _ = done.send(page.map(views).map_err(EngineError::from));
            }
            Question::History(id, after, done) => {
                let _ = done.send(self.history(id, after).await);
            }
            Question::Store(done) => {
                let _ = done.send(self.store.clone());
            }
        }
    }

    async fn receipt(&self, id: UploadId) -> Result<ReceiptView, EngineError> {
        if let Some(receipt) = self.store.upload_receipt(id).await? {
            return Ok(receipt.into());
        }
        if self.rows(vec![id]).await?.is_empty() {
            return Err(no_such_upload(id));
        }
        let words = "the upload is not finished: there is no receipt yet";
        Err(EngineError::new(Code::WrongState, words))
    }

    async fn history(&self, id: UploadId, after: Option<u64>) -> Result<Vec<Episode>, EngineError> {
        let (row, _) = self.rows(vec![id]).await?.pop().ok_or_else(|| no_such_upload(id))?;
        let added = Episode {
            number: 0,
            at: row.added_at,
            last_at: row.added_at,
            times: 1,
            event: Event::Added,
        };
        let mut episodes = if after.is_none() { vec![added] } else { Vec::new() };
        episodes.extend(self.store.history(id, after.unwrap_or_default(), PAGE).await?);
        Ok(episodes)
    }
}
