//! Where the key to a team is kept: the system's keychain, or nowhere.

use std::time::Duration;

use keyring::Entry;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// What the keychain lists the keys under.
const SERVICE: &str = "dev.dailies.desktop";
/// The system may ask somebody to unlock the keychain.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps the key to a team server. False where there is no keychain, or none that holds what is
/// given to it: some say that they are ready and then refuse to write.
pub(crate) async fn keep(server: &Url, key: &SecretString) -> bool {
    let key = key.clone();
    let kept = ask(server, move |entry| {
        entry.set_password(key.expose_secret())?;
        Ok(entry.get_password()? == key.expose_secret())
    });
    kept.await.unwrap_or(false)
}

/// The key to a team server, if it was kept.
pub(crate) async fn find(server: &Url) -> Option<SecretString> {
    ask(server, |entry| Ok(entry.get_password()?.into())).await
}

/// Forgets the key to a team server, if there is one.
pub(crate) async fn forget(server: &Url) {
    ask(server, Entry::delete_credential).await;
}

/// `None` for whatever goes wrong: no caller can do anything about it but go on without.
async fn ask<T: Send + 'static>(
    server: &Url,
    question: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Option<T> {
    let account = server.to_string();
    // The keychain is reached through the desktop's message bus, by blocking calls.
    let asked = tokio::task::spawn_blocking(move || question(&Entry::new(SERVICE, &account)?));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Ok(answer))) => Some(answer),
        Ok(Ok(Err(keyring::Error::NoEntry))) => None,
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, "the keychain refused");
            None
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "asking the keychain broke");
            None
        }
        Err(_) => {
            tracing::warn!("the keychain did not answer");
            None
        }
    }
}
