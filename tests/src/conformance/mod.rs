//! What every protocol must do, told once: by the real engine, against any [`Side`].
//!
//! Each scenario is a function that ends well or says what was otherwise. Which of them apply to a
//! protocol is said where they are run, in `tests/conformance.rs`.

mod memory;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use dailies_engine::error::Code;
use dailies_engine::protocol::UploadProtocol;
use dailies_engine::store::Session;
use dailies_engine::team::Team;
use dailies_engine::testing::{Call, Fault, Faulty};
use dailies_engine::transfer::{Hold, Phase, UploadId};

pub use memory::InMemory;
pub use server::{AtServer, Kind};

use crate::Uploader;

/// For anything; many tests share two cores.
const LIMIT: Duration = Duration::from_secs(120);
/// The calls that an upload makes.
const CALLS: [Call; 7] = [
    Call::Register,
    Call::Open,
    Call::Tickets,
    Call::Send,
    Call::Confirm,
    Call::Finish,
    Call::Processing,
];

/// A team that uploads go to by one protocol, as the scenarios see it.
#[async_trait]
pub trait Side: Sync {
    /// The protocol.
    fn protocol(&self) -> Arc<dyn UploadProtocol>;
    /// The team.
    fn team(&self) -> Arc<Team>;
    /// Where files go.
    fn project(&self) -> String;
    /// A path of the test's own.
    fn path(&self, name: &str) -> PathBuf;
    /// A file of several parts, which can be played.
    fn file(&self) -> Result<PathBuf>;
    /// Bytes of a part.
    fn part_size(&self) -> u64;
    /// Calls whose lost answer leaves something that its protocol cannot find again.
    fn unfindable(&self) -> &'static [Call];
    /// The team has this file as one video that can be played, and nothing besides.
    async fn holds_just(&self, file: &Path) -> Result<()>;
    /// The team has nothing.
    async fn holds_nothing(&self) -> Result<()>;
    /// Ends a session as its server would.
    async fn lose(&self, session: &Session) -> Result<()>;
    /// Changes one bit of the next second part on its way.
    fn damage(&self);
    /// A file of which nothing can be made that plays.
    fn unplayable(&self) -> Result<PathBuf>;
    /// How often a part came that was held already.
    fn sent_again(&self) -> usize;
    /// Ends it.
    async fn strike(self: Box<Self>) -> Result<()>;
}

/// An engine that uploads to a side.
struct Stand<'a> {
    side: &'a dyn Side,
    faulty: Arc<Faulty>,
    uploader: Uploader,
}

impl<'a> Stand<'a> {
    async fn set(side: &'a dyn Side) -> Result<Self> {
        let faulty = Arc::new(Faulty::new(side.protocol()));
        let uploader = start(side, &faulty).await?;
        Ok(Self { side, faulty, uploader })
    }

    async fn add(&self, file: &Path) -> Result<UploadId> {
        self.uploader.add_to(file.to_owned(), Some(self.side.project())).await
    }

    /// Adds the side's file, and lets two parts of it go up.
    async fn half(&self) -> Result<(PathBuf, UploadId)> {
        let file = self.side.file()?;
        let half = 2 * self.side.part_size();
        self.faulty.hold_from(half);
        let id = self.add(&file).await?;
        self.uploader.until(id, LIMIT, |view| view.progress.confirmed_bytes >= half).await?;
        Ok((file, id))
    }

    async fn ready(&self, id: UploadId) -> Result<()> {
        self.uploader.until_ready(id, LIMIT).await.map(drop)
    }
}

async fn start(side: &dyn Side, faulty: &Arc<Faulty>) -> Result<Uploader> {
    let faulty: Arc<dyn UploadProtocol> = Arc::clone(faulty) as _;
    Uploader::with(&side.path("profile"), side.team(), faulty).await
}

/// A file goes up, whole, and can be played.
///
/// # Errors
/// Where it is otherwise; so with all that follow.
pub async fn whole_path(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let file = side.file()?;
    let id = stand.add(&file).await?;
    stand.ready(id).await?;
    side.holds_just(&file).await?;
    stand.uploader.stop().await;
    Ok(())
}

/// An engine that ends in the middle goes on at its next start, and sends nothing again that is
/// there.
///
/// # Errors
/// See [`whole_path`].
pub async fn resumes_after_a_restart(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let (file, id) = stand.half().await?;
    stand.uploader.stop().await;
    stand.faulty.let_go();
    let uploader = start(side, &stand.faulty).await?;
    uploader.until_ready(id, LIMIT).await?;
    side.holds_just(&file).await?;
    ensure!(side.sent_again() == 0, "{} parts came again", side.sent_again());
    uploader.stop().await;
    Ok(())
}

/// A pause keeps what is there.
///
/// # Errors
/// See [`whole_path`].
pub async fn goes_on_after_a_pause(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let (file, id) = stand.half().await?;
    stand.uploader.engine.pause(vec![id]).await?;
    stand.uploader.until(id, LIMIT, |view| !view.active).await?;
    stand.faulty.let_go();
    stand.uploader.engine.resume(vec![id]).await?;
    stand.ready(id).await?;
    side.holds_just(&file).await?;
    ensure!(side.sent_again() == 0, "{} parts came again", side.sent_again());
    stand.uploader.stop().await;
    Ok(())
}

/// Every call is lost on its way once.
///
/// # Errors
/// See [`whole_path`].
pub async fn every_request_is_lost(side: &dyn Side) -> Result<()> {
    every_call_meets(side, Fault::LoseRequest).await
}

