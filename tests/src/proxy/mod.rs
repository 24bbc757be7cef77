//! An HTTP/1.1 proxy that breaks what passes through it, on order.
//!
//! It stands between an uploader and a storage, or a team API, and forwards requests unchanged,
//! `Host` included, so that signatures hold. What it does otherwise is in its script: see
//! [`Rule`]. Everything that passed is in its record: see [`Exchange`].

mod message;
mod record;
mod relay;
mod script;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

pub use record::{End, Exchange};
pub use script::{Fault, Rule, What};

/// Small, so that what a sender has got rid of is not far from what was received.
const RECEIVE_BUFFER: u32 = 256 << 10;

/// A running proxy; dropped, it cuts everything.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    /// Its port while it is down.
    kept: Mutex<Option<TcpSocket>>,
}

/// What every connection sees.
#[derive(Debug, Default)]
struct Shared {
    upstream: Mutex<Option<SocketAddr>>,
    rules: Mutex<Vec<Rule>>,
    exchanges: Mutex<Vec<Exchange>>,
    pace: Mutex<Option<Pace>>,
    passed: AtomicU64,
    news: Notify,
}

/// A token bucket without a bucket: when the next byte may pass.
#[derive(Debug)]
struct Pace {
    bytes_per_second: u64,
    next: Instant,
}

impl FaultProxy {
    /// Listens on a free port of this computer; leads nowhere yet.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn start() -> Result<Self> {
        let listener = listen(bind(SocketAddr::from(([127, 0, 0, 1], 0)))?)?;
        let address = listener.local_addr()?;
        let proxy = Self {
            address,
            shared: Arc::default(),
            accepting: Mutex::default(),
            kept: Mutex::default(),
        };
        proxy.accept(listener);
        Ok(proxy)
    }

    /// Its address, as a base for URLs.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says where requests go from now on.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *lock(&self.shared.upstream) = Some(upstream);
    }

    /// Adds rules. The first one that fits a request and is not used up decides.
    pub fn obey(&self, rules: impl IntoIterator<Item = Rule>) {
        lock(&self.shared.rules).extend(rules);
    }

    /// Forgets all rules.
    pub fn behave(&self) {
        lock(&self.shared.rules).clear();
    }

    /// Rules that have not been used up: a fault that never happened proves nothing.
    #[must_use]
    pub fn unused(&self) -> Vec<Rule> {
        lock(&self.shared.rules).iter().filter(|rule| rule.left() > 0).cloned().collect()
    }

    /// Lets bodies of requests pass no faster than this, all together.
    pub fn limit(&self, bytes_per_second: u64) {
        *lock(&self.shared.pace) = Some(Pace { bytes_per_second, next: Instant::now() });
    }

    /// Lets bodies pass as fast as they come.
    pub fn unlimit(&self) {
        *lock(&self.shared.pace) = None;
    }

    /// Bytes of requests' bodies that have come in, over all of them.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::Relaxed)
    }

    /// Cuts every connection and refuses new ones, as a storage that is down.
    pub async fn go_down(&self) {
        let accepting = lock(&self.accepting).take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // The port is free once the task has let go of it.
            let _ = accepting.await;
            // Nobody else gets it: who is bound and does not listen refuses connections.
            *lock(&self.kept) = bind(self.address).ok();
        }
    }

    /// Listens again where it did before [`Self::go_down`].
    ///
    /// # Errors
    /// Where somebody else has taken the port.
    pub fn come_up(&self) -> Result<()> {
        let kept = lock(&self.kept).take();
        let socket = kept.map_or_else(|| bind(self.address), Ok);
        let listener = socket.and_then(listen).context("the proxy's port is gone")?;
        self.accept(listener);
        Ok(())
    }

    /// Everything that passed or did not, in order of its beginning.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    /// Requests for one part.
    #[must_use]
    pub fn tries_of(&self, part: u32) -> Vec<Exchange> {
        let mut tries = self.exchanges();
        tries.retain(|exchange| exchange.part == Some(part));
        tries
    }

    /// Waits until what passed satisfies `enough`.
    ///
    /// # Errors
    /// Where it does not within `limit`.
    pub async fn until(&self, limit: Duration, enough: impl Fn(&[Exchange]) -> bool) -> Result<()> {
        let waiting = async {
            loop {
                let news = self.shared.news.notified();
                if enough(&lock(&self.shared.exchanges)) {
                    return;
                }
                news.await;
            }
        };
        if tokio::time::timeout(limit, waiting).await.is_err() {
            let seen = self.exchanges();
            let last = &seen[seen.len().saturating_sub(12)..];
            bail!("the requests did not come to it within {limit:?}; the last are {last:#?}");
        }
        Ok(())
    }

    /// Waits until nothing is under way, such as what a killed sender had handed to the system.
    ///
    /// # Errors
    /// Where something still is after `limit`.
    pub async fn quiet(&self, limit: Duration) -> Result<()> {
        self.until(limit, |seen| seen.iter().all(|exchange| exchange.end.is_some())).await
    }

    fn accept(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = connections.join_next() => {}
                    accepted = listener.accept() => {
                        let Ok((client, _)) = accepted else { continue };
                        connections.spawn(relay::serve(client, Arc::clone(&shared)));
                    }
                }
            }
        });
        *lock(&self.accepting) = Some(task);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(accepting) = lock(&self.accepting).take() {
            accepting.abort();
        }
    }
}

impl Shared {
    /// The fault for a request, if a rule has one; uses the rule up by one.
    fn fault_for(&self, exchange: &Exchange) -> Option<Fault> {
        let seen = lock(&self.exchanges);
        lock(&self.rules).iter_mut().find_map(|rule| rule.apply(exchange, &seen))
    }

    /// Waits until `bytes` more may pass.
    async fn pass(&self, bytes: u64) {
        self.passed.fetch_add(bytes, Ordering::Relaxed);
        let until = match &mut *lock(&self.pace) {
            None => return,
            Some(pace) => {
                let start = pace.next.max(Instant::now());
                pace.next =
                    start + Duration::from_micros(bytes * 1_000_000 / pace.bytes_per_second);
                start
            }
        };
        tokio::time::sleep_until(until).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bind(address: SocketAddr) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(socket: TcpSocket) -> Result<TcpListener> {
    Ok(socket.listen(128)?)
}
