//! What the targets for fuzzing reach of this room.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};

use super::form::Form;
use crate::config::Limits;

/// Reads a form to its end, its pieces as they come. `None` where it is refused.
pub(crate) async fn form(content_type: &str, body: Vec<u8>, limits: &Limits) -> Option<Vec<Read>> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).ok()?);
    let mut form = Form::new(&headers, Body::from(body), limits).ok()?;
    let mut fields = Vec::new();
    while let Some(mut field) = form.next().await.ok()? {
        let mut read = Read { name: field.name().to_owned(), bytes: Vec::new() };
        while let Some(piece) = field.piece().await.ok()? {
            read.bytes.extend_from_slice(&piece);
        }
        fields.push(read);
    }
    Some(fields)
}

/// A field that was read.
pub(crate) struct Read {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}
