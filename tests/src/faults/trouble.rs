//! What can befall an upload, by the lines of the fault catalogue.

use std::time::Duration;

use crate::proxy::Fault;

use super::wire::{Step, Wire};

/// One line of the catalogue, or one of the ways in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens, for a second.
    Down,
    /// The connection is reset in the middle of a request.
    Reset,
    /// The connection ends in the middle of a request.
    Closed,
    /// A request is read to its middle, and then no more of it.
    Stalled,
    /// All is done, and the answer never arrives.
    Swallowed,
    /// The answer breaks off.
    HalfAnswer,
    /// A hotel's page in the place of the answer.
    Portal,
    /// Sent on to a hotel's page.
    Redirected,
    /// An answer that makes no sense.
    Nonsense,
    /// An answer that is longer than any that makes sense.
    Endless,
    /// 429, with a time to wait.
    TooMany,
    /// 503, with a time to wait.
    SlowDown,
    /// 500.
    Internal,
    /// 502, by something in between.
    BadGateway,
    /// 504, by something in between.
    GatewayTimeout,
    /// The presigned address is too old.
    Expired,
    /// The storage's clock is another one.
    Skewed,
    /// One bit is another on arrival.
    Flipped,
    /// The uploader is killed, and started again.
    Killed,
    /// It is killed again as soon as it has asked where it stands.
    KilledTwice,
    /// The computer sleeps for three seconds.
    Asleep,
    /// The server is killed, and comes back.
    ServerKilled,
    /// The file gets a new time and keeps its bytes.
    Touched,
    /// The file's disk is unplugged for two seconds.
    Unplugged,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Down,
        Self::Reset,
        Self::Closed,
        Self::Stalled,
        Self::Swallowed,
        Self::HalfAnswer,
        Self::Portal,
        Self::Redirected,
        Self::Nonsense,
        Self::Endless,
        Self::TooMany,
        Self::SlowDown,
        Self::Internal,
        Self::BadGateway,
        Self::GatewayTimeout,
        Self::Expired,
        Self::Skewed,
        Self::Flipped,
        Self::Killed,
        Self::KilledTwice,
        Self::Asleep,
        Self::ServerKilled,
        Self::Touched,
        Self::Unplugged,
    ];

    /// Its line in the catalogue.
    #[must_use]
    pub fn line(self) -> &'static str {
        match self {
            Self::Killed | Self::KilledTwice | Self::ServerKilled => "P1",
            Self::Asleep => "P3",
            Self::Skewed => "P4",
            Self::Down => "N1",
            Self::Stalled => "N3",
            Self::Portal | Self::Redirected => "N4",
            Self::Reset | Self::Closed | Self::HalfAnswer => "N8",
            Self::Swallowed => "N9",
            Self::Expired => "S1",
            Self::TooMany | Self::SlowDown => "S4",
            Self::Internal | Self::BadGateway | Self::GatewayTimeout => "S5",
            Self::Flipped => "S10",
            Self::Nonsense | Self::Endless => "S15",
            Self::Touched => "F2",
            Self::Unplugged => "F6",
        }
    }

    /// Whether it can happen there.
    #[must_use]
    pub fn happens_at(self, wire: Wire, step: Step) -> bool {
        match self {
            Self::Expired | Self::Skewed => step.carries_payload() && wire.has_addresses(),
            // Elsewhere nobody could notice.
            Self::Flipped => step.carries_payload() && wire.has_checksums(),
            // What carries a file's bytes is answered by its status and its ETag.
            Self::Nonsense | Self::Endless => !step.carries_payload(),
            // Nobody reads a file that has gone up.
            Self::Touched | Self::Unplugged => step < Step::Finish,
            _ => true,
        }
    }

    /// What the proxy is to do, where it can. `payload` says how long the request's body is.
    pub(super) fn by_proxy(self, payload: u64, luck: &mut fastrand::Rng) -> Option<Fault> {
        let within = |luck: &mut fastrand::Rng| luck.u64(0..=payload);
        Some(match self {
            Self::Reset => Fault::Cut { after: within(luck), reset: true },
            Self::Closed => Fault::Cut { after: within(luck), reset: false },
            Self::Stalled => Fault::Stall { after: within(luck), lasting: Duration::from_secs(60) },
            Self::Swallowed => Fault::SwallowAnswer,
            Self::HalfAnswer => Fault::HalfAnswer,
            Self::Portal => Fault::captive_portal(),
            Self::Redirected => Fault::Answer {
                status: 302,
                headers: vec![("location", "http://127.0.0.1:9/login".into())],
                body: String::new(),
            },
            Self::Nonsense => Fault::json(200, "{\"status\":\"succ"),
            Self::Endless => Fault::json(200, &"[".repeat(20 << 20)),
            Self::TooMany => Fault::status(429, Some(1)),
            Self::SlowDown => Fault::slow_down(1),
            Self::Internal => Fault::internal_error(),
            Self::BadGateway => Fault::status(502, None),
            Self::GatewayTimeout => Fault::status(504, None),
            Self::Expired => Fault::expired(),
            Self::Skewed => Fault::skewed(),
            Self::Flipped => Fault::Flip { at: luck.u64(0..payload.max(1)) },
            Self::Down
            | Self::Killed
            | Self::KilledTwice
            | Self::Asleep
            | Self::ServerKilled
            | Self::Touched
            | Self::Unplugged => return None,
        })
    }
}
