//! `/video/v1/assets`.
//!
//! Source: <https://docs.mux.com/api-reference/video/assets>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use dailies_api::mux::{
    Asset, AssetMeta, AssetSettings, CreateAsset, Data, PlaybackPolicy, UpdateAsset,
};
use dailies_database::DatabaseError;
use http::StatusCode;
use rusqlite::Connection;
use serde::Deserialize;
use ulid::Ulid;

use super::{Body, Page, Query, body, query, random};
use crate::media::answer::Refusal;
use crate::media::engine::Shared;
use crate::media::files;
use crate::media::store::assets::Listed;
use crate::media::store::{self, assets, deliveries, details, jobs, playback_ids};

/// Characters, as Mux has it.
const LONGEST_PASSTHROUGH: usize = 255;
const LONGEST_TITLE: usize = 512;
const LONGEST_OUTER_ID: usize = 128;
const LONGEST_INPUT: usize = 8 << 10;
pub(super) const MOST_PLAYBACK_IDS: usize = 8;
/// Bytes of randomness in a playback id: a public one is all that protects its video.
const PLAYBACK_ID: usize = 24;

/// An asset to be made, checked.
pub(in crate::media) struct NewAsset {
    pub(in crate::media) id: String,
    playback_ids: Vec<(String, PlaybackPolicy)>,
    passthrough: Option<String>,
    meta: Option<AssetMeta>,
}

impl NewAsset {
    /// Checks what is asked for, and gives it its names.
    pub(in crate::media) fn new(settings: AssetSettings) -> Result<Self, Refusal> {
        check_texts(settings.passthrough.as_deref(), settings.meta.as_ref())?;
        if settings.playback_policies.len() > MOST_PLAYBACK_IDS {
            return Err(Refusal::invalid(format!(
                "playback_policies: at most {MOST_PLAYBACK_IDS}"
            )));
        }
        let ids = settings.playback_policies.iter().map(|policy| Ok((playback_id()?, *policy)));
        Ok(Self {
            id: Ulid::new().to_string(),
            playback_ids: ids.collect::<Result<_, Refusal>>()?,
            passthrough: settings.passthrough,
            meta: settings.meta,
        })
    }
}

/// Adds an asset with its names, its job and its event.
pub(in crate::media) fn add(
    connection: &Connection,
    new: &NewAsset,
    input: &str,
    now: i64,
) -> Result<Asset, DatabaseError> {
    assets::insert(connection, &new.id, new.passthrough.as_deref(), now)?;
    if new.meta.is_some() {
        details::set_meta(connection, &new.id, new.meta.as_ref())?;
    }
    for (id, policy) in &new.playback_ids {
        playback_ids::insert(connection, &new.id, id, *policy)?;
    }
    jobs::insert(connection, &new.id, input)?;
    deliveries::insert(connection, "video.asset.created", &new.id, now)
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    create: Body<CreateAsset>,
) -> Result<(StatusCode, Json<Data<Asset>>), Refusal> {
    let create = body(create)?;
    let input = input(&create)?;
    let new = NewAsset::new(create.settings)?;
    tracing::info!(asset = new.id, "an asset was asked for");
    let data = shared
        .database
        .write::<_, DatabaseError, _>(move |c| add(c, &new, &input, store::now()))
        .await?;
    shared.jobs.notify_one();
    shared.events.notify_one();
    Ok((StatusCode::CREATED, Json(Data::new(data))))
}

fn input(create: &CreateAsset) -> Result<String, Refusal> {
    let [input] = create.inputs.as_slice() else {
        return Err(Refusal::invalid("inputs: one is needed"));
    };
    url::Url::parse(&input.url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|_| input.url.len() <= LONGEST_INPUT)
        .map(Into::into)
        .ok_or_else(|| Refusal::invalid("inputs[0].url: an http or https address is needed"))
}

fn check_texts(passthrough: Option<&str>, meta: Option<&AssetMeta>) -> Result<(), Refusal> {
    let meta =
        |text: fn(&AssetMeta) -> &Option<String>| meta.and_then(|meta| text(meta).as_deref());
    for (name, text, longest) in [
        ("passthrough", passthrough, LONGEST_PASSTHROUGH),
        ("meta.title", meta(|meta| &meta.title), LONGEST_TITLE),
        ("meta.creator_id", meta(|meta| &meta.creator_id), LONGEST_OUTER_ID),
        ("meta.external_id", meta(|meta| &meta.external_id), LONGEST_OUTER_ID),
    ] {
        if text.is_some_and(|text| text.chars().count() > longest) {
            return Err(Refusal::invalid(format!("{name}: at most {longest} characters")));
        }
    }
    Ok(())
}

pub(super) fn playback_id() -> Result<String, Refusal> {
    random(PLAYBACK_ID)
}

#[derive(Deserialize)]
pub(super) struct Filter {
    limit: Option<u32>,
    page: Option<u32>,
    /// What the page before said.
    cursor: Option<String>,
    upload_id: Option<String>,
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    filter: Query<Filter>,
) -> Result<Json<Data<Vec<Asset>>>, Refusal> {
    let Filter { limit, page, cursor, upload_id } = query(filter)?;
    let page = Page { limit, page };
    let (limit, offset) = (page.limit(), page.offset());
    let listed = Listed { limit, offset, before: cursor, upload: upload_id };
    let data = shared.database.read(move |c| assets::list(c, &listed)).await?;
    let full = data.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let next_cursor = data.last().filter(|_| full).map(|asset| asset.id.clone());
    let data = data.into_iter().map(|asset| shared.running.in_progress(asset)).collect();
    Ok(Json(Data { data, next_cursor }))
}

pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<Asset>>, Refusal> {
    let data = shared.database.read(move |c| assets::get(c, &id)).await?;
    let asset = data.ok_or_else(Refusal::not_found)?;
    Ok(Json(Data::new(shared.running.in_progress(asset))))
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    update: Body<UpdateAsset>,
) -> Result<Json<Data<Asset>>, Refusal> {
    let update = body(update)?;
    let passthrough = update.passthrough.as_ref().and_then(Option::as_deref);
    check_texts(passthrough, update.meta.as_ref().and_then(Option::as_ref))?;
    let data = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            details::update(c, &id, &update)?;
            deliveries::insert(c, "video.asset.updated", &id, store::now())
        })
        .await;
    match data {
        Err(DatabaseError::Stale) => Err(Refusal::not_found()),
        data => {
            shared.events.notify_one();
            Ok(Json(Data::new(data?)))
        }
    }
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let asset = id.clone();
    let deleted = shared.database.write::<_, DatabaseError, _>(move |c| {
        deliveries::insert(c, "video.asset.deleted", &asset, store::now())?;
        assets::delete(c, &asset)
    });
    match deleted.await {
        Ok(true) => {}
        Ok(false) | Err(DatabaseError::Stale) => return Err(Refusal::not_found()),
        Err(error) => return Err(error.into()),
    }
    shared.running.cancel(&id);
    // The row was there, so the id is one of ours and no path of the caller's.
    files::remove(&shared.folder.asset(&id)).await;
    shared.events.notify_one();
    shared.uploads.look();
    tracing::info!(asset = id, "an asset was deleted");
    Ok(StatusCode::NO_CONTENT)
}
