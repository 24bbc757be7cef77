//! How a caller proves to a server who they are.

use dailies_api::about::SignIn;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::clock::{Clock as _, SystemClock};
use crate::transfer::Timestamp;

/// What a connection is made with. Secrets show themselves to nobody but where they are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Credentials {
    /// A key, `sk-…`, until it is revoked.
    ApiKey {
        /// The key.
        #[serde(serialize_with = "expose")]
        key: SecretString,
    },
    /// A JWT that was got elsewhere. It ends, and nobody here can renew it.
    Bearer {
        /// The token.
        #[serde(serialize_with = "expose")]
        token: SecretString,
    },
    /// A sign-in, renewed for as long as its issuer does.
    OpenIdConnect(SignedIn),
}

/// Somebody who signed in at an issuer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// Where, and as which client.
    pub with: SignIn,
    /// What the issuer gave last.
    pub tokens: Tokens,
}

/// An issuer's tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// What the server is called with.
    #[serde(serialize_with = "expose")]
    pub presented: SecretString,
    /// For new tokens, each good once; `None` where the issuer gives none.
    #[serde(default, serialize_with = "expose_any", skip_serializing_if = "Option::is_none")]
    pub refresh: Option<SecretString>,
    /// From when on new ones are asked for, before the server refuses these. `None` where the
    /// issuer does not say how long they are good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Timestamp>,
}

impl Tokens {
    /// Whether new ones are to be asked for.
    pub(super) fn are_due(&self) -> bool {
        self.renew_at.is_some_and(|at| at <= SystemClock.now())
    }
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn expose_any<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SecretString::expose_secret).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use dailies_api::about::Presents;

    use super::*;

    #[test]
    fn secrets_are_kept_and_not_shown() {
        let with = SignIn {
            issuer: "https://id.example".into(),
            client_id: "dailies-desktop".into(),
            scopes: vec!["openid".into()],
            resource: None,
            presents: Presents::AccessToken,
        };
        let tokens = Tokens {
            presented: "canary-token".into(),
            refresh: Some("canary-refresh".into()),
            renew_at: Some(Timestamp(1)),
        };
        for credentials in [
            Credentials::ApiKey { key: "canary-key".into() },
            Credentials::Bearer { token: "canary-bearer".into() },
            Credentials::OpenIdConnect(SignedIn { with, tokens }),
        ] {
            assert!(!format!("{credentials:?}").contains("canary"), "{credentials:?}");
            let kept = serde_json::to_string(&credentials).unwrap();
            let again: Credentials = serde_json::from_str(&kept).unwrap();
            assert!(kept.contains("canary"));
            assert_eq!(serde_json::to_string(&again).unwrap(), kept);
        }
    }
}
