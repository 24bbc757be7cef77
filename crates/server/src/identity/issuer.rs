//! One issuer, with the keys that came from it last.
//!
//! Keys are fetched when a token needs one that is not there, by one fetch for all who wait, and
//! never sooner after the last one than the limit says: tokens with invented key names cost nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::fetch::{Fetched, Source};
use super::keys::KeySet;
use crate::config::oidc::OidcIssuer;

pub(super) struct Issuer {
    pub(super) settings: OidcIssuer,
    source: Arc<Source>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    last: Option<Kept>,
    /// When the last fetch began.
    attempted: Option<Instant>,
    /// The last fetch brought nothing.
    failing: bool,
    /// The last fetch: closes when it has ended.
    fetch: Option<(watch::Receiver<()>, AbortOnDropHandle<()>)>,
}

#[derive(Clone)]
struct Kept {
    keys: Arc<KeySet>,
    at: Instant,
    fresh_for: std::time::Duration,
}

impl Issuer {
    pub(super) fn new(settings: OidcIssuer) -> Result<Self, reqwest::Error> {
        let source = Arc::new(Source::new(&settings)?);
        Ok(Self { settings, source, state: Arc::default() })
    }

    /// The issuer's keys: with the one that is named, if it has it. `None` where there are none
    /// that may be used.
    pub(super) async fn keys(&self, id: Option<&str>) -> Option<Arc<KeySet>> {
        let fetch = {
            let mut state = lock(&self.state);
            let kept = self.usable(&state);
            let named = kept.as_ref().is_some_and(|kept| kept.keys.names(id));
            if named && kept.as_ref().is_some_and(Kept::is_fresh) {
                return kept.map(|kept| kept.keys);
            }
            let fetch = self.fetch(&mut state);
            // While the issuer does not answer, nobody waits for it with a key in hand.
            if named && state.failing {
                return kept.map(|kept| kept.keys);
            }
            fetch
        };
        if let Some(mut ended) = fetch {
            // It changes never, and closes at the end.
            let _ = ended.changed().await;
        }
        let state = lock(&self.state);
        // An issuer that does not answer may have changed its keys: nobody can say the token is bad.
        self.usable(&state)
            .filter(|kept| !state.failing || kept.keys.names(id))
            .map(|kept| kept.keys)
    }

    fn usable(&self, state: &State) -> Option<Kept> {
        state.last.clone().filter(|kept| kept.at.elapsed() < self.settings.keys.most_used)
    }

    /// The fetch that is under way, or a new one, unless it is too soon for that.
    fn fetch(&self, state: &mut State) -> Option<watch::Receiver<()>> {
        if let Some((ended, task)) = &state.fetch
            && !task.is_finished()
        {
            return Some(ended.clone());
        }
        let limit = self.settings.keys.between_fetches;
        if state.attempted.is_some_and(|at| at.elapsed() < limit) {
            return None;
        }
        state.attempted = Some(Instant::now());
        let (end, ended) = watch::channel(());
        let (source, state_then) = (Arc::clone(&self.source), Arc::downgrade(&self.state));
        let issuer = self.settings.issuer.clone();
        // A task of its own: whoever asked may go away, and others wait for it.
        let task = tokio::spawn(async move {
            let fetched = source.fetch().await;
            if let Some(state) = state_then.upgrade() {
                let mut state = lock(&state);
                state.failing = fetched.is_err();
                match fetched {
                    Ok(Fetched { keys, at, fresh_for }) => {
                        state.last = Some(Kept { keys: Arc::new(keys), at, fresh_for });
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(issuer, error, "the issuer gave no keys");
                    }
                }
            }
            drop(end);
        });
        state.fetch = Some((ended.clone(), AbortOnDropHandle::new(task)));
        Some(ended)
    }
}

impl Kept {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < self.fresh_for
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