/// Every call is done once without its answer getting through.
///
/// # Errors
/// See [`whole_path`].
pub async fn every_answer_is_lost(side: &dyn Side) -> Result<()> {
    every_call_meets(side, Fault::LoseAnswer).await
}

/// Every call meets a busy server once.
///
/// # Errors
/// See [`whole_path`].
pub async fn every_call_meets_a_busy_server(side: &dyn Side) -> Result<()> {
    every_call_meets(side, Fault::Busy).await
}

/// Every call meets a server's fault once.
///
/// # Errors
/// See [`whole_path`].
pub async fn every_call_meets_a_fault(side: &dyn Side) -> Result<()> {
    every_call_meets(side, Fault::ServerFault).await
}

async fn every_call_meets(side: &dyn Side, fault: Fault) -> Result<()> {
    let stand = Stand::set(side).await?;
    let lost = |call: &Call| fault == Fault::LoseAnswer && side.unfindable().contains(call);
    stand.faulty.obey(CALLS.into_iter().filter(|call| !lost(call)).map(|call| (call, fault)));
    let file = side.file()?;
    let id = stand.add(&file).await?;
    stand.ready(id).await?;
    let mut unused = stand.faulty.unused();
    // Most protocols have nothing to confirm, and a session's leave comes with it.
    unused.retain(|(call, _)| *call != Call::Confirm);
    ensure!(unused.is_empty(), "never happened: {unused:?}");
    side.holds_just(&file).await?;
    stand.uploader.stop().await;
    Ok(())
}

/// Whatever goes wrong, in whatever order: the mix that a seed gives.
///
/// # Errors
/// See [`whole_path`].
pub async fn meets_a_mix_of_faults(side: &dyn Side, seed: u64) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let stand = Stand::set(side).await?;
    let fault = |random: &mut fastrand::Rng| {
        let call = CALLS[random.usize(..CALLS.len())];
        let fault = [Fault::LoseRequest, Fault::LoseAnswer, Fault::Busy, Fault::ServerFault];
        (call, fault[random.usize(..fault.len())])
    };
    let mut faults: Vec<_> = (0..8).map(|_| fault(&mut random)).collect();
    faults.retain(|(call, fault)| *fault != Fault::LoseAnswer || !side.unfindable().contains(call));
    stand.faulty.obey(faults.clone());
    let file = side.file()?;
    let id = stand.add(&file).await?;
    stand.ready(id).await.with_context(|| format!("seed {seed}: {faults:?}"))?;
    side.holds_just(&file).await.with_context(|| format!("seed {seed}: {faults:?}"))?;
    stand.uploader.stop().await;
    Ok(())
}

/// A part that the storage took, and that the team was not told of, is not sent again; nor is one that
/// was on its way beside it.
///
/// # Errors
/// See [`whole_path`].
pub async fn a_lost_confirmation_is_made_up_for(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    stand.faulty.obey([(Call::Confirm, Fault::LoseRequest), (Call::Confirm, Fault::ServerFault)]);
    let file = side.file()?;
    let id = stand.add(&file).await?;
    stand.ready(id).await?;
    side.holds_just(&file).await?;
    ensure!(stand.faulty.unused().is_empty(), "not every confirmation that was to be lost was");
    ensure!(side.sent_again() == 0, "{} parts came again", side.sent_again());
    stand.uploader.stop().await;
    Ok(())
}

/// A session that ends in the middle is followed by another, in which everything goes up.
///
/// # Errors
/// See [`whole_path`].
pub async fn a_lost_session_is_opened_anew(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let (file, id) = stand.half().await?;
    let session = stand.faulty.session().context("no session was opened")?;
    side.lose(&session).await?;
    stand.faulty.let_go();
    stand.ready(id).await?;
    ensure!(stand.faulty.session() != Some(session), "the lost session went on");
    side.holds_just(&file).await?;
    stand.uploader.stop().await;
    Ok(())
}

/// A part that arrives damaged is sent once more.
///
/// # Errors
/// See [`whole_path`].
pub async fn a_damaged_part_is_sent_again(side: &dyn Side) -> Result<()> {
    side.damage();
    whole_path(side).await
}

/// Nothing is left of what is cancelled in the middle.
///
/// # Errors
/// See [`whole_path`].
pub async fn a_cancel_leaves_nothing(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let (_, id) = stand.half().await?;
    stand.uploader.engine.cancel(vec![id]).await?;
    // Ends once what was cancelled is removed.
    stand.uploader.stop().await;
    side.holds_nothing().await
}

/// What is finished may be finished again, and the same is said of it.
///
/// # Errors
/// See [`whole_path`].
pub async fn finishing_again_changes_nothing(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let file = side.file()?;
    let id = stand.add(&file).await?;
    stand.ready(id).await?;
    let (then, now) = stand.faulty.finish_again().await?.context("nothing was finished")?;
    ensure!(then == now, "at first it was {then:?}, then {now:?}");
    side.holds_just(&file).await?;
    stand.uploader.stop().await;
    Ok(())
}

/// A video that cannot be played has failed, with its bytes where they are.
///
/// # Errors
/// See [`whole_path`].
pub async fn failed_processing_is_told(side: &dyn Side) -> Result<()> {
    let stand = Stand::set(side).await?;
    let id = stand.add(&side.unplayable()?).await?;
    let failed = Hold::Failed { code: Code::ProcessingFailed };
    let view = stand.uploader.until(id, LIMIT, |view| view.hold == failed).await?;
    ensure!(view.phase == Phase::Processing, "{view:#?}");
    stand.uploader.stop().await;
    Ok(())
}
