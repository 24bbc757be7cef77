//! What stands before every operation: signatures, what may not even be asked, CORS.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body::{Frame, SizeHint};
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
    let service = Service { s3: builder.build(), region: owner.region.as_str().into() };
    Router::new().fallback(answer).layer(cors()).with_state(service)
}

/// What answers requests that were let in.
#[derive(Clone)]
struct Service {
    s3: S3Service,
    region: Arc<str>,
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

async fn answer(State(service): State<Service>, request: Request) -> Response {
    let ended = Arc::new(AtomicBool::new(http_body::Body::is_end_stream(request.body())));
    let request = request.map(|body| Watched { body, ended: Arc::clone(&ended) });
    let is_head = request.method() == Method::HEAD;
    let mut response = respond(&service, request).await;
    // s3s knows this status of `GetObject` only.
    if is_head
        && response.headers().contains_key(header::CONTENT_RANGE)
        && response.status().is_success()
    {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    // Whoever waits for leave to send its body and is refused does not send it any more: what it
    // sent next on this connection would be taken for that body (RFC 9110 §10.1.1).
    if !ended.load(Ordering::Acquire) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn respond(service: &Service, request: Request<Watched>) -> Response {
    let admitted = admit(request.method(), request.uri(), request.headers(), &service.region);
    if let Err(error) = admitted {
        return match error.to_http_response() {
            Ok(response) => response.map(Body::new).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        };
    }
    match service.s3.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(error) => {
            let error = s3s::StdError::from(error);
            tracing::error!(target: super::LOG, event = "request_failed", %error, "a request could not be answered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A request's body that tells whether it was read to its end.
struct Watched {
    body: Body,
    ended: Arc<AtomicBool>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.ended.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Refuses what the crate `s3s` would let in and this store must not.
fn admit(method: &Method, uri: &Uri, headers: &HeaderMap, region: &str) -> S3Result<()> {
    let query = uri.query().unwrap_or_default();
    let parameter = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    // As s3s reads them: a letter beyond ASCII must not hide a header from us that it sees.
    let text = |name: HeaderName| std::str::from_utf8(headers.get(name)?.as_bytes()).ok();

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
    // s3s takes the word of a signature for its region.
    if let Some(scope) = parameter("X-Amz-Credential") {
        in_region(&scope, region, S3ErrorCode::AuthorizationQueryParametersError)?;
    } else if let Some(value) = text(header::AUTHORIZATION)
        && let Some((_, rest)) = value.split_once("Credential=")
    {
        let scope = rest.split(',').next().unwrap_or_default();
        in_region(scope, region, S3ErrorCode::AuthorizationHeaderMalformed)?;
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

/// `scope` is `key/day/region/s3/aws4_request`; what has another form is refused with its signature.
fn in_region(scope: &str, region: &str, code: S3ErrorCode) -> S3Result<()> {
    let mut fields = scope.rsplit('/').skip(1);
    let (service, found) = (fields.next(), fields.next());
    if service.is_some_and(|service| service != "s3") {
        return Err(S3Error::with_message(
            code,
            "The authorization is malformed; the service must be 's3'",
        ));
    }
    match found {
        Some(found) if found != region => Err(S3Error::with_message(
            code,
            format!("The authorization is malformed; the region is wrong; expecting '{region}'"),
        )),
        _ => Ok(()),
    }
}

/// Any origin may ask: without a signature it gets nothing, and no cookie is ever looked at.
fn cors() -> CorsLayer {
    let exposed = [
        "etag",
        "content-range",
        "accept-ranges",
        "last-modified",
        "x-amz-checksum-crc32",
        "x-amz-checksum-crc32c",
        "x-amz-checksum-crc64nvme",
        "x-amz-checksum-sha1",
        "x-amz-checksum-sha256",
        "x-amz-checksum-type",
        "x-amz-mp-parts-count",
        "x-amz-request-id",
    ];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600))
}
