//! As whom a server is called: the token that says so now.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::net::Clients;
use crate::team::renewal::Renewing;
use crate::team::{Credentials, Vault};
use crate::transfer::Failure;

/// Whoever calls. Clones are the same one: a token that one of them renews, all of them have.
#[derive(Clone, Debug)]
pub struct Identity(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// A key or token that nobody can renew.
    Fixed(SecretString),
    SignedIn(Arc<Renewing>),
}

impl Identity {
    /// Whoever has `credentials` at `server`. Renewed tokens are kept in `vault`.
    #[must_use]
    pub fn new(
        server: Url,
        credentials: Credentials,
        vault: Option<Vault>,
        clients: &Clients,
    ) -> Self {
        Self(match credentials {
            Credentials::ApiKey { key: secret } | Credentials::Bearer { token: secret } => {
                Kind::Fixed(secret)
            }
            Credentials::OpenIdConnect(signed_in) => {
                Kind::SignedIn(Arc::new(Renewing::new(server, signed_in, vault, clients.clone())))
            }
        })
    }

    /// What to call with now; renewed first where its time is over.
    ///
    /// # Errors
    /// [`Failure::Refused`] where the sign-in has ended; else why it could not be renewed.
    pub(super) async fn token(&self) -> Result<SecretString, Failure> {
        match &self.0 {
            Kind::Fixed(secret) => Ok(secret.clone()),
            Kind::SignedIn(renewing) => renewing.token().await,
        }
    }

    /// What to call with in the place of a token that the server refused; `None` where there is
    /// nothing else.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub(super) async fn instead_of(
        &self,
        refused: &SecretString,
    ) -> Result<Option<SecretString>, Failure> {
        match &self.0 {
            Kind::Fixed(_) => Ok(None),
            Kind::SignedIn(renewing) => renewing.instead_of(refused).await.map(Some),
        }
    }

    /// The server refused also the token that it got instead: somebody has to sign in again.
    pub(super) fn refused(&self, token: &SecretString) {
        match &self.0 {
            Kind::Fixed(_) => {}
            Kind::SignedIn(renewing) => renewing.end(token),
        }
    }

    /// Waits until a renewal that is under way is kept.
    pub(super) async fn settle(&self) {
        match &self.0 {
            Kind::Fixed(_) => {}
            Kind::SignedIn(renewing) => renewing.settle().await,
        }
    }
}

pub(super) fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
