//! The two HTTP clients.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Times that tests shorten.
#[derive(Clone, Copy, Debug)]
pub struct NetOptions {
    /// To reach the other side at all.
    pub connect: Duration,
    /// For an answer of the team API.
    pub control: Duration,
    /// Without one more byte taken, a part's connection counts as stalled.
    pub stall: Duration,
    /// From a part's last byte to its answer. What the system has buffered goes out meanwhile, so
    /// this is longer on purpose.
    pub answer: Duration,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            control: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(300),
        }
    }
}

/// One client for payload and one for JSON: their pools and limits differ.
#[derive(Clone, Debug)]
pub struct Clients {
    /// For bytes. HTTP/1.1 only: one HTTP/2 connection carries uploads at less than half the speed.
    pub payload: reqwest::Client,
    /// For calls.
    pub control: reqwest::Client,
    /// The times in force.
    pub options: NetOptions,
}

impl Clients {
    /// Builds both.
    ///
    /// # Errors
    /// Where the system's certificates cannot be used.
    pub fn new(options: NetOptions) -> Result<Self, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("Dailies/", env!("CARGO_PKG_VERSION")))
                // No answer may send a key or a file's bytes to another place.
                .redirect(Policy::none())
                .connect_timeout(options.connect)
                .tcp_nodelay(true)
                .tcp_keepalive(Duration::from_secs(20))
        };
        let payload = builder()
            .http1_only()
            // Storages close idle connections after 5 s and more; one that is reused just then fails.
            .pool_idle_timeout(Duration::from_secs(4));
        // The system buffers up to half of a usual part, so what it still holds is its own to watch.
        #[cfg(target_os = "linux")]
        let payload = payload.tcp_user_timeout(options.stall);
        let payload = payload.build()?;
        let control = builder().timeout(options.control).build()?;
        Ok(Self { payload, control, options })
    }
}
