//! From a whole original to a playable video: asks the media engine, and takes its word for it.
//!
//! Owns: creating assets, and what an asset's state means for its video. The same three roads lead
//! here: a finished upload, a webhook, and [`Ingest::reconcile`], which asks about whatever a crash
//! or a lost webhook left behind.

use std::sync::Arc;
use std::time::Duration;

use dailies_api::mux::{Asset, AssetStatus, PlaybackPolicy, Upload};
use dailies_api::videos::VideoStatus;
use dailies_database::{Database, DatabaseError};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::clock::now_millis;
use crate::db::videos::{self, Original, VideoRow, transitions};
use crate::locks::NamedLocks;
use crate::mux_client::{self, MuxClient, MuxError};
use crate::storage::{OriginalStorage, StorageError};

/// Pages of the newest assets that are searched for one of ours: what others make meanwhile in the
/// same environment of Mux.
const PAGES: u32 = 3;
/// How often videos in work are asked about, where no webhook said anything.
const ROUND: Duration = Duration::from_secs(60);
/// What a video says whose original the media engine did not take.
const NOT_TAKEN: &str = "The media engine did not take the video. The original is safe: try again.";

/// What a video says that the media engine alone had, and has no more.
const LOST: &str = "The media engine has lost this video. Upload the file again.";

/// Why a video is not on its way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Mux(#[from] MuxError),
}

/// The media engine, as the team server uses it.
pub(crate) struct Ingest {
    pub(crate) database: Database,
    pub(crate) storage: OriginalStorage,
    pub(crate) mux: MuxClient,
    /// Whether the media engine runs beside the storage.
    pub(crate) nearby: bool,
    /// By video; shared with the team API.
    pub(crate) locks: Arc<NamedLocks>,
}

impl Ingest {
    /// Has the asset made, if the video waits for one. The caller holds the video's lock.
    ///
    /// # Errors
    /// After which the video is `failed`, keeps its original, and may be started again.
    pub(crate) async fn start(&self, video_id: &str) -> Result<(), IngestError> {
        let Some(video) = self.video(video_id).await? else { return Ok(()) };
        let (VideoStatus::Processing, None, Some(key)) =
            (video.status, &video.mux_asset_id, video.s3_key())
        else {
            return Ok(());
        };
        match self.adopt_or_create(&video, key).await {
            Ok(asset) => {
                let (id, asset_id) = (video.id, asset.id.clone());
                let wanted = self
                    .database
                    .write::<_, DatabaseError, _>(move |connection| {
                        apply(connection, &id, &asset)?;
                        let video = videos::get(connection, &id)?;
                        Ok(video.and_then(|video| video.mux_asset_id).as_ref() == Some(&asset.id))
                    })
                    .await?;
                tracing::info!(
                    video = video_id,
                    asset = asset_id,
                    wanted,
                    "the media engine started"
                );
                if !wanted {
                    // Another one was faster, or the video is gone: nobody would ever play this one.
                    if let Err(error) = self.mux.delete_asset(&asset_id).await {
                        tracing::warn!(asset = asset_id, %error, "an unwanted asset is left over");
                    }
                }
                Ok(())
            }
            Err(error) => {
                tracing::warn!(video = video_id, %error, "the media engine did not start");
                let id = video.id;
                self.database
                    .write::<_, DatabaseError, _>(move |connection| {
                        transitions::media_refused(connection, &id, NOT_TAKEN)
                    })
                    .await?;
                Err(error)
            }
        }
    }

    /// Asks the media engine about a video in work, or one whose bytes go to it directly; `None`
    /// where there is nothing to ask about, or no asset yet.
    ///
    /// # Errors
    /// Where the engine or the database does not answer.
    pub(crate) async fn ask(&self, video_id: &str) -> Result<Option<AssetStatus>, IngestError> {
        let Some(video) = self.video(video_id).await? else { return Ok(None) };
        let asset_id = match (video.status, video.mux_asset_id, &video.original) {
            (VideoStatus::Processing, Some(asset_id), _) => asset_id,
            (VideoStatus::Uploading, _, Some(Original::Direct(upload_id))) => {
                let upload = self.mux.upload(upload_id).await?;
                let Some(Upload { asset_id: Some(asset_id), .. }) = upload else {
                    return Ok(None);
                };
                let (id, upload_id, asset) =
                    (video.id.clone(), upload_id.clone(), asset_id.clone());
                self.database
                    .write::<_, DatabaseError, _>(move |connection| {
                        transitions::direct_arrived(
                            connection,
                            &id,
                            &upload_id,
                            &asset,
                            now_millis(),
                        )
                    })
                    .await?;
                asset_id
            }
            _ => return Ok(None),
        };
        match self.mux.asset(&asset_id).await? {
            Some(asset) => {
                let status = asset.status;
                let id = video.id;
                let changed = self
                    .database
                    .write::<_, DatabaseError, _>(move |connection| apply(connection, &id, &asset))
                    .await?;
                Ok((changed || status == AssetStatus::Preparing).then_some(status))
            }
            None => {
                let (id, original) = (video.id, video.original);
                self.database
                    .write::<_, DatabaseError, _>(move |connection| match original {
                        // Nothing is left that another could be made of.
                        Some(Original::Direct(_)) => {
                            transitions::asset_errored(connection, &id, &asset_id, LOST)
                        }
                        _ => transitions::forget_asset(connection, &id, &asset_id),
                    })
                    .await?;
                Ok(None)
            }
        }
    }

