//! Newer versions of the app: looked for, downloaded, and put in the place of this one when somebody
//! says so.
//!
//! Where they are and the key that signs them are part of the build; without either none is looked
//! for. What comes counts only with a signature by that key, and only for the version that was signed.
//! Every address on the way is encrypted. The page asks for nothing here but to look and to install.

mod fault;
mod installer;
mod shelf;
#[cfg(test)]
mod tests;
mod view;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dailies_engine::EngineHandle;
use dailies_engine::clock::{Clock as _, SystemClock};
use dailies_engine::error::{Code, EngineError};
use dailies_engine::transfer::Timestamp;
use dailies_engine::view::AllowanceView;
use tauri::{AppHandle, Config, Manager as _, Runtime};
use tauri_plugin_updater::{Error, Update, Updater, UpdaterExt as _};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use self::fault::{Doing, judge};
use self::installer::Installer;
use self::shelf::Shelf;
pub(crate) use self::view::{UpdateFault, UpdateState, UpdateView};
use crate::link::LinkHandle;

/// After a start, which has better things to do.
const FIRST: Duration = Duration::from_secs(20);
/// Between two looks at the clock: a longer wait would stand still while the computer sleeps. After a
/// failure, between two tries.
const TURN: Duration = Duration::from_hours(1);
/// After one that went well: a day, which ends at some turn.
const REST: Duration = Duration::from_hours(23);
/// For an answer about versions.
const ANSWER: Duration = Duration::from_secs(30);
/// Without a byte of a download.
const STALL: Duration = Duration::from_mins(1);
/// For a whole download.
const DOWNLOAD: Duration = Duration::from_hours(2);
/// Bytes of a download: it is in memory until its signature is checked.
const LARGEST: u64 = 1 << 30;
/// Between two words about a download.
const SEEN: Duration = Duration::from_millis(250);

/// What is asked for, and what is ready.
#[derive(Default)]
pub(crate) struct Updates {
    asked: Notify,
    ready: Mutex<Option<Ready>>,
}

/// A newer version that waits.
struct Ready {
    update: Update,
    file: PathBuf,
}

impl Updates {
    /// Looks for a newer version now. What comes of it is in the shell's view.
    pub(crate) fn look(&self) {
        self.asked.notify_one();
    }

    fn ready(&self) -> MutexGuard<'_, Option<Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for newer versions until the app ends, if this build knows where.
pub(crate) async fn run(app: AppHandle, engine: EngineHandle, link: LinkHandle) {
    if !is_configured(app.config()) {
        tracing::info!("this build does not look for newer versions");
        return;
    }
    let folder = match app.path().app_cache_dir() {
        Ok(folder) => folder.join("updates"),
        Err(error) => {
            tracing::warn!(%error, "there is no place for newer versions; none is looked for");
            return;
        }
    };
    let (shelf, installer) = (Shelf::at(folder), Installer::of_this(&app.env()));
    let mut lookout = Lookout { app, engine, link, shelf, installer, looked_at: None };
    lookout.tell(UpdateState::None { looked_at: None });
    let mut turns = interval_at(tokio::time::Instant::now() + FIRST, TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let app = lookout.app.clone();
    let updates = app.state::<Updates>();
    loop {
        let wanted = tokio::select! {
            _ = turns.tick() => lookout.is_due().await,
            () = updates.asked.notified() => true,
        };
        // What is ready waits, and is as good as the next one.
        if wanted && updates.ready().is_none() {
            lookout.look(&updates).await;
        }
    }
}

/// Puts what is ready in the place of this version, and starts again. False where uploads are under way
/// and nobody said that they may be interrupted: then nothing was done.
///
/// What the system refuses is in the shell's view.
///
/// # Errors
/// [`Code::WrongState`] where nothing is ready.
pub(crate) async fn install<R: Runtime>(
    app: &AppHandle<R>,
    interrupt: bool,
) -> Result<bool, EngineError> {
    let now = app.state::<EngineHandle>().snapshot().await;
    if !interrupt && now.is_ok_and(|now| now.queue.totals.coming > 0) {
        return Ok(false);
    }
    let none = || EngineError::new(Code::WrongState, "no newer version is ready");
    let Ready { update, file } = app.state::<Updates>().ready().take().ok_or_else(none)?;
    let link = app.state::<LinkHandle>();
    // There the installer starts at once, and this program ends in the middle of a call.
    if cfg!(windows) {
        link.stop(true).await;
    }
    tracing::info!(version = update.version, "a newer version takes the place of this one");
    let put = move || fs::read(file).map_err(Error::from).and_then(|bytes| update.install(bytes));
    let fault = match spawn_blocking(put).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(judge(error, Doing::Installing)),
        Err(error) => {
            tracing::error!(%error, "installing an update broke");
            Some(UpdateFault::NotInstalled)
        }
    };
    if let Some(fault) = fault {
        link.set_update(seen(app, UpdateState::Failed { fault }));
    }
    if fault.is_none() || cfg!(windows) {
        crate::restart(app);
    }
    Ok(true)
}

/// Whether this build knows where newer versions are, and how to tell that they are genuine.
fn is_configured(config: &Config) -> bool {
    let updater = config.plugins.0.get("updater").cloned().unwrap_or_default();
    serde_json::from_value::<tauri_plugin_updater::Config>(updater).is_ok_and(|updater| {
        // Without the version in the signature an old one could be offered as a new one.
        !updater.endpoints.is_empty()
            && !updater.pubkey.is_empty()
            && updater.require_signed_version
    })
}

/// What asks, with what every request of it keeps to.
fn updater<R: Runtime>(app: &AppHandle<R>) -> Result<Updater, Error> {
    let limited = app.updater_builder().timeout(ANSWER).configure_client(|client| {
        client.https_only(true).connect_timeout(ANSWER).read_timeout(STALL)
    });
    limited.build()
}

fn seen<R: Runtime>(app: &AppHandle<R>, state: UpdateState) -> UpdateView {
    UpdateView { version: app.package_info().version.to_string(), state }
}

struct Lookout {
    app: AppHandle,
    engine: EngineHandle,
    link: LinkHandle,
    shelf: Shelf,
    installer: Installer,
    looked_at: Option<Timestamp>,
}

impl Lookout {
    fn tell(&self, state: UpdateState) {
        self.link.set_update(seen(&self.app, state));
    }

