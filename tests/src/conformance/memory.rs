//! Another side without a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use dailies_engine::net::Clients;
use dailies_engine::protocol::UploadProtocol;
use dailies_engine::store::Session;
use dailies_engine::team::{Connection, Team};
use dailies_engine::testing::{Call, Memory, Shape};
use tempfile::TempDir;
use url::Url;

use super::Side;
use crate::uploader::quick;

/// Bytes of a part, and of a file.
const PART: u64 = 64 << 10;
const FILE: usize = 500_000;

/// The protocol `memory`.
#[derive(Debug)]
pub struct InMemory {
    folder: TempDir,
    shape: Shape,
    team: Arc<Team>,
    memory: Arc<Memory>,
}

impl InMemory {
    /// Another side that takes bytes in this way.
    ///
    /// # Errors
    /// Where there is no folder to be had.
    pub fn new(shape: Shape) -> Result<Self> {
        let connection =
            Connection::with_key(Url::parse("http://localhost/")?, String::new().into());
        let team = Team::unasked(connection, Clients::new(quick().net)?);
        Ok(Self {
            folder: tempfile::tempdir()?,
            shape,
            team: Arc::new(team),
            memory: Arc::new(Memory::new(shape, PART)),
        })
    }

    /// What only this side can do.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

#[async_trait]
impl Side for InMemory {
    fn protocol(&self) -> Arc<dyn UploadProtocol> {
        Arc::clone(&self.memory) as _
    }

    fn team(&self) -> Arc<Team> {
        Arc::clone(&self.team)
    }

    fn project(&self) -> String {
        "root".into()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> Result<PathBuf> {
        let path = self.path("rushes.mp4");
        let mut bytes = vec![0; FILE];
        fastrand::Rng::with_seed(7).fill(&mut bytes);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    fn part_size(&self) -> u64 {
        PART
    }

    fn unfindable(&self) -> &'static [Call] {
        match self.shape {
            // Nothing names the session that was opened.
            Shape::Chunks => &[Call::Open],
            Shape::Single | Shape::Parts | Shape::InOrder | Shape::Form => &[],
        }
    }

    async fn holds_just(&self, file: &Path) -> Result<()> {
        let videos = self.memory.videos();
        ensure!(videos.len() == 1, "{} videos", videos.len());
        ensure!(videos[0] == std::fs::read(file)?, "other bytes");
        ensure!(self.memory.unfinished() == 0, "{} unfinished", self.memory.unfinished());
        Ok(())
    }

    async fn holds_nothing(&self) -> Result<()> {
        let left = self.memory.videos().len() + self.memory.unfinished();
        ensure!(left == 0, "{left} things are left");
        Ok(())
    }

    async fn lose(&self, _: &Session) -> Result<()> {
        self.memory.lose_sessions();
        Ok(())
    }

    fn damage(&self) {
        self.memory.damage(1);
    }

    fn unplayable(&self) -> Result<PathBuf> {
        self.memory.fail_processing();
        self.file()
    }

    fn sent_again(&self) -> usize {
        self.memory.sent_again().len()
    }

    async fn strike(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