    /// Ends a direct upload, and removes what came of it.
    pub(crate) async fn drop_direct(&self, upload_id: &str) -> Result<(), IngestError> {
        if let Some(asset_id) = self.mux.cancel_upload(upload_id).await? {
            self.mux.delete_asset(&asset_id).await?;
        }
        Ok(())
    }

    /// Picks up at once what a crash left behind, then asks every minute; ends when dropped.
    pub(crate) async fn reconcile(&self) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            if let Err(error) = self.reconcile_once().await {
                tracing::warn!(%error, "videos in work could not be asked about");
            }
        }
    }

    async fn reconcile_once(&self) -> Result<(), IngestError> {
        let waiting = self.database.read::<_, DatabaseError, _>(videos::processing).await?;
        for id in waiting {
            let _held = self.locks.hold(&id).await;
            if let Err(error) = self.ask(&id).await {
                tracing::warn!(video = id, %error, "the media engine was asked in vain");
                continue;
            }
            // After asking, so that an asset the engine has lost is made again in the same round.
            // What goes wrong is logged there and stands in the video's row.
            let _ = self.start(&id).await;
        }
        Ok(())
    }

    /// The asset of a video's original. One that an earlier try has made, but whose name was lost
    /// with an answer or a process, is taken over: a second one would cost its owner twice.
    async fn adopt_or_create(&self, video: &VideoRow, key: &str) -> Result<Asset, IngestError> {
        let mark = mark(key);
        let id = video.id.clone();
        let superseded = self
            .database
            .read::<_, DatabaseError, _>(move |connection| {
                videos::superseded_asset(connection, &id)
            })
            .await?;
        for page in 1..=PAGES {
            let assets = self.mux.assets(page).await?;
            let last = assets.len() < mux_client::PAGE;
            let ours = assets.into_iter().find(|asset| {
                is_made_of(asset, video, &mark) && Some(&asset.id) != superseded.as_ref()
            });
            if let Some(asset) = ours {
                tracing::info!(video = video.id, asset = asset.id, "took an asset over");
                return Ok(asset);
            }
            if last {
                break;
            }
        }
        let input = self.storage.sign_ingest(key, self.nearby).await?;
        Ok(self.mux.create_asset(input, &video.id, mark).await?)
    }

    async fn video(&self, id: &str) -> Result<Option<VideoRow>, DatabaseError> {
        let id = id.to_owned();
        self.database.read(move |connection| videos::get(connection, &id)).await
    }
}

/// Whether an asset may be taken for one that an earlier try has made of this very original. An
/// errored one may not: whoever tries again wants it tried again.
fn is_made_of(asset: &Asset, video: &VideoRow, mark: &str) -> bool {
    asset.passthrough.as_ref() == Some(&video.id)
        && asset.meta.as_ref().and_then(|meta| meta.external_id.as_deref()) == Some(mark)
        && asset.status != AssetStatus::Errored
}

/// What says which original an asset is made of, and nothing about where that is. Mux takes 128
/// characters.
fn mark(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Gives a video what its asset's state means for it; false where it means nothing any more.
pub(crate) fn apply(
    connection: &Connection,
    video_id: &str,
    asset: &Asset,
) -> Result<bool, DatabaseError> {
    if let Some(upload_id) = &asset.upload_id {
        // Events come in any order: this may be the first word of all bytes being there.
        transitions::direct_arrived(connection, video_id, upload_id, &asset.id, now_millis())?;
    }
    if is_of_another_original(connection, video_id, asset)? {
        return Ok(false);
    }
    match asset.status {
        AssetStatus::Preparing => transitions::set_asset(connection, video_id, &asset.id),
        AssetStatus::Ready => {
            let signed = |policy| asset.playback_ids.iter().find(|id| id.policy == policy);
            let Some(playback) =
                signed(PlaybackPolicy::Signed).or_else(|| signed(PlaybackPolicy::Public))
            else {
                tracing::warn!(video = video_id, asset = asset.id, "ready without a playback id");
                return Ok(false);
            };
            let duration = asset.duration;
            transitions::asset_ready(connection, video_id, &asset.id, &playback.id, duration)
        }
        AssetStatus::Errored => {
            let reason = asset
                .errors
                .as_ref()
                .and_then(|errors| errors.messages.iter().find(|message| !message.is_empty()))
                .map_or("The media engine could not read this file.", String::as_str);
            transitions::asset_errored(connection, video_id, &asset.id, reason)
        }
    }
}

/// Late news of what an earlier upload of the same video has become.
fn is_of_another_original(
    connection: &Connection,
    video_id: &str,
    asset: &Asset,
) -> Result<bool, DatabaseError> {
    let made_of = asset.meta.as_ref().and_then(|meta| meta.external_id.as_deref());
    let original = videos::get(connection, video_id)?.and_then(|video| video.original);
    Ok(match (&asset.upload_id, made_of, original) {
        (Some(came_by), _, Some(Original::Direct(upload_id))) => *came_by != upload_id,
        (Some(_), _, _) => true,
        (None, Some(made_of), Some(Original::Stored(key))) => mark(&key) != made_of,
        (None, Some(_), _) => true,
        (None, None, _) => false,
    })
}
