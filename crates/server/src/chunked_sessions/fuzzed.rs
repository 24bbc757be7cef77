//! What the targets for fuzzing reach of this room.

use axum::http::{HeaderMap, HeaderValue, header};
use dailies_api::chunked_sessions::{ChunkArgs, ConfirmChunk, InitializeVideoUpload, SessionArgs};
use serde_json::{Map, Value};

use super::{bearer, initialize};
use crate::config::Limits;
use crate::team_api::{Refusal, check_size, parse};

/// A session that would be begun.
pub(crate) struct Begun {
    /// Bytes in all.
    pub(crate) total: u64,
    /// Bytes of a chunk.
    pub(crate) chunk: u64,
    pub(crate) chunks: u32,
    /// Of the file, made safe.
    pub(crate) name: String,
}

/// Reads the arguments as every method would: the refusals, and what would be begun.
pub(crate) fn arguments(args: &Map<String, Value>) -> (Vec<Refusal>, Option<Begun>) {
    let mut refused = Vec::new();
    refused.extend(parse::<ChunkArgs>(args.clone()).err());
    refused.extend(parse::<ConfirmChunk>(args.clone()).err());
    refused.extend(parse::<SessionArgs>(args.clone()).err());
    let begun = parse::<InitializeVideoUpload>(args.clone()).and_then(|args| {
        let total = args.total_size;
        check_size(total, &Limits::default())?;
        let (chunk, chunks) = initialize::plan(total);
        Ok(Begun { total, chunk, chunks, name: initialize::safe_name(&args.file_name) })
    });
    match begun {
        Ok(begun) => (refused, Some(begun)),
        Err(refusal) => {
            refused.push(refusal);
            (refused, None)
        }
    }
}

/// The credentials that an `Authorization` header is read as; `None` where it is refused.
pub(crate) fn credentials(authorization: &[u8]) -> Option<HeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(authorization).ok()?);
    bearer(headers).ok()?.remove(header::AUTHORIZATION)
}
