//! What an upload does where it could do one thing or another: somebody's choice, kept in the queue.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::handle::{Command, EngineHandle};
use crate::store::{Setting, Store};

/// Somebody's choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// A file whose content the same project has already.
    pub duplicates: OnDuplicate,
    /// A file that was changed while it went up.
    pub changes: OnChange,
}

/// What becomes of a file whose content the same project has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// It waits until somebody says what to do, before a byte is sent.
    #[default]
    Ask,
    /// It is sent like any other.
    Send,
}

/// What becomes of an upload whose file was changed. What had arrived is removed either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// It waits until somebody says what to do.
    #[default]
    Ask,
    /// The file goes up as it is now, as a new upload, unless it keeps changing.
    StartAgain,
}

/// What the loop is asked about them. Each is answered.
#[derive(Debug)]
pub(crate) enum Question {
    Get(oneshot::Sender<Preferences>),
    Set(Preferences, oneshot::Sender<Result<(), EngineError>>),
}

impl Preferences {
    /// As they were kept; one that cannot be read is what it is for everybody.
    pub(crate) async fn kept(store: &Store) -> Self {
        Self {
            duplicates: choice(store, Setting::Duplicates).await,
            changes: choice(store, Setting::Changes).await,
        }
    }
}

async fn choice<T: DeserializeOwned + Default>(store: &Store, setting: Setting) -> T {
    let kept = store.setting(setting).await.ok().flatten();
    kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default()
}

impl EngineHandle {
    /// What somebody chose.
    ///
    /// # Errors
    /// [`Code::Stopped`](crate::error::Code::Stopped).
    pub async fn preferences(&self) -> Result<Preferences, EngineError> {
        self.ask(|done| Command::Prefer(Question::Get(done))).await
    }

    /// Chooses, for uploads that come to it from now on.
    ///
    /// # Errors
    /// [`Code::LocalStorage`](crate::error::Code::LocalStorage); then everything is as it was.
    pub async fn prefer(&self, preferences: Preferences) -> Result<(), EngineError> {
        self.ask(|done| Command::Prefer(Question::Set(preferences, done))).await?
    }
}

impl Engine {
    pub(crate) async fn answer_about_preferences(&mut self, question: Question) {
        // An asker that has gone away is not waited for.
        match question {
            Question::Get(done) => {
                let _ = done.send(self.preferences);
            }
            Question::Set(preferences, done) => {
                let _ = done.send(self.prefer(preferences).await);
            }
        }
    }

    async fn prefer(&mut self, preferences: Preferences) -> Result<(), EngineError> {
        let Preferences { duplicates, changes } = preferences;
        let text = |value: serde_json::Result<String>| {
            value.map_err(|error| {
                EngineError::new(crate::error::Code::LocalStorage, error.to_string())
            })
        };
        let duplicates = text(serde_json::to_string(&duplicates))?;
        let changes = text(serde_json::to_string(&changes))?;
        self.store.set(Setting::Duplicates, Some(duplicates)).await?;
        self.store.set(Setting::Changes, Some(changes)).await?;
        self.preferences = preferences;
        Ok(())
    }
}
