//! Whom a JWT speaks for: tokens of the OpenID Connect issuers that are configured.
//!
//! Owns: discovery, the issuers' keys and their rotation, what makes a token good, and which user
//! an account is. Must not know: teams, roles, functions.
//!
//! Sources: OpenID Connect Core and Discovery 1.0, RFC 7515, 7517, 7519, RFC 8725 (what goes wrong).

mod fetch;
mod issuer;
mod keys;
mod token;
mod users;

use crate::config::oidc::OidcIssuer;
use crate::db::identities::Account;

use self::issuer::Issuer;
pub(crate) use self::token::Refused;
pub(crate) use self::users::{UserError, user_of};

/// The issuers whose tokens are taken. Dropped, they fetch nothing any more.
pub(crate) struct Issuers(Vec<Issuer>);

/// Why a token says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// It is not good, and will not become so.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its issuer's keys are not to be had, so nobody can tell.
    #[error("the keys of the issuer are not to be had")]
    NoKeys,
}

impl Issuers {
    /// Fetches nothing yet: the first token does, so that a server starts also where its issuer
    /// does not answer.
    pub(crate) fn new(issuers: Vec<OidcIssuer>) -> Result<Self, reqwest::Error> {
        issuers.into_iter().map(Issuer::new).collect::<Result<_, _>>().map(Self)
    }

    /// The account that a good token speaks for, and the issuer that says so.
    pub(crate) async fn verify(&self, token: &str) -> Result<(Account, &OidcIssuer), TokenError> {
        let unverified = token::read(token)?;
        let issuer = self
            .0
            .iter()
            .find(|issuer| issuer.settings.issuer == unverified.issuer)
            .ok_or(Refused::Issuer)?;
        let keys = issuer.keys(unverified.key_id.as_deref()).await.ok_or(TokenError::NoKeys)?;
        let fitting = keys.fitting(unverified.key_id.as_deref(), unverified.algorithm);
        let account = token::verify(token, unverified.algorithm, &fitting, &issuer.settings)?;
        Ok((account, &issuer.settings))
    }
}
