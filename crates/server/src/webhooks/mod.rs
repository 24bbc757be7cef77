//! `POST /webhooks/mux`: what the media engine has to say.
//!
//! Events come late, twice and out of order. Each is taken once, in the transaction that gives its
//! video the new state; which state may follow which is the database's word, not the event's.

mod news;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dailies_api::error::{ErrorCode, ErrorData};
use dailies_api::mux::{SIGNATURE_HEADER, Webhook};
use dailies_database::{Database, DatabaseError};
use rusqlite::Connection;

use self::news::News;
pub(crate) use self::signature::WebhookKeys;
use crate::clock::{now_millis, now_seconds};
use crate::db::videos::transitions;
use crate::db::{videos, webhook_events};
use crate::http_actions::action;
use crate::ingest;

/// Bytes of an event. Mux's own are a few kilobytes.
const LARGEST_EVENT: usize = 1 << 20;
/// How long a sender may take to send one.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Receiver {
    database: Database,
    keys: WebhookKeys,
}

/// The route, for the keys that events may be signed with.
pub(crate) fn router(database: Database, keys: WebhookKeys) -> Router {
    Router::new()
        .route("/webhooks/mux", action("POST", post(receive)))
        .with_state(Arc::new(Receiver { database, keys }))
}

/// Takes an event of the media engine, once.
#[utoipa::path(post, path = "/webhooks/mux", tag = "Server", operation_id = "muxWebhook",
    params(("Mux-Signature" = String, Header, description = "`t=<unix>,v1=<hex>`")),
    request_body(content_type = "application/json", content = serde_json::Value),
    responses((status = 200, description = "Taken, or known already, or of no meaning here"),
        (status = 401, description = "No valid signature", body = ErrorData)))]
pub(crate) async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_EVENT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let code = ErrorCode::BodyTooLarge;
            return refused(StatusCode::PAYLOAD_TOO_LARGE, code, "an event is at most 1 MiB");
        }
        Err(_) => {
            let code = ErrorCode::InvalidArgument;
            return refused(StatusCode::REQUEST_TIMEOUT, code, "the event came too slowly");
        }
    };
    let header = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    if !header.is_some_and(|header| receiver.keys.verify(header, &body, now_seconds())) {
        let code = ErrorCode::BadCredentials;
        return refused(StatusCode::UNAUTHORIZED, code, "no valid Mux-Signature");
    }
    let Ok(event) = serde_json::from_slice::<Webhook>(&body) else {
        let code = ErrorCode::InvalidArgument;
        return refused(StatusCode::BAD_REQUEST, code, "not an event");
    };
    match receiver.database.write(move |connection| take(connection, &event)).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(%error, "an event could not be taken");
            if error.is_full() {
                let (status, code) = (StatusCode::INSUFFICIENT_STORAGE, ErrorCode::DiskFull);
                return refused(status, code, "the disk is full; send the event again later");
            }
            let code = ErrorCode::Internal;
            refused(StatusCode::INTERNAL_SERVER_ERROR, code, "send the event again later")
        }
    }
}

/// Does what an event means, in the transaction that notes that it was seen.
fn take(connection: &Connection, event: &Webhook) -> Result<(), DatabaseError> {
    let Some(news) = News::read(event) else { return Ok(()) };
    if !webhook_events::first_seen(connection, &event.id, now_millis())? {
        return Ok(());
    }
    let mut video = match news.passthrough() {
        Some(id) => videos::get(connection, id)?,
        None => None,
    };
    if let (None, Some(asset)) = (&video, news.asset_id()) {
        video = videos::by_asset(connection, asset)?;
    }
    if let (None, Some(upload)) = (&video, news.upload_id()) {
        video = videos::by_direct_upload(connection, upload)?;
    }
    let kind = event.kind.as_str();
    let Some(video) = video else {
        tracing::info!(event = event.id, kind, "an event for no video of this team");
        return Ok(());
    };
    let changed = match &news {
        News::Asset(asset) => ingest::apply(connection, &video.id, asset)?,
        News::AssetOfUpload { upload_id, asset_id, .. } => {
            transitions::direct_arrived(connection, &video.id, upload_id, asset_id, now_millis())?
        }
        News::UploadEnded { upload_id, reason, .. } => {
            transitions::direct_ended(connection, &video.id, upload_id, reason, now_millis())?
        }
    };
    tracing::info!(video = video.id, asset = news.asset_id(), kind, changed, "webhook");
    Ok(())
}

fn refused(status: StatusCode, code: ErrorCode, message: &str) -> Response {
    let body = ErrorData { code, message: message.to_owned(), field: None };
    (status, axum::Json(body)).into_response()
}
