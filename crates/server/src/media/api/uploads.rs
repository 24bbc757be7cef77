//! `/video/v1/uploads`: direct uploads, as their owner sees them. The bytes go to `uploads/`.
//!
//! Source: <https://docs.mux.com/api-reference/video/direct-uploads>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use dailies_api::mux::{AssetSettings, CreateUpload, Data, Upload, UploadStatus};
use dailies_database::DatabaseError;
use http::{HeaderValue, StatusCode};
use ulid::Ulid;

use super::assets::NewAsset;
use super::{Body, Page, Query, body, query};
use crate::media::answer::Refusal;
use crate::media::engine::Shared;
use crate::media::store::uploads::NewUpload;
use crate::media::store::{self, deliveries, uploads};

/// Seconds, as Mux has them.
const USUAL_TIMEOUT: u32 = 3600;
const TIMEOUTS: std::ops::RangeInclusive<u32> = 60..=604_800;
const LONGEST_ORIGIN: usize = 512;
/// Uploads that wait at the same time: whoever forgets them all must not fill the disk with rows.
const MOST_WAITING: u32 = 10_000;

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    create: Body<CreateUpload>,
) -> Result<(StatusCode, Json<Data<Upload>>), Refusal> {
    let new = check(body(create)?)?;
    tracing::info!(upload = new.id, "a direct upload was asked for");
    let data = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            if uploads::waiting(c)? >= MOST_WAITING {
                return Ok(None);
            }
            let now = store::now();
            uploads::insert(c, &new, now)?;
            deliveries::insert_of_upload(c, "video.upload.created", &new.id, now).map(Some)
        })
        .await?;
    let data = data.ok_or_else(Refusal::too_many_uploads)?;
    shared.events.notify_one();
    shared.uploads.look();
    Ok((StatusCode::CREATED, Json(Data::new(addressed(&shared, data)))))
}

fn check(create: CreateUpload) -> Result<NewUpload, Refusal> {
    let timeout = create.timeout.unwrap_or(USUAL_TIMEOUT);
    if !TIMEOUTS.contains(&timeout) {
        return Err(Refusal::invalid("timeout: 60 to 604800 seconds"));
    }
    let cors_origin = create.cors_origin.filter(|origin| !origin.is_empty());
    let sound =
        |origin: &String| origin.len() <= LONGEST_ORIGIN && HeaderValue::from_str(origin).is_ok();
    if cors_origin.as_ref().is_some_and(|origin| !sound(origin)) {
        return Err(Refusal::invalid("cors_origin: an origin, for instance https://example.com"));
    }
    if let Some(settings) = &create.new_asset_settings {
        // Whatever cannot be made of the bytes is said now, and not when they are there.
        let settings = serde_json::from_value::<AssetSettings>(settings.clone())
            .map_err(|error| Refusal::invalid(format!("new_asset_settings: {error}")))?;
        NewAsset::new(settings)?;
    }
    Ok(NewUpload {
        id: Ulid::new().to_string(),
        timeout,
        cors_origin,
        settings: create.new_asset_settings,
        test: create.test.unwrap_or(false),
    })
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    page: Query<Page>,
) -> Result<Json<Data<Vec<Upload>>>, Refusal> {
    let page = query(page)?;
    let (limit, offset) = (page.limit(), page.offset());
    let data = shared.database.read(move |c| uploads::list(c, limit, offset)).await?;
    Ok(Json(Data::new(data.into_iter().map(|upload| addressed(&shared, upload)).collect())))
}

pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<Upload>>, Refusal> {
    let data = shared.database.read(move |c| uploads::get(c, &id)).await?;
    Ok(Json(Data::new(addressed(&shared, data.ok_or_else(Refusal::not_found)?))))
}

/// What came of asking for an end.
enum Cancelled {
    Now(Upload),
    NotWaiting,
    Unknown,
}

pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<Upload>>, Refusal> {
    let upload = id.clone();
    let cancelled = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            if uploads::cancel(c, &upload)? {
                let kind = "video.upload.cancelled";
                let data = deliveries::insert_of_upload(c, kind, &upload, store::now())?;
                return Ok(Cancelled::Now(data));
            }
            let known = uploads::get(c, &upload)?.is_some();
            Ok(if known { Cancelled::NotWaiting } else { Cancelled::Unknown })
        })
        .await?;
    match cancelled {
        Cancelled::Now(data) => {
            tracing::info!(upload = id, "a direct upload was cancelled");
            shared.uploads.interrupt(&id);
            shared.uploads.look();
            shared.events.notify_one();
            Ok(Json(Data::new(data)))
        }
        Cancelled::NotWaiting => Err(Refusal::not_waiting()),
        Cancelled::Unknown => Err(Refusal::not_found()),
    }
}

/// With the address for its bytes, while it waits for them.
fn addressed(shared: &Shared, mut upload: Upload) -> Upload {
    if upload.status == UploadStatus::Waiting {
        upload.url = Some(shared.uploads.address(&upload.id));
    }
    upload
}
