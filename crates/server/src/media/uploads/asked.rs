//! What a PUT asks for, by its headers alone.

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, TRANSFER_ENCODING};

/// A PUT to an upload's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `bytes */N` or `bytes */*`: what is there? Without a body.
    Standing {
        /// Bytes of the whole, where the sender knows.
        total: Option<u64>,
    },
    /// Take these bytes.
    Bytes {
        /// Offset of the first.
        first: u64,
        /// How many, where the sender knows before.
        length: Option<u64>,
        /// Which the last byte of the whole is.
        end: End,
    },
}

/// Where the whole ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After so many bytes.
    At(u64),
    /// With this body.
    Here,
    /// Nobody has said so yet.
    Later,
}

/// What is wrong with the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Senseless {
    #[error(
        "Content-Range: `bytes first-last/total`, `bytes first-last/*`, `bytes */total` or `bytes */*`"
    )]
    Form,
    #[error(
        "Content-Range: the last byte is past the total; it is inclusive, so it is at most total - 1"
    )]
    PastTotal,
    #[error("Content-Range: the last byte is before the first")]
    Backwards,
    #[error("Content-Length is not the length that Content-Range says")]
    Length,
    #[error("Content-Range: `bytes */…` asks what is there and has no body")]
    BodyOfQuestion,
    #[error("there are no bytes in this request; an empty file is no video")]
    Empty,
}

impl Asked {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Senseless> {
        let length = match headers.get(CONTENT_LENGTH) {
            Some(value) => Some(value.to_str().ok().and_then(number).ok_or(Senseless::Length)?),
            None => None,
        };
        let mut ranges = headers.get_all(CONTENT_RANGE).iter();
        let range = match (ranges.next(), ranges.next()) {
            (None, _) => return Self::whole(length, headers.contains_key(TRANSFER_ENCODING)),
            (Some(range), None) => range.to_str().map_err(|_| Senseless::Form)?,
            (Some(_), Some(_)) => return Err(Senseless::Form),
        };
        let (range, total) = range
            .trim()
            .strip_prefix("bytes ")
            .and_then(|rest| rest.trim().split_once('/'))
            .ok_or(Senseless::Form)?;
        let total = match total {
            "*" => None,
            total => Some(number(total).ok_or(Senseless::Form)?),
        };
        if total == Some(0) {
            return Err(Senseless::Empty);
        }
        if range == "*" {
            return match length {
                None | Some(0) => Ok(Self::Standing { total }),
                Some(_) => Err(Senseless::BodyOfQuestion),
            };
        }
        let (first, last) = range.split_once('-').ok_or(Senseless::Form)?;
        let first = number(first).ok_or(Senseless::Form)?;
        let last = number(last).ok_or(Senseless::Form)?;
        if last < first {
            return Err(Senseless::Backwards);
        }
        if total.is_some_and(|total| last >= total) {
            return Err(Senseless::PastTotal);
        }
        let ranged = (last - first).checked_add(1).ok_or(Senseless::Form)?;
        if length.is_some_and(|length| length != ranged) {
            return Err(Senseless::Length);
        }
        let end = total.map_or(End::Later, End::At);
        Ok(Self::Bytes { first, length: Some(ranged), end })
    }

    fn whole(length: Option<u64>, chunked: bool) -> Result<Self, Senseless> {
        match length {
            Some(0) => Err(Senseless::Empty),
            // RFC 9112, section 6.3: without either header there is no body.
            None if !chunked => Err(Senseless::Empty),
            Some(length) => {
                Ok(Self::Bytes { first: 0, length: Some(length), end: End::At(length) })
            }
            None => Ok(Self::Bytes { first: 0, length: None, end: End::Here }),
        }
    }

    /// Bytes of the whole, as far as this request can tell: at least so many.
    pub(super) fn reaches(&self) -> u64 {
        match *self {
            Self::Standing { total } => total.unwrap_or(0),
            Self::Bytes { end: End::At(total), .. } => total,
            Self::Bytes { first, length, .. } => first.saturating_add(length.unwrap_or(0)),
        }
    }

