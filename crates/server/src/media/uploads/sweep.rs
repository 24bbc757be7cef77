//! What ends without anybody asking: uploads whose time is over, files that nobody needs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dailies_database::DatabaseError;

use super::{Uploads, finish};
use crate::media::engine::Shared;
use crate::media::store::{self, uploads};

/// How long the sweep sleeps at the most: an asset that is done does not ring.
const IDLE: Duration = Duration::from_secs(15);

/// Sweeps until the engine closes.
pub(in crate::media) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(error) = sweep(&shared).await {
            tracing::error!(%error, "direct uploads could not be swept");
        }
        let next = shared.database.read(uploads::next_expiry).await.unwrap_or_default();
        let pause = next.map_or(IDLE, |next| {
            Duration::from_millis(u64::try_from(next - store::now()).unwrap_or(0)).min(IDLE)
        });
        tokio::select! {
            () = shared.closing.cancelled() => break,
            () = shared.uploads.news.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    shared.uploads.tasks.close();
    shared.uploads.tasks.wait().await;
}

async fn sweep(shared: &Shared) -> Result<(), DatabaseError> {
    let now = store::now();
    for id in shared.database.write(move |c| uploads::time_out(c, now)).await? {
        tracing::info!(upload = id, "a direct upload timed out");
        shared.uploads.interrupt(&id);
    }
    for id in shared.database.read(uploads::unneeded).await? {
        if removed(&shared.uploads, &id).await {
            shared.database.write(move |c| uploads::removed(c, &id)).await?;
        }
    }
    Ok(())
}

/// At start: files that no row knows go, and rows whose bytes are gone say so.
pub(in crate::media) async fn settle(shared: &Shared) -> Result<(), DatabaseError> {
    let folder = shared.uploads.folder.clone();
    let names = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<(String, u64)>> {
        std::fs::read_dir(folder)?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
            })
            .collect()
    });
    let files = match names.await.map_err(std::io::Error::other) {
        Ok(Ok(files)) => files,
        Ok(Err(error)) | Err(error) => {
            tracing::error!(%error, "the folder of direct uploads cannot be read");
            return Ok(());
        }
    };
    let mut there = HashSet::new();
    for (name, size) in files {
        let id = name.clone();
        if shared.database.read(move |c| uploads::has_file(c, &id)).await? {
            there.insert((name, size));
        } else {
            removed(&shared.uploads, &name).await;
        }
    }
    for (id, stored) in shared.database.read(uploads::held).await? {
        let whole = there.iter().any(|(name, size)| *name == id && *size >= stored);
        if stored > 0 && !whole {
            finish::lost(shared, &id).await?;
        }
    }
    Ok(())
}

async fn removed(uploads: &Uploads, id: &str) -> bool {
    match tokio::fs::remove_file(uploads.file(id)).await {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            tracing::warn!(%error, upload = id, "an uploaded file could not be removed");
            false
        }
    }
}
