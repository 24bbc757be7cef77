//! What an S3 says to a PUT.

use std::time::{Duration, SystemTime};

use reqwest::header::{ETAG, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::error::Code;
use crate::net::{is_portal, transport};
use crate::source::Crc64;
use crate::transfer::Failure;

/// Error documents are short; more of one is not read.
const LONGEST_ERROR: usize = 64 * 1024;

/// A PUT that the storage confirmed.
#[derive(Clone, Debug)]
pub struct PutAnswer {
    /// As the storage said it.
    pub etag: String,
    /// The checksum of what arrived, where the storage says it.
    pub checksum: Option<Crc64>,
}

/// S3's error document: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorDocument {
    code: String,
    message: String,
}

/// Success needs proof: 200 and an `ETag`. A hotel's network answers 200, too.
pub(crate) async fn put_answer(response: Response) -> Result<PutAnswer, Failure> {
    let status = response.status();
    if is_portal(&response) {
        return Err(Failure::Portal);
    }
    if status == StatusCode::OK {
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let etag = header(ETAG.as_str()).ok_or_else(|| {
            Failure::UnexpectedAnswer("the storage confirmed a part without an ETag".into())
        })?;
        let checksum = header("x-amz-checksum-crc64nvme").and_then(Crc64::from_wire);
        return Ok(PutAnswer { etag: etag.to_owned(), checksum });
    }
    Err(refused(response).await)
}

/// What an answer means that is no success.
pub(crate) async fn refused(response: Response) -> Failure {
    let (status, after) = (response.status(), retry_after(response.headers(), SystemTime::now()));
    match error_document(response).await {
        Ok(document) => refusal(status, after, document),
        Err(failure) => failure,
    }
}

async fn error_document(mut response: Response) -> Result<ErrorDocument, Failure> {
    let mut body = Vec::new();
    while body.len() < LONGEST_ERROR
        && let Some(chunk) = response.chunk().await.map_err(transport)?
    {
        body.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&body);
    Ok(quick_xml::de::from_str(&text).unwrap_or_default())
}

fn refusal(status: StatusCode, after: Option<Duration>, document: ErrorDocument) -> Failure {
    match (status.as_u16(), document.code.as_str()) {
        (_, "ExpiredToken" | "RequestTimeTooSkewed" | "RequestExpired") => Failure::UrlExpired,
        // AWS says `AccessDenied` to an expired address as to a forbidden one, others
        // `InvalidRequest`, and only the text differs: a fresh address tells the two apart, and
        // whoever judges does not ask for one for ever.
        (403, "AccessDenied" | "") | (400, "AccessDenied" | "InvalidRequest") => {
            Failure::UrlExpired
        }
        (_, "NoSuchUpload") => Failure::SessionGone,
        (_, "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody") => {
            Failure::PartDamaged
        }
        (_, "SlowDown" | "RequestTimeout") | (408 | 429 | 503, _) => Failure::Busy { after },
        (507, _) => Failure::Refused { code: Code::QuotaExceeded, reason: document.message },
        (500..=599, _) => Failure::ServerFault { status: status.as_u16() },
        (407, _) => Failure::Transport("the network's proxy wants a sign-in".into()),
        (200..=399, _) => Failure::UnexpectedAnswer(format!("the storage answered {status}")),
        _ => Failure::Refused {
            code: Code::StorageRefused,
            reason: format!("{status} {}", document.code),
        },
    }
}

/// `Retry-After` in either of its forms: <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, code: &str) -> Failure {
        let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><X/></Error>");
        let document = quick_xml::de::from_str(&xml).unwrap();
        refusal(StatusCode::from_u16(status).unwrap(), None, document)
    }

    #[test]
    fn refusals_are_told_apart_by_their_code() {
        assert_eq!(told(403, "AccessDenied"), Failure::UrlExpired);
        assert_eq!(told(400, "InvalidRequest"), Failure::UrlExpired);
        assert_eq!(told(403, "RequestTimeTooSkewed"), Failure::UrlExpired);
        assert_eq!(told(404, "NoSuchUpload"), Failure::SessionGone);
        assert_eq!(told(400, "BadDigest"), Failure::PartDamaged);
        assert_eq!(told(503, "SlowDown"), Failure::Busy { after: None });
        assert_eq!(told(500, "InternalError"), Failure::ServerFault { status: 500 });
        assert_eq!(told(502, ""), Failure::ServerFault { status: 502 });
        assert!(matches!(
            told(403, "SignatureDoesNotMatch"),
            Failure::Refused { code: Code::StorageRefused, .. }
        ));
        assert!(matches!(told(302, ""), Failure::UnexpectedAnswer(_)));
    }

    #[test]
    fn a_wait_comes_in_seconds_or_as_a_date() {
        let wait = |value: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers, SystemTime::UNIX_EPOCH)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(wait("soon"), None);
    }
}