    /// Whether it is to be looked for one now although nobody asked.
    async fn is_due(&self) -> bool {
        let rested = |at: Timestamp| at.after(REST).is_over(SystemClock.now(), REST);
        if !self.link.view().preferences.check_updates || !self.looked_at.is_none_or(rested) {
            return false;
        }
        // Nobody asked for bytes over a network that is paid for by them.
        let now = self.engine.snapshot().await;
        !now.is_ok_and(|now| now.allowance == AllowanceView::Metered)
    }

    async fn look(&mut self, updates: &Updates) {
        self.tell(UpdateState::Looking);
        let state = match self.find(updates).await {
            Ok(state) => {
                self.looked_at = Some(SystemClock.now());
                state
            }
            Err(fault) => UpdateState::Failed { fault },
        };
        self.tell(state);
    }

    async fn find(&self, updates: &Updates) -> Result<UpdateState, UpdateFault> {
        let asking = |error| judge(error, Doing::Asking);
        let found = updater(&self.app).map_err(asking)?.check().await.map_err(asking)?;
        let Some(update) = found else {
            self.shelf.keep_only(None);
            return Ok(UpdateState::None { looked_at: Some(SystemClock.now()) });
        };
        let version = update.version.clone();
        match self.installer {
            Installer::Packages => return Ok(UpdateState::Out { version, packaged: true }),
            Installer::Somebody => return Ok(UpdateState::Out { version, packaged: false }),
            Installer::Itself => {}
        }
        let (shelf, wanted) = (self.shelf.clone(), update.clone());
        let kept = spawn_blocking(move || shelf.find(&wanted)).await.ok().flatten();
        let file = match kept {
            Some(file) => {
                self.shelf.keep_only(Some(&update));
                file
            }
            None => {
                let bytes = self.download(&update).await?;
                let (shelf, update) = (self.shelf.clone(), update.clone());
                let kept = spawn_blocking(move || shelf.keep(&update, &bytes)).await;
                kept.map_err(std::io::Error::other).flatten().map_err(|error| {
                    tracing::warn!(%error, "an update cannot be kept");
                    UpdateFault::NotKept
                })?
            }
        };
        *updates.ready() = Some(Ready { update, file });
        Ok(UpdateState::Ready { version })
    }

    /// All of it, signed as it has to be.
    async fn download(&self, update: &Update) -> Result<Vec<u8>, UpdateFault> {
        let say = |percent| {
            let version = update.version.clone();
            self.tell(UpdateState::Downloading { version, percent });
        };
        say(None);
        let (mut arrived, mut said, endless) = (0, Instant::now(), CancellationToken::new());
        let on_bytes = |count: usize, size: Option<u64>| {
            arrived += count as u64;
            if arrived > LARGEST {
                endless.cancel();
            } else if said.elapsed() >= SEEN {
                said = Instant::now();
                say(size.and_then(|size| percent(arrived, size)));
            }
        };
        let download = timeout(DOWNLOAD, update.download(on_bytes, || ()));
        let done = tokio::select! {
            biased;
            () = endless.cancelled() => None,
            done = download => done.ok(),
        };
        let Some(done) = done else {
            tracing::warn!("an update had no end");
            return Err(UpdateFault::CutOff);
        };
        done.map_err(|error| judge(error, Doing::Downloading))
    }
}

/// Full only with the last byte.
fn percent(part: u64, whole: u64) -> Option<u8> {
    let hundredths = part.min(whole).checked_mul(100)?.checked_div(whole)?;
    u8::try_from(hundredths).ok()
}
