//! What stands before every operation: signatures, what may not even be asked, CORS.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, StatusCode, Uri};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use secrecy::{ExposeSecret, SecretString};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use super::Owner;
use super::store::Store;

/// A `CompleteMultipartUpload` of 10,000 parts with all their checksums takes about 3 MB.
const MOST_CONTROL_BYTES: usize = 4 << 20;

/// Headers of a presigned request that need not be signed: they cannot change what it does.
const HARMLESS: [&str; 2] = ["x-amz-content-sha256", "x-amz-user-agent"];

pub(super) fn router(store: Store, owner: &Owner) -> Router {
    let mut config = S3Config::default();
    config.xml_max_body_size = MOST_CONTROL_BYTES;
    config.post_object_max_file_size = 0;
    config.form_max_fields_size = 0;
    let mut builder = S3ServiceBuilder::new(store);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(OwnerOnly {
        access_key_id: owner.access_key_id.clone(),
        secret_access_key: owner.secret_access_key.clone(),
    });
    Router::new().fallback(answer).layer(cors()).with_state(builder.build())
}

/// The one key there is.
struct OwnerOnly {
    access_key_id: String,
    secret_access_key: SecretString,
}

#[async_trait::async_trait]
impl S3Auth for OwnerOnly {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key_id {
            Ok(SecretKey::from(self.secret_access_key.expose_secret()))
        } else {
            Err(S3Error::with_message(
                S3ErrorCode::InvalidAccessKeyId,
                "The AWS access key ID that you provided does not exist in our records.",
            ))
        }
    }
}

async fn answer(State(service): State<S3Service>, request: Request) -> Response {
    if let Err(error) = admit(request.method(), request.uri(), request.headers()) {
        return match error.to_http_response() {
            Ok(response) => response.map(Body::new).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        };
    }
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(error) => {
            let error = s3s::StdError::from(error);
            tracing::error!(target: super::LOG, event = "request_failed", %error, "a request could not be answered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Refuses what the crate `s3s` would let in and this store must not.
fn admit(method: &Method, uri: &Uri, headers: &HeaderMap) -> S3Result<()> {
    let query = uri.query().unwrap_or_default();
    let parameter = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());

    // Version 2 signs with SHA-1 and leaves most headers out.
    if parameter("Signature").is_some()
        || text(header::AUTHORIZATION).is_some_and(|value| value.starts_with("AWS "))
    {
        return Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            "Please use AWS4-HMAC-SHA256.",
        ));
    }
    // s3s 0.14.1 subtracts before it looks whether a date has digits, and ends the connection where
    // overflow is checked; <https://github.com/s3s-project/s3s/pull/728>.
    let credential = text(header::AUTHORIZATION)
        .and_then(|value| value.split_once("Credential="))
        .map(|(_, credential)| credential.to_owned());
    let scope_date = |credential: String| credential.split('/').nth(1).map(str::to_owned);
    let dates = [
        credential.and_then(scope_date),
        parameter("X-Amz-Credential").and_then(scope_date),
        parameter("X-Amz-Date"),
        text(HeaderName::from_static("x-amz-date")).map(str::to_owned),
    ];
    if dates.iter().flatten().any(|date| date.bytes().any(|byte| !byte.is_ascii_alphanumeric())) {
        return Err(S3Error::with_message(
            S3ErrorCode::AuthorizationHeaderMalformed,
            "A date of the signature cannot be read.",
        ));
    }
    // A form is gathered in memory before its signature is looked at.
    if method == Method::POST
        && text(header::CONTENT_TYPE)
            .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/"))
    {
        return Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            "Uploads by HTML form are not implemented.",
        ));
    }
    if headers.keys().any(|name| name.as_str().contains("server-side-encryption-customer")) {
        return Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            "Encryption with keys of the customer is not implemented.",
        ));
    }
    // An unsigned `x-amz-copy-source` would turn a presigned PUT into a copy of any object.
    if let Some(signed) = parameter("X-Amz-SignedHeaders") {
        let is_signed =
            |name: &str| HARMLESS.contains(&name) || signed.split(';').any(|signed| signed == name);
        let unsigned = headers
            .keys()
            .any(|name| name.as_str().starts_with("x-amz-") && !is_signed(name.as_str()));
        if unsigned || !is_signed("host") {
            return Err(S3Error::with_message(
                S3ErrorCode::AccessDenied,
                "There were headers present in the request which were not signed",
            ));
        }
    }
    Ok(())
}

/// Any origin may ask: without a signature it gets nothing, and no cookie is ever looked at.
fn cors() -> CorsLayer {
    let exposed = [
        "etag",
        "content-range",
        "accept-ranges",
        "last-modified",
        "x-amz-checksum-crc64nvme",
        "x-amz-checksum-type",
        "x-amz-request-id",
    ];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600))
}
