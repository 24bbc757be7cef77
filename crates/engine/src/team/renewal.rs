//! A sign-in whose tokens are renewed: by one request to the issuer for all calls that wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::error::{Code, EngineError};
use crate::net::Clients;
use crate::team::identity::same;
use crate::team::issuer::Issuer;
use crate::team::{Credentials, Kept, SignedIn, Tokens, Vault};
use crate::transfer::Failure;

/// How a renewal ended; `None` while it is under way.
type Outcome = watch::Receiver<Option<Result<(), Failure>>>;

/// A sign-in at one server.
#[derive(Debug)]
pub(super) struct Renewing {
    renewal: Renewal,
    state: Arc<Mutex<State>>,
}

/// What a renewal needs besides the tokens.
#[derive(Clone, Debug)]
struct Renewal {
    server: Url,
    vault: Option<Vault>,
    clients: Clients,
}

#[derive(Debug)]
struct State {
    signed_in: SignedIn,
    /// Nothing renews it any more: the issuer says so, or the server takes no token of it.
    ended: bool,
    /// The last renewal.
    under_way: Option<(Outcome, AbortOnDropHandle<()>)>,
}

impl Renewing {
    pub(super) fn new(
        server: Url,
        signed_in: SignedIn,
        vault: Option<Vault>,
        clients: Clients,
    ) -> Self {
        let state = State { signed_in, ended: false, under_way: None };
        Self { renewal: Renewal { server, vault, clients }, state: Arc::new(Mutex::new(state)) }
    }

    pub(super) async fn token(&self) -> Result<SecretString, Failure> {
        let tokens = lock(&self.state).tokens()?;
        if tokens.are_due() {
            self.instead_of(&tokens.presented).await
        } else {
            Ok(tokens.presented)
        }
    }

    pub(super) async fn instead_of(&self, stale: &SecretString) -> Result<SecretString, Failure> {
        let mut outcome = {
            let mut state = lock(&self.state);
            let tokens = state.tokens()?;
            if !same(&tokens.presented, stale) {
                return Ok(tokens.presented);
            }
            self.renew(&mut state)
        };
        let ended = outcome.wait_for(Option::is_some).await.ok();
        let broke = || Err(Failure::LocalStorage("the renewal of a sign-in broke".into()));
        ended.and_then(|outcome| outcome.clone()).unwrap_or_else(broke)?;
        Ok(lock(&self.state).tokens()?.presented)
    }

    pub(super) fn end(&self, token: &SecretString) {
        let mut state = lock(&self.state);
        if same(&state.signed_in.tokens.presented, token) {
            tracing::warn!(server = %self.renewal.server, "a token that was renewed is refused");
            state.ended = true;
        }
    }

    pub(super) async fn settle(&self) {
        let outcome = lock(&self.state).under_way.as_ref().map(|(outcome, _)| outcome.clone());
        if let Some(mut outcome) = outcome {
            let _ = outcome.wait_for(Option::is_some).await;
        }
    }

    /// The renewal that is under way, or a new one. A task of its own: whoever asked may go away
    /// when the issuer has already exchanged the token.
    fn renew(&self, state: &mut State) -> Outcome {
        if let Some((outcome, task)) = &state.under_way
            && !task.is_finished()
        {
            return outcome.clone();
        }
        let (say, outcome) = watch::channel(None);
        let (renewal, before) = (self.renewal.clone(), state.signed_in.clone());
        let state_then = Arc::downgrade(&self.state);
        let task = tokio::spawn(async move {
            let renewed = renewal.run(before).await;
            if let Err(failure) = &renewed {
                tracing::warn!(server = %renewal.server, %failure, "a sign-in was not renewed");
            }
            let Some(state) = state_then.upgrade() else { return };
            let mut state = lock(&state);
            let said = match renewed {
                Ok(signed_in) => {
                    state.signed_in = signed_in;
                    Ok(())
                }
                Err(failure) => {
                    state.ended = matches!(failure, Failure::Refused { .. });
                    Err(failure)
                }
            };
            say.send_replace(Some(said));
        });
        state.under_way = Some((outcome.clone(), AbortOnDropHandle::new(task)));
        outcome
    }
}

impl State {
    fn tokens(&self) -> Result<Tokens, Failure> {
        if self.ended { Err(signed_out()) } else { Ok(self.signed_in.tokens.clone()) }
    }
}

impl Renewal {
    /// New tokens, which are on disk before anybody has them.
    async fn run(&self, before: SignedIn) -> Result<SignedIn, Failure> {
        let Some(vault) = &self.vault else { return self.renewed(before).await };
        let storage = |error: EngineError| Failure::LocalStorage(error.message);
        let alone = vault.alone().await.map_err(storage)?;
        let kept = alone.find(&self.server).await.map_err(storage)?;
        let Some(Kept { server, kind, credentials: Credentials::OpenIdConnect(known) }) = kept
        else {
            // Nobody wants it kept any more.
            return self.renewed(before).await;
        };
        // Another program was quicker, and the old refresh token is spent.
        if !same(&known.tokens.presented, &before.tokens.presented) && !known.tokens.are_due() {
            return Ok(known);
        }
        let after = self.renewed(known).await?;
        let credentials = Credentials::OpenIdConnect(after.clone());
        if let Err(error) = alone.keep(Kept { server, kind, credentials }).await {
            // The old ones are spent: with these, at least this program's work goes on.
            tracing::error!(%error, "a renewed sign-in could not be kept");
        }
        Ok(after)
    }

    async fn renewed(&self, before: SignedIn) -> Result<SignedIn, Failure> {
        let refresh = before.tokens.refresh.clone().ok_or_else(signed_out)?;
        let issuer = Issuer::discover(&before.with, &self.clients).await?;
        let tokens = issuer.renew(&refresh).await?;
        // Some issuers give one for all times.
        let refresh = tokens.refresh.or(Some(refresh));
        Ok(SignedIn { tokens: Tokens { refresh, ..tokens }, ..before })
    }
}

pub(super) fn signed_out() -> Failure {
    let reason = "the sign-in has ended: sign in again".to_owned();
    Failure::Refused { code: Code::SignedOut, reason }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
