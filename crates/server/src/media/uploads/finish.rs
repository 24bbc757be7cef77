//! What becomes of bytes that are on disk: they count, and the last ones make an asset.

use dailies_api::mux::{AssetSettings, UploadError};
use dailies_database::DatabaseError;

use super::SCHEME;
use crate::media::answer::Refusal;
use crate::media::api::{NewAsset, add};
use crate::media::engine::Shared;
use crate::media::store::{self, deliveries, uploads};

/// Says that the first `stored` bytes count now, of `total` where that is known.
pub(super) async fn grow(
    shared: &Shared,
    id: &str,
    seen: u64,
    stored: u64,
    total: Option<u64>,
) -> Result<(), DatabaseError> {
    let id = id.to_owned();
    shared.database.write(move |c| uploads::grow(c, &id, seen, stored, total)).await
}

/// Makes an asset of an upload whose `total` bytes are all on disk, in one transaction.
pub(super) async fn complete(
    shared: &Shared,
    id: &str,
    seen: u64,
    total: u64,
) -> Result<(), Refusal> {
    let upload = id.to_owned();
    let settings = shared.database.read(move |c| uploads::settings(c, &upload)).await?;
    let settings = match settings {
        // It was understood when it was given.
        Some(text) => serde_json::from_str::<AssetSettings>(&text)
            .map_err(|_| DatabaseError::Damaged("new_asset_settings of an upload".to_owned()))?,
        None => AssetSettings::default(),
    };
    let new = NewAsset::new(settings)?;
    let (upload, asset) = (id.to_owned(), new.id.clone());
    let created = shared.database.write::<_, DatabaseError, _>(move |c| {
        let now = store::now();
        uploads::grow(c, &upload, seen, total, Some(total))?;
        uploads::asset_created(c, &upload, &new.id)?;
        deliveries::insert_of_upload(c, "video.upload.asset_created", &upload, now)?;
        add(c, &new, &format!("{SCHEME}{upload}"), now)?;
        Ok(())
    });
    created.await?;
    tracing::info!(upload = id, asset, bytes = total, "a direct upload is whole");
    shared.jobs.notify_one();
    shared.events.notify_one();
    Ok(())
}

/// The bytes that were stored are not there any more: nothing comes of this upload.
pub(super) async fn lost(shared: &Shared, id: &str) -> Result<(), DatabaseError> {
    tracing::error!(upload = id, "stored bytes of a direct upload are gone");
    let upload = id.to_owned();
    let error = UploadError {
        kind: "bytes_lost".to_owned(),
        message: "The bytes that were stored are gone. Start a new upload.".to_owned(),
    };
    shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            uploads::errored(c, &upload, &error)?;
            deliveries::insert_of_upload(c, "video.upload.errored", &upload, store::now())?;
            Ok(())
        })
        .await?;
    shared.events.notify_one();
    shared.uploads.look();
    Ok(())
}
