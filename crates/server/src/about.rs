//! `GET /.well-known/dailies`: what the server says of itself to anybody.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dailies_api::about::{About, PATH, Protocol};

use crate::http_actions::action;
use crate::team_api::Team;

pub(crate) fn router(team: Arc<Team>) -> Router {
    Router::new().route(PATH, action("GET", get(show))).with_state(team)
}

/// What answers here, and where people sign in. Anybody may ask.
#[utoipa::path(get, path = "/.well-known/dailies", tag = "Server", operation_id = "about",
    responses((status = 200, body = About)))]
pub(crate) async fn show(State(team): State<Arc<Team>>) -> Response {
    let about = About {
        name: "dailies-server".into(),
        protocols: vec![
            Protocol::VideoActions,
            Protocol::ChunkedSessions,
            Protocol::MuxDirect,
            Protocol::UploadsApi,
        ],
        growing_files: true,
        sign_in: team.issuers.sign_ins(),
    };
    // Whoever signs in again, does so by what is configured now.
    ([(header::CACHE_CONTROL, "no-cache")], Json(about)).into_response()
}
