//! The server's description of its REST parts, made from the handlers themselves.

use axum::Json;
use axum::response::{IntoResponse, Response};
use dailies_api::error::ErrorData;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::{about, chunked_sessions, direct_uploads, team_api, uploads_api, webhooks};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dailies server: REST parts",
        description = "Uploads by one form, chunked upload sessions, direct uploads, health and webhooks. The team \
            API itself is made of Convex functions over HTTP and is described in docs/server.md.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        uploads_api::upload,
        uploads_api::list,
        uploads_api::show,
        chunked_sessions::initialize_video_upload,
        chunked_sessions::get_chunk_upload_url,
        chunked_sessions::confirm_chunk_upload,
        chunked_sessions::complete_video_upload,
        chunked_sessions::get_upload_progress,
        chunked_sessions::cancel_upload,
        direct_uploads::create,
        direct_uploads::show,
        direct_uploads::reopen,
        direct_uploads::cancel,
        about::show,
        team_api::endpoint::health,
        webhooks::receive,
    ),
    components(schemas(ErrorData)),
    modifiers(&Schemes)
)]
struct Description;

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let http = |scheme| SecurityScheme::Http(Http::new(scheme));
        components.add_security_scheme("key", http(HttpAuthScheme::Bearer));
        components.add_security_scheme("serverpod", http(HttpAuthScheme::Basic));
    }
}

/// The description as JSON (OpenAPI 3.1), as it is checked in at `docs/openapi.json`.
///
/// # Panics
/// Never: a description that was compiled has a JSON form.
#[must_use]
pub fn document() -> String {
    let mut json = Description::openapi()
        .to_pretty_json()
        .expect("a description that was compiled has a JSON form");
    json.push('\n');
    json
}

/// `GET /api/client/v1/openapi.json`.
pub(crate) async fn show() -> Response {
    Json(Description::openapi()).into_response()
}
