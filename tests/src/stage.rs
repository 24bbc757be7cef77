//! Where a test takes place.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::clips::{self, Take};
use crate::hash;
use crate::programs::free_address;
use crate::proxy::FaultProxy;
use crate::server::Server;
use crate::storage::Storage;
use crate::team::TeamApi;

/// The smallest part that an S3 takes, so that small clips have many.
const SMALL_PARTS: u64 = 5 << 20;

/// A team server and a proxy before its storage, in a folder of their own.
#[derive(Debug)]
pub struct Stage {
    folder: TempDir,
    /// Between the uploader and the storage.
    pub proxy: FaultProxy,
    /// The team server.
    pub server: Server,
    /// It, as somebody else sees it.
    pub team: TeamApi,
    /// Its storage, past the proxy.
    pub storage: Storage,
}

impl Stage {
    /// A server with small parts.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn set() -> Result<Self> {
        Self::with_parts(SMALL_PARTS).await
    }

    /// A server with parts of so many bytes.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn with_parts(part_size: u64) -> Result<Self> {
        Self::with(part_size, &[]).await
    }

    /// A server with parts of so many bytes, and other settings besides.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn with(part_size: u64, others: &[(&str, String)]) -> Result<Self> {
        Self::build("127.0.0.1:0", part_size, others).await
    }

    /// As [`Self::with_parts`], but every address that the server names of itself, its media
    /// engine's too, is that of `public`.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn behind(public: &FaultProxy, part_size: u64) -> Result<Self> {
        let listen = free_address()?;
        public.lead_to(listen);
        let others = [
            ("DAILIES_PUBLIC_URL", public.url()),
            // Else it would be the port after the first, which need not be free.
            ("DAILIES_S3_LISTEN", free_address()?.to_string()),
            ("RUST_LOG", "info,dailies=debug".into()),
        ];
        Self::build(&listen.to_string(), part_size, &others).await
    }

    async fn build(listen: &str, part_size: u64, others: &[(&str, String)]) -> Result<Self> {
        // Its name is short, because a socket's path has to be.
        let folder = tempfile::Builder::new().prefix("e2e-").tempdir()?;
        let proxy = FaultProxy::start().await?;
        let mut environment = vec![
            ("DAILIES_S3_PUBLIC_ENDPOINT", proxy.url()),
            ("DAILIES_PART_SIZE", part_size.to_string()),
        ];
        environment.extend_from_slice(others);
        let server = Server::start_at(&folder.path().join("server"), listen, &environment).await?;
        proxy.lead_to(server.storage_address()?);
        let team = TeamApi::new(&server.credentials)?;
        let storage = Storage::new(&server.credentials.s3);
        Ok(Self { folder, proxy, server, team, storage })
    }

    /// A path in the test's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of a clip in the test's folder.
    ///
    /// # Errors
    /// As [`clips::copy`].
    pub fn clip(&self, name: &str, mebibytes: u64, take: Take) -> Result<PathBuf> {
        let path = self.path(name);
        clips::copy(mebibytes, take, &path)?;
        Ok(path)
    }

    /// The server's credentials file, but with another address of the team API.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn credentials_by_way_of(&self, url: &str) -> Result<PathBuf> {
        let text = std::fs::read(&self.server.credentials_file)?;
        let mut credentials: serde_json::Value = serde_json::from_slice(&text)?;
        credentials["url"] = url.into();
        let path = self.path("credentials.json");
        std::fs::write(&path, serde_json::to_vec(&credentials)?)?;
        Ok(path)
    }

    /// Asserts what must be true after every upload, however it went: the team has one video that
    /// can be played, byte for byte the file, and the storage nothing besides. Answers its id.
    ///
    /// # Errors
    /// Where it is otherwise.
    pub async fn one_whole_video(&self, file: &Path) -> Result<String> {
        let video = self.team.only_video().await?;
        self.whole(&video.id, file).await?;
        let objects = self.storage.objects().await?;
        ensure!(objects.len() == 1, "one object was expected: {objects:?}");
        Ok(video.id)
    }

    /// Asserts that a video is byte for byte the file, and that no multipart upload is open.
    ///
    /// # Errors
    /// Where it is otherwise.
    pub async fn whole(&self, video_id: &str, file: &Path) -> Result<()> {
        self.same(video_id, file).await?;
        self.storage.nothing_open().await
    }

    /// Asserts that a video is byte for byte the file.
    ///
    /// # Errors
    /// Where it is otherwise.
    pub async fn same(&self, video_id: &str, file: &Path) -> Result<()> {
        let stored = self.team.original_hash(video_id).await.context("the original")?;
        let here = hash::of_file(file)?;
        ensure!(stored == here, "the team has {stored:?}, here is {here:?}");
        Ok(())
    }

    /// Ends the server, in order.
    ///
    /// # Errors
    /// As [`Server::stop`].
    pub async fn strike(self) -> Result<()> {
        // What the proxy still holds would be waited for.
        self.proxy.go_down().await;
        self.server.stop().await
    }
}
