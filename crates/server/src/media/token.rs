//! Playback tokens: RS256 JWTs, verified with our own keys only.
//!
//! Source: <https://docs.mux.com/guides/secure-video-playback>.

use std::collections::HashMap;

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

/// The public keys, by the name in a token's header.
pub(super) struct PlaybackKeys(HashMap<String, DecodingKey>);

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
        Ok(Self(keys.iter().map(read).collect::<Result<_, _>>()?))
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
        let key = header.kid.and_then(|kid| self.0.get(&kid)).ok_or(Refused::Key)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.set_audience(&[letter(audience)]);
        validation.sub = Some(playback_id.to_owned());
        let claims =
            decode::<PlaybackClaims>(token, key, &validation).map_err(|_| Refused::Claims)?.claims;
        if claims.sub == playback_id && claims.aud == audience {
            Ok(())
        } else {
            Err(Refused::Claims)
        }
    }
}

fn letter(audience: Audience) -> &'static str {
    match audience {
        Audience::Video => "v",
        Audience::Thumbnail => "t",
        Audience::Gif => "g",
        Audience::Storyboard => "s",
    }
}
