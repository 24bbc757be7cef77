//! Signing in at an issuer in the system's browser, and out again.

use std::time::Duration;

use dailies_api::about::SignIn;
use url::Url;

use crate::error::{Code, EngineError};
use crate::net::Clients;
use crate::team::issuer::{Issuer, Question};
use crate::team::loopback::{Back, Loopback};
use crate::team::probe::refusal;
use crate::team::{SignedIn, about};
use crate::transfer::Failure;

/// A sign-in that has begun: somebody is to be sent to [`SigningIn::url`]. Dropped, nobody waits
/// for them any more.
#[derive(Debug)]
pub struct SigningIn {
    with: SignIn,
    issuer: Issuer,
    question: Question,
    loopback: Loopback,
}

impl SigningIn {
    /// Begins a sign-in to a server, at the issuer that the server names.
    ///
    /// # Errors
    /// [`Code::Refused`] where it names none, [`Code::Unreachable`] and
    /// [`Code::UnexpectedAnswer`] for server and issuer.
    pub async fn begin(server: &Url, clients: &Clients) -> Result<Self, EngineError> {
        let with = named_by(server, clients).await?;
        let issuer = Issuer::discover(&with, clients).await;
        let issuer = issuer.map_err(|failure| at_issuer(&with.issuer, failure))?;
        let loopback = Loopback::listen().await.map_err(|error| no_listener(&error))?;
        let question = issuer.question(loopback.redirect());
        Ok(Self { with, issuer, question, loopback })
    }

    /// The page for the system's browser.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.question.url
    }

    /// Waits until somebody has signed in there, no longer than `patience`.
    ///
    /// # Errors
    /// [`Code::SignedOut`] where they did not, or the issuer refuses; [`Code::Unreachable`] and
    /// [`Code::UnexpectedAnswer`] for the issuer.
    pub async fn done(self, patience: Duration) -> Result<SignedIn, EngineError> {
        let Self { with, issuer, question, loopback } = self;
        let back = loopback.back(&question.state, issuer.name());
        let back = tokio::time::timeout(patience, back).await.map_err(|_| {
            EngineError::new(Code::SignedOut, "nobody signed in in time; begin again")
        })?;
        match back.map_err(|error| no_listener(&error))? {
            Back::Code(code) => {
                let tokens = issuer.redeem(question, code).await;
                let tokens = tokens.map_err(|failure| at_issuer(&with.issuer, failure))?;
                Ok(SignedIn { with, tokens })
            }
            Back::Refused(why) => {
                // Of the issuer's page, or of whoever made the browser come here: one short word.
                let why: String = why.chars().filter(char::is_ascii_graphic).take(40).collect();
                let words = format!("{} did not sign you in: {why}", with.issuer);
                Err(EngineError::new(Code::SignedOut, words))
            }
        }
    }
}

/// Has the issuer forget a sign-in, where it does that.
///
/// # Errors
/// [`Code::Unreachable`] and [`Code::UnexpectedAnswer`]: then it ends by itself, later.
pub async fn sign_out(signed_in: &SignedIn, clients: &Clients) -> Result<(), EngineError> {
    let Some(refresh) = &signed_in.tokens.refresh else { return Ok(()) };
    let name = &signed_in.with.issuer;
    let issuer = Issuer::discover(&signed_in.with, clients).await;
    let issuer = issuer.map_err(|failure| at_issuer(name, failure))?;
    issuer.revoke(refresh).await.map_err(|failure| at_issuer(name, failure))
}

/// Where a server has people sign in.
async fn named_by(server: &Url, clients: &Clients) -> Result<SignIn, EngineError> {
    let about = about(server, clients).await.map_err(|failure| refusal(server, failure))?;
    let first = about.and_then(|about| about.sign_in.into_iter().next());
    first.ok_or_else(|| {
        let words = format!("{server} offers no sign-in by browser: use an API key or a token");
        EngineError::new(Code::Refused, words)
    })
}

fn at_issuer(issuer: &str, failure: Failure) -> EngineError {
    let (code, words) = match failure {
        Failure::Refused { code, reason } => (code, reason),
        Failure::Transport(why) => {
            (Code::Unreachable, format!("{issuer} cannot be reached: {why}"))
        }
        Failure::Portal => {
            (Code::Unreachable, format!("a web page answers in the place of {issuer}"))
        }
        Failure::UnexpectedAnswer(why) => (Code::UnexpectedAnswer, why),
        other => (Code::ServerFault, format!("{issuer}: {other}")),
    };
    EngineError::new(code, words)
}

fn no_listener(error: &std::io::Error) -> EngineError {
    EngineError::new(Code::LocalStorage, format!("this computer gives no port: {error}"))
}
