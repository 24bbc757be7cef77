//! What the proxy is to break.

use std::time::Duration;

use super::Exchange;

/// Breaks some requests in one way.
#[derive(Clone, Debug)]
pub struct Rule {
    what: What,
    after: Option<(What, usize)>,
    fault: Fault,
    left: usize,
}

/// Which requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// For the part of this number.
    Part(u32),
    /// For any part.
    AnyPart,
    /// That call this function of a team API.
    Function(&'static str),
    /// With a body, to a path that begins so.
    Sent(&'static str),
    /// Without a body, for a path that begins so.
    Asked(&'static str),
    /// That carry the first byte of a whole.
    Start,
    /// That carry its last byte.
    End,
}

/// How a request is broken.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Takes the whole request, forwards nothing, and answers this.
    Answer {
        /// HTTP status.
        status: u16,
        /// Of the answer, besides its length.
        headers: Vec<(&'static str, String)>,
        /// Of the answer.
        body: String,
    },
    /// Forwards so much of the body and cuts both connections.
    Cut {
        /// Bytes of the body.
        after: u64,
        /// By a reset instead of an orderly end.
        reset: bool,
    },
    /// Forwards so much of the body, then reads no more.
    Stall {
        /// Bytes of the body.
        after: u64,
        /// For so long; then it cuts.
        lasting: Duration,
    },
    /// Forwards all, takes the answer, and cuts instead of passing it on.
    SwallowAnswer,
    /// Keeps the answer, or the request itself, for a minute: time to kill who waits for it.
    Hold {
        /// Whether what was asked is done before.
        done: bool,
    },
    /// Forwards all, and passes on half of the answer's head before it cuts.
    HalfAnswer,
    /// Forwards all, passes on the answer's head and so much of its body, and cuts.
    CutAnswer {
        /// Bytes of the answer's body.
        after: u64,
    },
    /// Forwards all, and passes on the answer's body no faster than this.
    SlowAnswer {
        /// Of the answer's body.
        bytes_per_second: u64,
    },
    /// Forwards all, but changes one bit of this byte of the answer's body.
    FlipAnswer {
        /// Offset in the answer's body.
        at: u64,
    },
    /// Forwards all but changes one bit of this byte of the body.
    Flip {
        /// Offset in the body.
        at: u64,
    },
}

impl Rule {
    /// Breaks the next `times` requests of this kind.
    #[must_use]
    pub fn new(what: What, times: usize, fault: Fault) -> Self {
        Self { what, after: None, fault, left: times }
    }

    /// Breaks none before so many of these have come.
    #[must_use]
    pub fn after(self, what: What, times: usize) -> Self {
        Self { after: Some((what, times)), ..self }
    }

    /// Breaks the next request for a part.
    #[must_use]
    pub fn part(number: u32, fault: Fault) -> Self {
        Self::new(What::Part(number), 1, fault)
    }

    /// Which requests it breaks.
    #[must_use]
    pub fn what(&self) -> &What {
        &self.what
    }

    /// How often it still applies.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    pub(super) fn apply(&mut self, exchange: &Exchange, seen: &[Exchange]) -> Option<Fault> {
        let too_early = |(what, times): &(What, usize)| {
            seen.iter().filter(|before| what.fits(before)).count() < *times
        };
        if self.left == 0 || !self.what.fits(exchange) || self.after.as_ref().is_some_and(too_early)
        {
            return None;
        }
        self.left -= 1;
        Some(self.fault.clone())
    }
}

impl What {
    /// Whether a request is one of these.
    #[must_use]
    pub fn fits(&self, exchange: &Exchange) -> bool {
        let path = exchange.asked.split(' ').nth(1).unwrap_or_default();
        match self {
            Self::Part(number) => exchange.part == Some(*number),
            Self::AnyPart => exchange.part.is_some(),
            Self::Function(name) => exchange.function.as_deref() == Some(*name),
            Self::Sent(start) => exchange.has_body && path.starts_with(start),
            Self::Asked(start) => !exchange.has_body && path.starts_with(start),
            Self::Start => exchange.bytes.is_some_and(|(first, _)| first == 0),
            Self::End => exchange
                .bytes
                .map(|(_, last)| last + 1)
                .is_some_and(|end| exchange.whole == Some(end)),
        }
    }
}

impl Fault {
    /// An S3 that has a fault of its own.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::s3(500, "InternalError", "We encountered an internal error. Please try again.")
    }

    /// An S3 that asks for patience.
    #[must_use]
    pub fn slow_down(seconds: u64) -> Self {
        match Self::s3(503, "SlowDown", "Please reduce your request rate.") {
            Self::Answer { status, mut headers, body } => {
                headers.push(("retry-after", seconds.to_string()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }

    /// An S3 to which a presigned address is too old.
    #[must_use]
    pub fn expired() -> Self {
        Self::s3(403, "AccessDenied", "Request has expired")
    }

    /// An S3 whose clock is another one.
    #[must_use]
    pub fn skewed() -> Self {
        let words = "The difference between the request time and the current time is too large.";
        Self::s3(403, "RequestTimeTooSkewed", words)
    }

    /// A status and little else, with seconds to wait where it has some.
    #[must_use]
    pub fn status(status: u16, wait: Option<u64>) -> Self {
        let headers = wait.map(|seconds| ("retry-after", seconds.to_string()));
        Self::Answer { status, headers: headers.into_iter().collect(), body: "no".into() }
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "application/json".into())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// A hotel's network that wants a room number first.
    #[must_use]
    pub fn captive_portal() -> Self {
        Self::Answer {
            status: 200,
            headers: vec![("content-type", "text/html".into())],
            body: "<!doctype html><title>Welcome</title><form>Room number</form>".into(),
        }
    }

    fn s3(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
        );
        Self::Answer { status, headers: vec![("content-type", "application/xml".into())], body }
    }
}
