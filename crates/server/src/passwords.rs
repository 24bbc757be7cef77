//! Passwords of share links: Argon2id, a few at a time.
//!
//! Parameters: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>,
//! 19 MiB, two passes, one lane.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::random;

/// KiB.
const MEMORY: u32 = 19 << 10;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashed at once: each takes 19 MiB and a processor for its time.
const AT_ONCE: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Too many want a password hashed.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are looked at")]
pub(crate) struct Busy;

/// Hashes and compares.
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// A PHC string.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, Busy> {
        self.run(move || {
            let salt = SaltString::encode_b64(&random::bytes::<16>())
                .expect("16 bytes are within what a salt may have");
            argon2id()
                .hash_password(password.expose_secret().as_bytes(), &salt)
                .expect("the parameters are valid, and a password is shorter than 4 GiB")
                .to_string()
        })
        .await
    }

    /// Whether `password` is the one that `hash` was made of.
    pub(crate) async fn matches(&self, password: SecretString, hash: String) -> Result<bool, Busy> {
        self.run(move || {
            PasswordHash::new(&hash).is_ok_and(|hash| {
                argon2id().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(PATIENCE, place)
            .await
            .map_err(|_| Busy)?
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
        .map_err(|_| Busy)
    }
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, LANES, None).expect("within Argon2's own limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_only_its_own_hash() {
        let passwords = Passwords::new();
        let hash = passwords.hash("open sesame".into()).await.expect("a free place");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("open sesame".into()).await.expect("a free place"));
        let matches = async |password: &str| {
            passwords.matches(password.into(), hash.clone()).await.expect("a free place")
        };
        assert!(matches("open sesame").await);
        for wrong in ["", "open", "Open sesame", "open sesame "] {
            assert!(!matches(wrong).await, "{wrong}");
        }
        assert!(!passwords.matches("x".into(), "no hash".into()).await.expect("a free place"));
    }
}
