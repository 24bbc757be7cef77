//! What is seen of the app outside its window: the tray, the taskbar, notifications.
//!
//! One loop hears what the engine says and shows at most once a second what came of it, nothing
//! while nothing changes.

mod batch;
pub(crate) mod colours;
mod notices;
mod recent;
mod tray;

use std::time::{Duration, Instant};

use dailies_engine::EngineHandle;
use dailies_engine::transfer::List;
use dailies_engine::view::{Change, News, Totals, UploadView};
use tauri::window::{ProgressBarState, ProgressBarStatus};
use tauri::{AppHandle, Manager as _};
use tauri_plugin_notification::NotificationExt as _;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use self::batch::{Batch, Progress};
use self::notices::{Notice, Notices};
use self::recent::Recent;
use self::tray::Tray;
use crate::link::LinkHandle;
use crate::log::Level;
use crate::settings::Preferences;
use crate::window;
use crate::words::Words;

/// Between two updates.
const PAUSE: Duration = Duration::from_secs(1);
/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outlook {
    progress: Progress,
    /// The newest first.
    recent: Vec<Recent>,
}

/// Runs until the app ends.
pub(crate) async fn run(app: AppHandle, engine: EngineHandle, link: LinkHandle) {
    let mut changes = engine.subscribe();
    let mut views = link.views();
    let preferences = views.borrow_and_update().preferences.clone();
    let mut outside = Outside {
        tray: Tray::put(&app, Words::of(preferences.language)),
        app,
        preferences,
        batch: Batch::default(),
        totals: Totals::default(),
        outlook: Outlook::default(),
        notices: Notices::default(),
        shown: None,
    };
    outside.apply();
    outside.look(&engine).await;
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A heartbeat is needed only after something was heard.
    let mut stirred = true;
    loop {
        tokio::select! {
            change = changes.recv() => {
                match change {
                    Ok(change) => outside.hear(change),
                    Err(RecvError::Lagged(_)) => outside.look(&engine).await,
                    Err(RecvError::Closed) => return,
                }
                stirred = true;
            }
            changed = views.changed() => match changed {
                Ok(()) => {
                    let preferences = views.borrow_and_update().preferences.clone();
                    if preferences != outside.preferences {
                        outside.prefer(preferences);
                    }
                }
                Err(_) => return,
            },
            _ = ticks.tick(), if stirred => stirred = outside.show(),
        }
    }
}

struct Outside {
    app: AppHandle,
    /// `None` where the system has none.
    tray: Option<Tray>,
    preferences: Preferences,
    batch: Batch,
    totals: Totals,
    outlook: Outlook,
    notices: Notices,
    shown: Option<Outlook>,
}

impl Outside {
    /// How it stands now, whatever was heard before.
    async fn look(&mut self, engine: &EngineHandle) {
        if let Ok(snapshot) = engine.snapshot().await {
            self.total(snapshot.queue.totals);
        }
        if let Ok(page) = engine.page(List::Done, 0, 4 * recent::MOST as u64).await {
            self.outlook.recent.clear();
            self.arrived(&page.uploads);
        }
    }

    fn hear(&mut self, Change { news, .. }: Change) {
        match news {
            News::Queue { queue } => self.total(queue.totals),
            News::Uploads { uploads } => {
                self.notices.hear(&uploads, Instant::now());
                self.arrived(&uploads);
            }
            News::Removed { ids } => self.outlook.recent.retain(|one| !ids.contains(&one.id)),
            News::Progress { .. }
            | News::Connection { .. }
            | News::Allowance { .. }
            | News::Folders
            | News::Order => {}
        }
    }

    fn total(&mut self, totals: Totals) {
        self.totals = totals;
        self.outlook.progress = self.batch.note(&totals);
    }

    fn arrived(&mut self, uploads: &[UploadView]) {
        for recent in uploads.iter().filter_map(Recent::of) {
            recent::note(&mut self.outlook.recent, recent);
        }
    }

    fn prefer(&mut self, preferences: Preferences) {
        let before = std::mem::replace(&mut self.preferences, preferences);
        if before.language != self.preferences.language {
            let words = Words::of(self.preferences.language);
            self.tray = self.tray.take().and_then(|tray| tray.speak(&self.app, words));
            self.shown = None;
            self.show();
        }
        self.apply();
    }

    /// Lets hold what is preferred of the log.
    fn apply(&self) {
        self.app.state::<Level>().set(self.preferences.detailed_log);
    }

    /// False where nothing is left to show.
    fn show(&mut self) -> bool {
        let seen = window::is_seen(&self.app);
        let now = Instant::now();
        for notice in self.notices.due(&self.totals, &self.preferences, seen, now) {
            self.say(&notice);
        }
        if self.shown.as_ref() != Some(&self.outlook) {
            if let Some(tray) = &mut self.tray {
                tray.show(&self.app, &self.outlook);
            }
            self.show_on_taskbar();
            self.shown = Some(self.outlook.clone());
        }
        self.notices.wait()
    }

    fn show_on_taskbar(&self) {
        let (status, progress) = match self.outlook.progress {
            Progress::None => (ProgressBarStatus::None, None),
            Progress::Sending { percent, .. } => (ProgressBarStatus::Normal, Some(percent.into())),
            Progress::Paused { .. } => (ProgressBarStatus::Paused, None),
        };
        let state = ProgressBarState { status: Some(status), progress };
        if let Some(window) = self.app.get_webview_window(window::MAIN)
            && let Err(error) = window.set_progress_bar(state)
        {
            tracing::debug!(%error, "the taskbar shows no progress");
        }
    }

    fn say(&self, notice: &Notice) {
        let words = Words::of(self.preferences.language);
        let (title, body) = match notice {
            Notice::Ready { count, title } => {
                let (said, more) = words.ready(*count, title);
                (said, more.to_owned())
            }
            Notice::Needs { count, title } => {
                let (said, more) = words.needs(*count, title);
                (said, more.to_owned())
            }
            Notice::Sent { count } => {
                let (said, more) = words.sent(*count);
                (said.to_owned(), more)
            }
        };
        if let Err(error) = self.app.notification().builder().title(title).body(body).show() {
            tracing::info!(%error, "there are no notifications here");
        }
    }
}
