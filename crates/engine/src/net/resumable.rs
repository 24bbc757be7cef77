//! Resumable PUTs: one address takes a whole in order, and says how much of it is there.
//!
//! The wire is that of Google Cloud Storage's resumable sessions, which Mux's direct uploads are:
//! <https://cloud.google.com/storage/docs/performing-resumable-uploads>.

use std::time::SystemTime;

use dailies_api::direct_uploads::GRANULE;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Response, StatusCode};

use crate::error::Code;
use crate::net::{Clients, SignedUrl, is_portal, put_body, retry_after, transport};
use crate::source::PartBody;
use crate::transfer::{ByteRange, Failure};

/// What the other side says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All of it.
    Whole,
    /// So many bytes from the start: a place to go on from.
    UpTo(u64),
}

/// Asks what is there. To be done after any doubt, before a byte is sent again. A `total` of as many
/// bytes as are there ends the upload; without one, it goes on.
///
/// # Errors
/// [`Failure::SessionGone`] where the address leads nowhere any more.
pub(crate) async fn standing(
    clients: &Clients,
    url: &SignedUrl,
    total: Option<u64>,
) -> Result<Standing, Failure> {
    let question = clients
        .put(url)
        .header(CONTENT_RANGE, format!("bytes */{}", said(total)))
        .header(CONTENT_LENGTH, 0);
    answered(&question.send().await.map_err(transport)?, total)
}

/// Sends a stretch of a whole of `total` bytes, if that is known by now. What is there afterwards may
/// be less than its end.
///
/// # Errors
/// As [`standing`]; and [`Failure::UnexpectedAnswer`] for a whole that is said to be complete before
/// its last byte was sent.
pub(crate) async fn put_range(
    clients: &Clients,
    url: &SignedUrl,
    range: ByteRange,
    total: Option<u64>,
    body: PartBody,
) -> Result<Standing, Failure> {
    let end = range.offset + range.length;
    let last = end.saturating_sub(1);
    let content_range = format!("bytes {}-{last}/{}", range.offset, said(total));
    let request = clients.put(url).header(CONTENT_RANGE, content_range);
    match answered(&put_body(clients, request, body).await?, total)? {
        Standing::Whole if total.is_none_or(|total| end < total) => {
            let words = format!("all is said to be there after {end} bytes were sent");
            Err(Failure::UnexpectedAnswer(words))
        }
        standing => Ok(standing),
    }
}

/// A total in a `Content-Range`: RFC 9110, section 14.4.
fn said(total: Option<u64>) -> String {
    total.map_or_else(|| "*".to_owned(), |total| total.to_string())
}

fn answered(response: &Response, total: Option<u64>) -> Result<Standing, Failure> {
    if is_portal(response) {
        return Err(Failure::Portal);
    }
    meaning(response.status(), response.headers(), total)
}

fn meaning(
    status: StatusCode,
    headers: &HeaderMap,
    total: Option<u64>,
) -> Result<Standing, Failure> {
    match status {
        StatusCode::OK | StatusCode::CREATED => Ok(Standing::Whole),
        StatusCode::PERMANENT_REDIRECT => Ok(Standing::UpTo(kept(headers, total)?)),
        status => Err(refusal(status, headers)),
    }
}

/// Bytes to go on from. Without a `Range` nothing is there; and what is not the whole counts in
/// multiples of 256 KiB only, also where more is said: some say one byte of nothing.
fn kept(headers: &HeaderMap, total: Option<u64>) -> Result<u64, Failure> {
    let Some(range) = headers.get(RANGE) else { return Ok(0) };
    let senseless = || Failure::UnexpectedAnswer("a Range that makes no sense".into());
    let last = range.to_str().ok().and_then(|range| range.strip_prefix("bytes=0-"));
    let last: u64 = last.and_then(|last| last.parse().ok()).ok_or_else(senseless)?;
    let bytes = last.checked_add(1).ok_or_else(senseless)?;
    let bytes = match total {
        Some(total) if bytes > total => return Err(senseless()),
        // All of it, and yet not complete: the last request has to be made again.
        Some(total) => bytes.min(total - 1),
        None => bytes,
    };
    Ok(bytes / GRANULE * GRANULE)
}

