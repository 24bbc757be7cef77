//! What the computer says of itself: whether its network is metered, and what power it runs on. It
//! is told when that changes, and asks nobody again and again.
//!
//! Must not know: uploads, rules.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

#[cfg(target_os = "linux")]
use self::linux::follow;
#[cfg(windows)]
use self::windows::follow;

/// The longest time that a start waits to be told: what is metered is not to be sent over in the
/// meantime. A bus that is not there says so at once.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// What is known at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) metered: Metered,
    pub(crate) power: Power,
}

/// Whether bytes over the network cost money, or use up what there is of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Metered {
    /// Somebody said so.
    Yes,
    /// It looks like it: a telephone's hotspot, say.
    Guess,
    No,
    #[default]
    Unknown,
}

impl Metered {
    /// A guess is right more often than not, and who pays by the byte cannot take it back.
    pub(crate) fn costs(self) -> bool {
        matches!(self, Self::Yes | Self::Guess)
    }
}

/// What the computer runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Power {
    Mains,
    Battery,
    #[default]
    Unknown,
}

/// Listens to the computer for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lookout {
    news: watch::Receiver<Surroundings>,
    _listening: JoinSet<()>,
}

impl Lookout {
    /// Begins to listen, and waits for the first word.
    pub(crate) async fn start() -> Self {
        let (tell, mut news) = watch::channel(Surroundings::default());
        let mut listening = JoinSet::new();
        listening.spawn(follow(tell));
        // What is not known by then is unknown until it is.
        let _ = tokio::time::timeout(FIRST_WORD, news.changed()).await;
        Self { news, _listening: listening }
    }

    /// What is known now.
    pub(crate) fn now(&self) -> Surroundings {
        *self.news.borrow()
    }

    /// Waits for news. May be dropped and called again.
    pub(crate) async fn changed(&mut self) {
        if self.news.changed().await.is_err() {
            // Nobody will say anything any more.
            std::future::pending::<()>().await;
        }
    }
}

/// macOS tells both only to code that is unsafe: there they stay unknown.
#[cfg(not(any(target_os = "linux", windows)))]
async fn follow(news: watch::Sender<Surroundings>) {
    news.send_replace(Surroundings::default());
}
