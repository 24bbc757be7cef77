//! Playback tokens: RS256 JWTs, verified with our own keys only.
//!
//! Source: <https://docs.mux.com/guides/secure-video-playback>.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dailies_api::mux::{Audience, PlaybackClaims};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::config::SigningKey;
use super::error::MediaError;

/// A token of ours is about 600 bytes; what is much longer is not looked at.
const LONGEST: usize = 4096;
/// Seconds for which an ended token still opens: clocks are compared with themselves here.
const LEEWAY: u64 = 2;

/// Why a token does not open what was asked for. Callers learn only that it does not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("no token in a form that is known")]
    Malformed,
    #[error("an algorithm other than RS256")]
    Algorithm,
    #[error("a key that is not ours")]
    Key,
    #[error("signature or claims")]
    Claims,
}

/// The public keys, by the name that a token says.
pub(super) struct PlaybackKeys(RwLock<HashMap<String, DecodingKey>>);

impl PlaybackKeys {
    /// Reads the keys.
    pub(super) fn new(keys: &[SigningKey]) -> Result<Self, MediaError> {
        let read = |key: &SigningKey| -> Result<_, MediaError> {
            let parsed = if key.public_key.starts_with(b"-----BEGIN") {
                DecodingKey::from_rsa_pem(&key.public_key)
                    .map_err(|source| MediaError::SigningKey { id: key.id.clone(), source })?
            } else {
                DecodingKey::from_rsa_der(&key.public_key)
            };
            Ok((key.id.clone(), parsed))
        };
        Ok(Self(RwLock::new(keys.iter().map(read).collect::<Result<_, _>>()?)))
    }

    /// Adds a key that was made through the API, by its public half in PEM.
    ///
    /// # Errors
    /// Where that is no RSA public key.
    pub(super) fn add(&self, id: &str, public_key: &str) -> std::io::Result<()> {
        let key =
            DecodingKey::from_rsa_pem(public_key.as_bytes()).map_err(std::io::Error::other)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), key);
        Ok(())
    }

    /// Lets nothing be opened by this key any more.
    pub(super) fn remove(&self, id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Checks that `token` opens resources of kind `audience` of `playback_id` now.
    pub(super) fn verify(
        &self,
        token: &str,
        playback_id: &str,
        audience: Audience,
    ) -> Result<(), Refused> {
        if token.len() > LONGEST {
            return Err(Refused::Malformed);
        }
        let header = decode_header(token).map_err(|_| Refused::Malformed)?;
        if header.alg != Algorithm::RS256 {
            return Err(Refused::Algorithm);
        }
        // `jku`, `jwk` and `x5c` are never looked at.
        let kid = match header.kid {
            Some(kid) => kid,
            None => kid_in_claims(token).ok_or(Refused::Key)?,
        };
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&kid).ok_or(Refused::Key)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.set_audience(&[letter(audience)]);
        validation.sub = Some(playback_id.to_owned());
        let claims =
            decode::<PlaybackClaims>(token, key, &validation).map_err(|_| Refused::Claims)?.claims;
        let same_key = claims.kid.is_none_or(|claimed| claimed == kid);
        if claims.sub == playback_id && claims.aud == audience && same_key {
            Ok(())
        } else {
            Err(Refused::Claims)
        }
    }
}

/// Mux's own libraries write the key's name into the claims, not into the header. It only says which
/// of our own keys to verify with, so that it may be read before it is verified.
fn kid_in_claims(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<PlaybackClaims>(&claims).ok()?.kid
}

fn letter(audience: Audience) -> &'static str {
    match audience {
        Audience::Video => "v",
        Audience::Thumbnail => "t",
        Audience::Gif => "g",
        Audience::Storyboard => "s",
    }
}
