//! Any protocol, with faults on order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::protocol::processing::all_fail;
use crate::protocol::{
    Asked, Awaited, Earlier, Finished, Intent, Opened, Sent, Standings, Ticket, Try, UploadProtocol,
};
use crate::source::PartBody;
use crate::store::{Receipt, Session};
use crate::transfer::{ByteRange, Failure, PartNumber};

/// A call of [`UploadProtocol`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`UploadProtocol::register`].
    Register,
    /// [`UploadProtocol::open`].
    Open,
    /// [`UploadProtocol::tickets`].
    Tickets,
    /// [`UploadProtocol::send`].
    Send,
    /// [`UploadProtocol::confirm`].
    Confirm,
    /// [`UploadProtocol::finish`].
    Finish,
    /// [`UploadProtocol::processing`].
    Processing,
    /// [`UploadProtocol::abandon`].
    Abandon,
}

/// How a call goes wrong on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The other side does not hear of it.
    LoseRequest,
    /// The other side does it, and what it says is lost.
    LoseAnswer,
    /// Not done: the other side is busy.
    Busy,
    /// Not done: the other side has a fault.
    ServerFault,
    /// Not done: the other side says that it has no such session.
    SessionGone,
}

/// A protocol whose next calls fail as they are told to.
pub struct Faulty {
    inner: Arc<dyn UploadProtocol>,
    script: Mutex<Vec<(Call, Fault)>>,
    /// Offset in a file from which on nothing is sent.
    held_from: watch::Sender<u64>,
    session: Mutex<Option<Session>>,
    finished: Mutex<Option<LastFinish>>,
}

/// What it takes to finish once more.
struct LastFinish {
    intent: Intent,
    session: Session,
    receipts: Vec<Receipt>,
    said: Finished,
}

impl Faulty {
    /// Nothing goes wrong yet.
    #[must_use]
    pub fn new(inner: Arc<dyn UploadProtocol>) -> Self {
        Self {
            inner,
            script: Mutex::default(),
            held_from: watch::Sender::new(u64::MAX),
            session: Mutex::default(),
            finished: Mutex::default(),
        }
    }

    /// Lets the next call of this kind fail, after those that were told before.
    pub fn obey(&self, faults: impl IntoIterator<Item = (Call, Fault)>) {
        lock(&self.script).extend(faults);
    }

    /// Faults that have not happened: they prove nothing.
    #[must_use]
    pub fn unused(&self) -> Vec<(Call, Fault)> {
        lock(&self.script).clone()
    }

    /// Lets no bytes of a file be sent that lie at this offset or behind, until told otherwise.
    pub fn hold_from(&self, offset: u64) {
        self.held_from.send_replace(offset);
    }

    /// Lets everything be sent again.
    pub fn let_go(&self) {
        self.held_from.send_replace(u64::MAX);
    }

    /// The session that was opened last.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        lock(&self.session).clone()
    }

    /// Finishes once more what was finished last: what was said then, and what is said now. `None`
    /// where nothing was.
    ///
    /// # Errors
    /// Of the protocol.
    pub async fn finish_again(&self) -> Result<Option<(Finished, Finished)>, Failure> {
        let Some(LastFinish { intent, session, receipts, said }) = lock(&self.finished).take()
        else {
            return Ok(None);
        };
        let now = self.inner.finish(&intent, &session, &receipts, Try::Again).await?;
        Ok(Some((said, now)))
    }

    async fn call<T>(
        &self,
        call: Call,
        run: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let fault = {
            let mut script = lock(&self.script);
            script.iter().position(|(of, _)| *of == call).map(|place| script.remove(place).1)
        };
        let lost = || Err(Failure::Transport("lost on its way".into()));
        match fault {
            None => run.await,
            Some(Fault::LoseRequest) => lost(),
            Some(Fault::LoseAnswer) => {
                run.await?;
                lost()
            }
            Some(Fault::Busy) => Err(Failure::Busy { after: None }),
            Some(Fault::ServerFault) => Err(Failure::ServerFault { status: 502 }),
            Some(Fault::SessionGone) => Err(Failure::SessionGone),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl UploadProtocol for Faulty {
    async fn answers(&self) -> bool {
        self.inner.answers().await
    }

    async fn register(&self, intent: &Intent, earlier: Earlier) -> Result<Option<String>, Failure> {
        self.call(Call::Register, self.inner.register(intent, earlier)).await
    }

    async fn open(&self, intent: &Intent, session: Option<&Session>) -> Result<Opened, Failure> {
        let opened = self.call(Call::Open, self.inner.open(intent, session)).await?;
        *lock(&self.session) = Some(opened.session.clone());
        Ok(opened)
    }

    fn tickets_at_once(&self) -> usize {
        self.inner.tickets_at_once()
    }

    async fn tickets(
        &self,
        intent: &Intent,
        opened: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        self.call(Call::Tickets, self.inner.tickets(intent, opened, parts)).await
    }

    async fn send(
        &self,
        intent: &Intent,
        opened: &Opened,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        // Its sender lives as long as this.
        let _ = self.held_from.subscribe().wait_for(|from| range.offset < *from).await;
        self.call(Call::Send, self.inner.send(intent, opened, ticket, range, body)).await
    }

    async fn confirm(
        &self,
        intent: &Intent,
        opened: &Opened,
        part: PartNumber,
        range: ByteRange,
    ) -> Result<(), Failure> {
        self.call(Call::Confirm, self.inner.confirm(intent, opened, part, range)).await
    }

    async fn finish(
        &self,
        intent: &Intent,
        session: &Session,
        receipts: &[Receipt],
        turn: Try,
    ) -> Result<Finished, Failure> {
        let said =
            self.call(Call::Finish, self.inner.finish(intent, session, receipts, turn)).await?;
        *lock(&self.finished) = Some(LastFinish {
            intent: intent.clone(),
            session: session.clone(),
            receipts: receipts.to_vec(),
            said: said.clone(),
        });
        Ok(said)
    }

    async fn processing(&self, videos: &[Awaited]) -> Standings {
        let asked = async { Ok(self.inner.processing(videos).await) };
        self.call(Call::Processing, asked)
            .await
            .unwrap_or_else(|failure| all_fail(videos, &failure))
    }

    async fn heartbeat(&self, intent: &Intent, session: &Session) -> Result<(), Failure> {
        self.inner.heartbeat(intent, session).await
    }

    async fn abandon(&self, intent: &Intent, session: Option<&Session>) -> Result<(), Failure> {
        self.call(Call::Abandon, self.inner.abandon(intent, session)).await
    }
}
