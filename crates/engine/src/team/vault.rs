//! Where credentials are kept between two starts: a file of the profile that only its owner reads.
//!
//! Several programs may use one profile. Whoever changes the file, or renews a sign-in that is kept
//! in it, is alone with it meanwhile: a refresh token is good once.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use crate::error::{Code, EngineError};
use crate::profile::create_private;
use crate::team::{Credentials, ProtocolKind};

/// How long another program may be alone with the file: longer than a renewal takes.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two tries to be alone with it.
const LOOK: Duration = Duration::from_millis(50);

/// What is kept of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The server's address.
    pub server: Url,
    /// What it was recognised as.
    pub kind: ProtocolKind,
    /// As whom it is called.
    pub credentials: Credentials,
}

/// The file of a profile.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
}

/// Alone with the file for as long as this lives.
#[derive(Debug)]
pub(super) struct Alone {
    vault: Vault,
    _lock: File,
}

impl Vault {
    /// The one in a profile's folder.
    #[must_use]
    pub fn of_profile(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Everything that is kept, what was kept last first.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn all(&self) -> Result<Vec<Kept>, EngineError> {
        let file = self.file();
        self.blocking(move || match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        })
        .await
    }

    /// What is kept of the connection to a server.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn find(&self, server: &Url) -> Result<Option<Kept>, EngineError> {
        Ok(self.all().await?.into_iter().find(|kept| kept.server == *server))
    }

    /// Keeps it in the place of what was kept of the same server. Returns once it is on disk.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn keep(&self, kept: Kept) -> Result<(), EngineError> {
        self.alone().await?.keep(kept).await
    }

    /// Forgets a server, and answers what was kept of it.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn forget(&self, server: &Url) -> Result<Option<Kept>, EngineError> {
        let alone = self.alone().await?;
        let mut all = self.all().await?;
        let place = all.iter().position(|kept| kept.server == *server);
        let Some(place) = place else { return Ok(None) };
        let forgotten = all.remove(place);
        alone.write(all).await?;
        Ok(Some(forgotten))
    }

    /// Waits until no other program changes the file.
    pub(super) async fn alone(&self) -> Result<Alone, EngineError> {
        let folder = self.folder.clone();
        let lock = self
            .blocking(move || {
                create_private(&folder)?;
                let path = folder.join("connections.lock");
                File::options().create(true).truncate(false).write(true).open(path)
            })
            .await?;
        let until = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Alone { vault: self.clone(), _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => return Err(self.unusable(&error.into())),
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("connections.json")
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, EngineError> {
        let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.into()));
        done.map_err(|error| self.unusable(&error))
    }

    /// The file's contents are in no message: what cannot be read of it may be a secret.
    fn unusable(&self, error: &io::Error) -> EngineError {
        let (file, kind) = (self.file(), error.kind());
        let words = format!("{} cannot be used: {kind}", file.display());
        EngineError::new(Code::LocalStorage, words)
    }
}

impl Alone {
    /// As [`Vault::find`].
    pub(super) async fn find(&self, server: &Url) -> Result<Option<Kept>, EngineError> {
        self.vault.find(server).await
    }

    /// As [`Vault::keep`].
    pub(super) async fn keep(&self, kept: Kept) -> Result<(), EngineError> {
        let mut all = self.vault.all().await?;
        all.retain(|other| other.server != kept.server);
        all.insert(0, kept);
        self.write(all).await
    }

    async fn write(&self, all: Vec<Kept>) -> Result<(), EngineError> {
        let (file, folder) = (self.vault.file(), self.vault.folder.clone());
        self.vault.blocking(move || write(&file, &folder, &all)).await
    }
}

/// Whole or not at all, whenever the power goes, and at no time readable by others.
fn write(file: &Path, folder: &Path, all: &[Kept]) -> io::Result<()> {
    let next = file.with_extension("json.next");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&next)?;
    written.write_all(&serde_json::to_vec_pretty(all)?)?;
    written.sync_all()?;
    fs::rename(next, file)?;
    // The name, too, outlives a power cut. Windows has no such call, and needs none.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn kept(server: &str, key: &str) -> Kept {
        Kept {
            server: Url::parse(server).unwrap(),
            kind: ProtocolKind::VideoActions,
            credentials: Credentials::ApiKey { key: key.into() },
        }
    }

    async fn key(vault: &Vault, server: &str) -> Option<String> {
        let found = vault.find(&Url::parse(server).unwrap()).await.unwrap()?;
        let Credentials::ApiKey { key } = found.credentials else { panic!("another kind") };
        Some(key.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn what_is_kept_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::of_profile(&folder.path().join("profile"));
        assert!(vault.all().await.unwrap().is_empty());
        vault.keep(kept("https://a.example/", "sk-1")).await.unwrap();
        vault.keep(kept("https://b.example/", "sk-2")).await.unwrap();
        vault.keep(kept("https://a.example/", "sk-3")).await.unwrap();
        let servers: Vec<_> = vault.all().await.unwrap();
        let servers: Vec<_> = servers.iter().map(|kept| kept.server.as_str()).collect();
        assert_eq!(servers, ["https://a.example/", "https://b.example/"], "the last one first");
        assert_eq!(key(&vault, "https://a.example/").await.as_deref(), Some("sk-3"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&vault.file()), 0o600);
            assert_eq!(mode(&vault.folder), 0o700);
        }
        assert!(vault.forget(&Url::parse("https://a.example/").unwrap()).await.unwrap().is_some());
        assert_eq!(key(&vault, "https://a.example/").await, None);
        assert_eq!(key(&vault, "https://b.example/").await.as_deref(), Some("sk-2"));
    }

    #[tokio::test]
    async fn two_programs_lose_nothing_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = tokio::task::JoinSet::new();
        for number in 0..8 {
            let vault = Vault::of_profile(folder.path());
            let server = format!("https://{number}.example/");
            all.spawn(async move { vault.keep(kept(&server, "sk-1")).await });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(Vault::of_profile(folder.path()).all().await.unwrap().len(), 8);
    }

    #[tokio::test]
    async fn a_damaged_file_is_no_empty_one_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::of_profile(folder.path());
        fs::write(vault.file(), r#"[{"server":"sk-canary"}]"#).unwrap();
        let error = vault.all().await.unwrap_err();
        assert_eq!(error.code, Code::LocalStorage);
        assert!(!error.message.contains("canary"), "{}", error.message);
    }
}
