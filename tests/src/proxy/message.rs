//! As much of HTTP/1.1 as a proxy must understand: heads, and how long bodies are.
//!
//! Source: RFC 9112, sections 5 and 6.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// Heads are short.
const LONGEST_HEAD: u64 = 64 << 10;

/// A request's or an answer's head, as it came.
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    text: String,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunked,
    UntilClosed,
}

impl Head {
    /// `None` where the other side closed the connection instead.
    pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut from = from.take(LONGEST_HEAD);
        let mut bytes = Vec::new();
        loop {
            let line = from.read_until(b'\n', &mut bytes).await?;
            match line {
                0 if bytes.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ if bytes.ends_with(b"\r\n\r\n") => break,
                _ => {}
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(Self { bytes, text }))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn word(&self, index: usize) -> &str {
        self.text.lines().next().and_then(|line| line.split(' ').nth(index)).unwrap_or_default()
    }

    /// A request's path and query.
    pub(super) fn target(&self) -> &str {
        self.word(1)
    }

    /// A request's method and path.
    pub(super) fn asked(&self) -> String {
        let path = self.target().split('?').next().unwrap_or_default();
        format!("{} {path}", self.word(0))
    }

    /// `partNumber` of a request's query.
    pub(super) fn part(&self) -> Option<u32> {
        let (_, query) = self.target().split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")?.parse().ok())
    }

    /// First and last byte of a request's `Content-Range`.
    pub(super) fn bytes_sent(&self) -> Option<(u64, u64)> {
        let (first, last) = self.range()?.0.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    }

    /// The size of the whole that a request's `Content-Range` is of.
    pub(super) fn whole(&self) -> Option<u64> {
        self.range()?.1.parse().ok()
    }

    /// The first byte that a request's `Range` asks for.
    pub(super) fn asked_from(&self) -> Option<u64> {
        self.header("range")?.strip_prefix("bytes=")?.split_once('-')?.0.parse().ok()
    }

    fn range(&self) -> Option<(&str, &str)> {
        self.header("content-range")?.strip_prefix("bytes ")?.split_once('/')
    }

    /// An answer's status.
    pub(super) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    pub(super) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    pub(super) fn length_of_request(&self) -> Length {
        self.said_length().unwrap_or(Length::Bytes(0))
    }

    pub(super) fn length_of_answer(&self) -> Length {
        match self.status() {
            100..=199 | 204 | 304 => Length::Bytes(0),
            _ => self.said_length().unwrap_or(Length::UntilClosed),
        }
    }

    fn said_length(&self) -> Option<Length> {
        if self.header("transfer-encoding").is_some() {
            return Some(Length::Chunked);
        }
        self.header("content-length")?.parse().ok().map(Length::Bytes)
    }
}