fn refusal(status: StatusCode, headers: &HeaderMap) -> Failure {
    let refused = |code| Failure::Refused { code, reason: format!("the storage says {status}") };
    match status.as_u16() {
        // 499: somebody cancelled it.
        404 | 410 | 499 => Failure::SessionGone,
        401 | 403 => Failure::UrlExpired,
        408 | 429 | 503 => Failure::Busy { after: retry_after(headers, SystemTime::now()) },
        407 => Failure::Transport("the network's proxy wants a sign-in".into()),
        413 => refused(Code::FileTooLarge),
        507 => refused(Code::QuotaExceeded),
        500..=599 => Failure::ServerFault { status: status.as_u16() },
        // Bytes of another place than it wants, for one: whoever goes on asks for that first.
        _ => Failure::UnexpectedAnswer(format!("the storage answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, RETRY_AFTER};

    use super::*;

    const TOTAL: u64 = 10 * GRANULE + 5;

    fn answer(status: u16, header: Option<(HeaderName, &str)>) -> Result<Standing, Failure> {
        let header = header.map(|(name, value)| (name, value.parse().unwrap()));
        let headers = HeaderMap::from_iter(header);
        meaning(StatusCode::from_u16(status).unwrap(), &headers, Some(TOTAL))
    }

    fn range(last: u64) -> Result<Standing, Failure> {
        answer(308, Some((RANGE, &format!("bytes=0-{last}"))))
    }

    #[test]
    fn only_what_is_said_to_be_there_is() {
        assert_eq!(answer(308, None), Ok(Standing::UpTo(0)));
        assert_eq!(range(GRANULE - 1), Ok(Standing::UpTo(GRANULE)));
        assert_eq!(answer(200, None), Ok(Standing::Whole));
        assert_eq!(answer(201, None), Ok(Standing::Whole));
    }

    #[test]
    fn a_place_between_two_multiples_is_rounded_down() {
        assert_eq!(range(0), Ok(Standing::UpTo(0)));
        assert_eq!(range(GRANULE - 2), Ok(Standing::UpTo(0)));
        assert_eq!(range(3 * GRANULE), Ok(Standing::UpTo(3 * GRANULE)));
        assert_eq!(range(TOTAL - 1), Ok(Standing::UpTo(10 * GRANULE)), "all, but not complete");
    }

    #[test]
    fn without_a_total_nothing_is_too_much() {
        let kept = |last: u64| {
            let headers =
                HeaderMap::from_iter([(RANGE, format!("bytes=0-{last}").parse().unwrap())]);
            meaning(StatusCode::PERMANENT_REDIRECT, &headers, None)
        };
        assert_eq!(kept(4 * GRANULE - 1), Ok(Standing::UpTo(4 * GRANULE)));
        assert_eq!(kept(4 * GRANULE), Ok(Standing::UpTo(4 * GRANULE)));
        assert!(matches!(kept(u64::MAX), Err(Failure::UnexpectedAnswer(_))));
    }

    #[test]
    fn a_range_that_cannot_be_is_none() {
        for bad in ["", "bytes", "bytes=5-9", "bytes=0-", "bytes=0--1", "bytes 0-9", "items=0-9"] {
            let answer = answer(308, Some((RANGE, bad)));
            assert!(matches!(answer, Err(Failure::UnexpectedAnswer(_))), "{bad}: {answer:?}");
        }
        assert!(matches!(range(TOTAL), Err(Failure::UnexpectedAnswer(_))));
    }

    #[test]
    fn what_is_gone_is_told_from_what_passes() {
        assert_eq!(answer(404, None), Err(Failure::SessionGone));
        assert_eq!(answer(410, None), Err(Failure::SessionGone));
        assert_eq!(answer(500, None), Err(Failure::ServerFault { status: 500 }));
        let after = Some(std::time::Duration::from_secs(7));
        assert_eq!(answer(429, Some((RETRY_AFTER, "7"))), Err(Failure::Busy { after }));
        assert_eq!(answer(408, None), Err(Failure::Busy { after: None }));
    }
}
