//! `/video/v1/assets/{id}/playback-ids` and `/video/v1/playback-ids`.
//!
//! Source: <https://docs.mux.com/api-reference/video/playback-id>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use dailies_api::mux::{CreatePlaybackId, Data, PlaybackId, PlaybackTarget, WebhookObject};
use dailies_database::DatabaseError;
use http::StatusCode;

use super::assets::{MOST_PLAYBACK_IDS, playback_id};
use super::{Body, body};
use crate::media::answer::Refusal;
use crate::media::engine::Shared;
use crate::media::store::{self, assets, deliveries, playback_ids};

/// What came of asking for another name.
enum Made {
    Name(PlaybackId),
    NoAsset,
    Enough,
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Path(asset): Path<String>,
    create: Body<CreatePlaybackId>,
) -> Result<(StatusCode, Json<Data<PlaybackId>>), Refusal> {
    let name = PlaybackId { id: playback_id()?, policy: body(create)?.policy };
    let made = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            if !assets::exists(c, &asset)? {
                return Ok(Made::NoAsset);
            }
            if playback_ids::of_asset(c, &asset)?.len() >= MOST_PLAYBACK_IDS {
                return Ok(Made::Enough);
            }
            playback_ids::insert(c, &asset, &name.id, name.policy)?;
            deliveries::insert(c, "video.asset.updated", &asset, store::now())?;
            Ok(Made::Name(name))
        })
        .await?;
    match made {
        Made::Name(name) => {
            shared.events.notify_one();
            Ok((StatusCode::CREATED, Json(Data::new(name))))
        }
        Made::NoAsset => Err(Refusal::not_found()),
        Made::Enough => {
            let message = format!("an asset has at most {MOST_PLAYBACK_IDS} playback ids");
            Err(Refusal::invalid(message))
        }
    }
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(asset): Path<String>,
) -> Result<Json<Data<Vec<PlaybackId>>>, Refusal> {
    let asset = shared.database.read(move |c| assets::get(c, &asset)).await?;
    Ok(Json(Data::new(asset.ok_or_else(Refusal::not_found)?.playback_ids)))
}

pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Path((asset, id)): Path<(String, String)>,
) -> Result<Json<Data<PlaybackId>>, Refusal> {
    let name = shared.database.read(move |c| playback_ids::get(c, &asset, &id)).await?;
    Ok(Json(Data::new(name.ok_or_else(Refusal::not_found)?)))
}

/// From then on nothing plays by this name: it is looked up for every request.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Path((asset, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let deleted = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            let deleted = playback_ids::delete(c, &asset, &id)?;
            if deleted {
                deliveries::insert(c, "video.asset.updated", &asset, store::now())?;
            }
            Ok(deleted)
        })
        .await?;
    if !deleted {
        return Err(Refusal::not_found());
    }
    shared.events.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn target(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<PlaybackTarget>>, Refusal> {
    let name = id.clone();
    let target = shared.database.read(move |c| playback_ids::find(c, &name)).await?;
    let target = target.ok_or_else(Refusal::not_found)?;
    let object = WebhookObject { kind: "asset".to_owned(), id: target.asset };
    Ok(Json(Data::new(PlaybackTarget { id, policy: target.policy, object })))
}
