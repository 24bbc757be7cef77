//! Who may use the API.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::media::answer::Refusal;
use crate::media::engine::Shared;

/// The one token that opens the API.
pub(in crate::media) struct Access {
    token_id: String,
    token_secret: SecretString,
}

impl Access {
    pub(in crate::media) fn new(token_id: String, token_secret: SecretString) -> Self {
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

pub(super) async fn authenticate(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    if shared.access.allows(request.headers()) {
        return next.run(request).await;
    }
    let mut response = Refusal::unauthorized().into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"media\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