    /// Bytes of the whole, where this request says.
    pub(super) fn total(&self) -> Option<u64> {
        match *self {
            Self::Standing { total } => total,
            Self::Bytes { end: End::At(total), .. } => Some(total),
            Self::Bytes { .. } => None,
        }
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // SQLite counts to 2^63 - 1.
    text.parse::<u64>().ok().filter(|number| digits && i64::try_from(*number).is_ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Asked::{Bytes, Standing};
    use super::*;

    fn read(range: Option<&str>, length: Option<&str>) -> Result<Asked, Senseless> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(CONTENT_RANGE, range), (CONTENT_LENGTH, length)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).expect("a header"));
            }
        }
        Asked::read(&headers)
    }

    #[test]
    fn what_makes_sense_is_understood() {
        let bytes = |first, length, end| Bytes { first, length, end };
        for (range, length, asked) in [
            (None, Some("10"), bytes(0, Some(10), End::At(10))),
            (Some("bytes 0-9/10"), Some("10"), bytes(0, Some(10), End::At(10))),
            (Some("bytes 0-9/*"), None, bytes(0, Some(10), End::Later)),
            (
                Some("bytes 262144-262144/262145"),
                Some("1"),
                bytes(262_144, Some(1), End::At(262_145)),
            ),
            (Some("bytes */10"), Some("0"), Standing { total: Some(10) }),
            (Some("bytes */10"), None, Standing { total: Some(10) }),
            (Some("bytes */*"), Some("0"), Standing { total: None }),
            (
                Some("bytes 0-9223372036854775806/9223372036854775807"),
                None,
                bytes(0, Some(i64::MAX as u64), End::At(i64::MAX as u64)),
            ),
        ] {
            assert_eq!(read(range, length), Ok(asked), "{range:?} {length:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        assert_eq!(Asked::read(&headers), Ok(bytes(0, None, End::Here)));
    }

    #[test]
    fn what_makes_none_is_refused() {
        for (range, length, senseless) in [
            // The example in Mux's own guide is off by one, and past its total.
            (Some("bytes 0-10485760/1000000"), Some("10485761"), Senseless::PastTotal),
            (Some("bytes 0-10/10"), Some("11"), Senseless::PastTotal),
            (Some("bytes 9-0/10"), Some("10"), Senseless::Backwards),
            (Some("bytes 0-9/10"), Some("9"), Senseless::Length),
            (Some("bytes 0-9/10"), Some("11"), Senseless::Length),
            (Some("bytes 0-9/10"), Some("x"), Senseless::Length),
            (Some("bytes */10"), Some("10"), Senseless::BodyOfQuestion),
            (Some("bytes */0"), Some("0"), Senseless::Empty),
            (None, Some("0"), Senseless::Empty),
            (None, None, Senseless::Empty),
            (Some(""), None, Senseless::Form),
            (Some("bytes"), None, Senseless::Form),
            (Some("bytes 0-9"), None, Senseless::Form),
            (Some("bytes=0-9/10"), None, Senseless::Form),
            (Some("items 0-9/10"), None, Senseless::Form),
            (Some("bytes -9/10"), None, Senseless::Form),
            (Some("bytes 0-/10"), None, Senseless::Form),
            (Some("bytes +0-9/10"), None, Senseless::Form),
            (Some("bytes 0-9/-10"), None, Senseless::Form),
            (Some("bytes 0-9/10/11"), None, Senseless::Form),
            (Some("bytes 0-9223372036854775808/*"), None, Senseless::Form),
            (Some("bytes 0-99999999999999999999/*"), None, Senseless::Form),
        ] {
            assert_eq!(read(range, length), Err(senseless), "{range:?} {length:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_RANGE, HeaderValue::from_static("bytes 0-9/10"));
        headers.append(CONTENT_RANGE, HeaderValue::from_static("bytes 0-9/11"));
        assert_eq!(Asked::read(&headers), Err(Senseless::Form));
    }
}
