//! A file as an answer, whole or one range of it (RFC 9110, section 14).

use std::io::SeekFrom;
use std::path::Path;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE,
};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// Bytes read at a time.
const BUFFER: usize = 128 << 10;

/// The file at `path`, kept by the player alone: its address holds a token.
pub(super) async fn file_response(
    path: &Path,
    media_type: &'static str,
    request: &HeaderMap,
) -> std::io::Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "private, max-age=86400, immutable"),
        (ACCEPT_RANGES, "bytes"),
    ];
    let range = if request.contains_key(IF_RANGE) {
        // No validator was ever given out, so this is about another file.
        Asked::Whole
    } else {
        Asked::read(request.get(RANGE).and_then(|value| value.to_str().ok()), size)
    };
    let (first, length) = match range {
        Asked::Whole => (0, size),
        Asked::Part { first, length } => (first, length),
        Asked::Outside => {
            let range = [(CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    if first > 0 {
        file.seek(SeekFrom::Start(first)).await?;
    }
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), BUFFER));
    let length_header = [(CONTENT_LENGTH, length.to_string())];
    if range == Asked::Whole {
        return Ok((headers, length_header, body).into_response());
    }
    let range = [(CONTENT_RANGE, format!("bytes {first}-{}/{size}", first + length - 1))];
    Ok((StatusCode::PARTIAL_CONTENT, headers, length_header, range, body).into_response())
}

/// What a `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Whole,
    Part { first: u64, length: u64 },
    Outside,
}

impl Asked {
    /// What is not understood, several ranges among it, is answered with the whole.
    pub(super) fn read(header: Option<&str>, size: u64) -> Self {
        let Some(ranges) = header.and_then(|header| header.strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = ranges.trim().split_once('-') else { return Self::Whole };
        match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
            (Some(first), _) if first >= size => Self::Outside,
            (Some(first), None) if last.is_empty() => Self::Part { first, length: size - first },
            (Some(first), Some(last)) if last >= first => {
                Self::Part { first, length: last.min(size - 1) - first + 1 }
            }
            (None, Some(count)) if first.is_empty() => match count.min(size) {
                0 => Self::Outside,
                length => Self::Part { first: size - length, length },
            },
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Asked::{self, Outside, Part, Whole};

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let cases = [
            (None, Whole),
            (Some("bytes=0-9"), Part { first: 0, length: 10 }),
            (Some("bytes=90-"), Part { first: 90, length: 10 }),
            (Some("bytes=90-400"), Part { first: 90, length: 10 }),
            (Some("bytes=-10"), Part { first: 90, length: 10 }),
            (Some("bytes=-400"), Part { first: 0, length: 100 }),
            (Some("bytes=100-"), Outside),
            (Some("bytes=-0"), Outside),
            (Some("bytes=9-1"), Whole),
            (Some("bytes=0-1,4-5"), Whole),
            (Some("bytes=-"), Whole),
            (Some("items=0-1"), Whole),
        ];
        for (header, asked) in cases {
            assert_eq!(Asked::read(header, 100), asked, "{header:?}");
        }
        assert_eq!(Asked::read(Some("bytes=0-"), 0), Outside);
    }
}
