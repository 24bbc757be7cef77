//! Whom a JWT speaks for: tokens of the OpenID Connect issuers that are configured.
//!
//! Owns: discovery, the issuers' keys and their rotation, what makes a token good, which user an
//! account is, and how programs sign people in there. Must not know: teams, roles, functions.
//!
//! Sources: OpenID Connect Core and Discovery 1.0, RFC 7515, 7517, 7519, RFC 8725 (what goes wrong).

mod fetch;
mod issuer;
mod keys;
mod token;
mod users;

use dailies_api::about::{Presents, SignIn};
use url::Url;

use crate::config::oidc::{AppClient, OidcIssuer};
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

    /// How the app signs people in, issuer by issuer, where it does.
    pub(crate) fn sign_ins(&self) -> Vec<SignIn> {
        self.0.iter().filter_map(|issuer| sign_in(&issuer.settings)).collect()
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

fn sign_in(issuer: &OidcIssuer) -> Option<SignIn> {
    let AppClient { client_id, scopes } = issuer.app.clone()?;
    // The audience of an ID token is the client that it was made for.
    let presents = if issuer.audiences.contains(&client_id) {
        Presents::IdToken
    } else {
        Presents::AccessToken
    };
    // Only an absolute address is a resource; an audience may be any text.
    let resource = issuer.audiences.iter().find(|audience| Url::parse(audience).is_ok()).cloned();
    let resource = resource.filter(|_| presents == Presents::AccessToken);
    Some(SignIn { issuer: issuer.issuer.clone(), client_id, scopes, resource, presents })
}

/// Whether anything but the issuer's own token is taken; for the targets for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzzed_token(token: &str) -> bool {
    const KEYS: &[u8] = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let Ok(unverified) = token::read(token) else { return false };
    let keys = keys::KeySet::read(KEYS).expect("a set of one key");
    let issuer = OidcIssuer::new("https://id.test", vec!["d".into()]);
    let fitting = keys.fitting(unverified.key_id.as_deref(), unverified.algorithm);
    token::verify(token, unverified.algorithm, &fitting, &issuer).is_ok()
}

/// Reads a set of keys, and looks for some in it; for the targets for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzzed_keys(json: &[u8]) {
    let Ok(keys) = keys::KeySet::read(json) else { return };
    for algorithm in keys::ALGORITHMS {
        assert!(keys.fitting(None, algorithm).len() <= 1, "without a name only one may fit");
        assert!(keys.fitting(Some("k"), algorithm).is_empty() || keys.names(Some("k")), "by name");
    }
}
