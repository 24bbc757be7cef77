//! The Video API: `/video/v1/assets`, HTTP Basic.
//!
//! Source: <https://docs.mux.com/api-reference/video/assets>.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::mux::{Asset, CreateAsset, Data};
use dailies_database::DatabaseError;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use ulid::Ulid;

use super::answer::Refusal;
use super::engine::Shared;
use super::signature::hex;
use super::store::{self, assets, deliveries, jobs, playback_ids};

/// Longest body; a presigned address is about a kilobyte.
const LONGEST_BODY: usize = 64 << 10;
/// Characters, as Mux has it.
const LONGEST_PASSTHROUGH: usize = 255;
const LONGEST_INPUT: usize = 8 << 10;
const MOST_PLAYBACK_IDS: usize = 8;
/// Bytes of randomness in a playback id: a public one is all that protects its video.
const PLAYBACK_ID: usize = 24;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/video/v1/assets", get(list).post(create))
        .route("/video/v1/assets/{id}", get(read).delete(delete))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&shared), authenticate))
        .with_state(shared)
}

/// Who may use the API.
pub(super) struct Access {
    token_id: String,
    token_secret: SecretString,
}

impl Access {
    pub(super) fn new(token_id: String, token_secret: SecretString) -> Self {
        Self { token_id, token_secret }
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        let expected = format!("{}:{}", self.token_id, self.token_secret.expose_secret());
        given.is_some_and(|given| bool::from(given.ct_eq(expected.as_bytes())))
    }
}

async fn authenticate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if shared.access.allows(request.headers()) {
        return next.run(request).await;
    }
    let mut response = Refusal::unauthorized().into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"media\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

async fn create(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<CreateAsset>, JsonRejection>,
) -> Result<(StatusCode, Json<Data<Asset>>), Refusal> {
    let Json(body) = body.map_err(|rejection| Refusal::invalid(rejection.body_text()))?;
    let (input, ids) = check(&body)?;
    let asset = Ulid::new().to_string();
    tracing::info!(asset, "an asset was asked for");
    let passthrough = body.passthrough;
    let data = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            let now = store::now();
            assets::insert(c, &asset, passthrough.as_deref(), now)?;
            for (id, policy) in ids {
                playback_ids::insert(c, &asset, &id, policy)?;
            }
            jobs::insert(c, &asset, &input)?;
            deliveries::insert(c, "video.asset.created", &asset, now)
        })
        .await?;
    shared.jobs.notify_one();
    shared.events.notify_one();
    Ok((StatusCode::CREATED, Json(Data { data })))
}

type PlaybackIds = Vec<(String, dailies_api::mux::PlaybackPolicy)>;

fn check(body: &CreateAsset) -> Result<(String, PlaybackIds), Refusal> {
    let [input] = body.inputs.as_slice() else {
        return Err(Refusal::invalid("inputs: one is needed"));
    };
    let address = url::Url::parse(&input.url).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && input.url.len() <= LONGEST_INPUT
    });
    let address = address
        .ok_or_else(|| Refusal::invalid("inputs[0].url: an http or https address is needed"))?;
    if body.passthrough.as_ref().is_some_and(|text| text.chars().count() > LONGEST_PASSTHROUGH) {
        return Err(Refusal::invalid("passthrough: at most 255 characters"));
    }
    if body.playback_policies.len() > MOST_PLAYBACK_IDS {
        return Err(Refusal::invalid("playback_policies: too many"));
    }
    let ids = body.playback_policies.iter().map(|policy| Ok((playback_id()?, *policy)));
    Ok((address.into(), ids.collect::<Result<_, Refusal>>()?))
}

fn playback_id() -> Result<String, Refusal> {
    let mut bytes = [0; PLAYBACK_ID];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| std::io::Error::other("the system gives no randomness"))?;
    Ok(hex(&bytes))
}

#[derive(Deserialize)]
struct Page {
    #[serde(default = "Page::default_limit")]
    limit: u32,
    #[serde(default = "Page::first")]
    page: u32,
}

impl Page {
    fn default_limit() -> u32 {
        25
    }

    fn first() -> u32 {
        1
    }
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Query(page): Query<Page>,
) -> Result<Json<Data<Vec<Asset>>>, Refusal> {
    let limit = page.limit.clamp(1, 100);
    let offset = page.page.max(1).saturating_sub(1).saturating_mul(limit);
    let data = shared.database.read(move |c| assets::list(c, limit, offset)).await?;
    let data = data.into_iter().map(|asset| shared.running.in_progress(asset)).collect();
    Ok(Json(Data { data }))
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<Asset>>, Refusal> {
    let data = shared.database.read(move |c| assets::get(c, &id)).await?;
    let data = shared.running.in_progress(data.ok_or_else(Refusal::not_found)?);
    Ok(Json(Data { data }))
}

async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let asset = id.clone();
    if !shared.database.write::<_, DatabaseError, _>(move |c| assets::delete(c, &asset)).await? {
        return Err(Refusal::not_found());
    }
    shared.running.cancel(&id);
    // The row was there, so the id is one of ours and no path of the caller's.
    super::files::remove(&shared.folder.asset(&id)).await;
    tracing::info!(asset = id, "an asset was deleted");
    Ok(StatusCode::NO_CONTENT)
}
