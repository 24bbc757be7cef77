//! Signed playback: the tokens and addresses that a media engine serves a video by.
//!
//! Source: <https://www.mux.com/docs/guides/secure-video-playback>: RS256, `kid` in the header,
//! `sub` the playback id, `aud` what is opened. The engine checks them; nobody asks this server.

use std::time::Duration;

use dailies_api::mux::{Audience, PlaybackClaims};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::clock::now_seconds;

/// Makes tokens with the team's signing key.
pub(crate) struct PlaybackSigner {
    key: EncodingKey,
    key_id: String,
    stream: String,
    image: String,
    lifetime: Duration,
}

/// What opens one video, for a while.
pub(crate) struct SignedPlayback {
    /// HLS playlist, token included.
    pub(crate) url: String,
    /// Poster, token included.
    pub(crate) poster_url: String,
    /// Where the storyboard's tiles are, token included.
    pub(crate) storyboard_url: String,
    /// The playlist's token.
    pub(crate) token: String,
    /// Milliseconds since 1970.
    pub(crate) expires_at: u64,
}

impl PlaybackSigner {
    /// `stream` and `image` are what playback ids are added to.
    ///
    /// # Errors
    /// Where the key is no RSA key in PEM.
    pub(crate) fn new(
        key: &SecretString,
        key_id: String,
        stream: &Url,
        image: &Url,
        lifetime: Duration,
    ) -> Result<Self, jsonwebtoken::errors::Error> {
        Ok(Self {
            key: EncodingKey::from_rsa_pem(key.expose_secret().as_bytes())?,
            key_id,
            stream: stream.as_str().trim_end_matches('/').to_owned(),
            image: image.as_str().trim_end_matches('/').to_owned(),
            lifetime,
        })
    }

    /// # Errors
    /// Where the key cannot sign.
    pub(crate) fn sign(
        &self,
        playback_id: &str,
    ) -> Result<SignedPlayback, jsonwebtoken::errors::Error> {
        let expires = now_seconds() + self.lifetime.as_secs();
        let token = self.token(playback_id, Audience::Video, expires)?;
        let poster_token = self.token(playback_id, Audience::Thumbnail, expires)?;
        let tiles_token = self.token(playback_id, Audience::Storyboard, expires)?;
        let image = format!("{}/{playback_id}", self.image);
        Ok(SignedPlayback {
            url: format!("{}/{playback_id}.m3u8?token={token}", self.stream),
            poster_url: format!("{image}/thumbnail.jpg?token={poster_token}"),
            storyboard_url: format!("{image}/storyboard.json?token={tiles_token}"),
            token,
            expires_at: expires * 1000,
        })
    }

    fn token(
        &self,
        playback_id: &str,
        audience: Audience,
        expires: u64,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        let claims = PlaybackClaims {
            sub: playback_id.to_owned(),
            aud: audience,
            exp: expires,
            kid: Some(self.key_id.clone()),
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}
