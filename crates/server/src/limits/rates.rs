//! Rates by key and address, in bounded memory.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config::Network;

/// Callers remembered in each table, about 100 bytes each; those beyond share one rate.
const MOST: usize = 50_000;
/// Seconds of a rate that may come at once.
const BURST: u32 = 10;

/// How long to wait, at least.
pub(super) type Wait = Duration;

/// Who has taken how much lately.
pub(super) struct Rates {
    keys: Option<Rate<u64>>,
    addresses: Option<Rate<IpAddr>>,
    failures: Option<Failures>,
    /// Makes small keys of credentials; nobody outside can aim at a collision.
    hasher: RandomState,
}

impl Rates {
    pub(super) fn new(network: &Network) -> Self {
        let per_second = |calls| NonZeroU32::new(calls).map(Quota::per_second);
        let burst = |quota: Quota| {
            let calls = quota.burst_size();
            quota.allow_burst(calls.saturating_mul(NonZeroU32::MIN.saturating_add(BURST - 1)))
        };
        Self {
            keys: per_second(network.calls_per_second).map(burst).map(Rate::new),
            addresses: per_second(network.address_calls_per_second).map(burst).map(Rate::new),
            failures: NonZeroU32::new(network.failures_per_minute).map(|failures| Failures {
                rate: Rate::new(Quota::per_minute(failures)),
                known: Mutex::default(),
            }),
            hasher: RandomState::new(),
        }
    }

    /// Lets a call in, or says how long its caller has to wait.
    pub(super) fn admit(&self, address: IpAddr, credentials: Option<&[u8]>) -> Result<(), Wait> {
        let key = credentials.map(|credentials| self.hasher.hash_one(credentials));
        if let (Some(failures), Some(key)) = (&self.failures, key) {
            failures.admit(address, key)?;
        }
        if let Some(addresses) = &self.addresses {
            addresses.take(&address)?;
        }
        match (&self.keys, key) {
            (Some(keys), Some(key)) => keys.take(&key),
            _ => Ok(()),
        }
    }

    /// Tells of credentials that were wrong.
    pub(super) fn wrong(&self, address: IpAddr) {
        if let Some(failures) = &self.failures {
            failures.note(address);
        }
    }

    /// Tells of credentials that were good: they stay welcome where others from there are not.
    pub(super) fn good(&self, credentials: &[u8]) {
        if let Some(failures) = &self.failures {
            let mut known = failures.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.good.len() >= MOST {
                known.good.clear();
            }
            known.good.insert(self.hasher.hash_one(credentials));
        }
    }
}

/// One rate for each key.
struct Rate<K: Clone + Hash + Eq> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    /// For those that find no place.
    others: RateLimiter<(), HashMapStateStore<()>, DefaultClock>,
    clock: DefaultClock,
    swept: Mutex<Option<Instant>>,
}

impl<K: Clone + Hash + Eq> Rate<K> {
    fn new(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::hashmap(quota),
            others: RateLimiter::hashmap(quota),
            clock: DefaultClock::default(),
            swept: Mutex::default(),
        }
    }

    fn take(&self, key: &K) -> Result<(), Wait> {
        self.sweep();
        let taken = if self.limiter.len() < MOST {
            self.limiter.check_key(key)
        } else {
            self.others.check_key(&())
        };
        taken.map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Every minute, forgets who has not come for so long that it makes no difference.
    fn sweep(&self) {
        const ROUND: Duration = Duration::from_secs(60);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if swept.is_none_or(|last| now.duration_since(last) >= ROUND) {
            *swept = Some(now);
            drop(swept);
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

/// Addresses that brought wrong credentials.
struct Failures {
    rate: Rate<IpAddr>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Those that have brought too many, and until when they wait.
    turned_away: HashMap<IpAddr, Instant>,
    good: HashSet<u64>,
}

impl Failures {
    /// A colleague with a good key, behind the same address, is let in all the same.
    fn admit(&self, address: IpAddr, key: u64) -> Result<(), Wait> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = known.turned_away.get(&address).copied() else { return Ok(()) };
        let wait = until.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            known.turned_away.remove(&address);
            return Ok(());
        }
        if known.good.contains(&key) { Ok(()) } else { Err(wait) }
    }

    fn note(&self, address: IpAddr) {
        let Err(wait) = self.rate.take(&address) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if known.turned_away.len() >= MOST {
            known.turned_away.retain(|_, until| *until > now);
        }
        if known.turned_away.len() < MOST {
            known.turned_away.insert(address, now + wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_key_has_its_rate_and_says_how_long_to_wait() {
        let network = Network { calls_per_second: 2, ..Network::private() };
        let rates = Rates::new(&network);
        for call in 0..20 {
            assert_eq!(rates.admit(address(1), Some(b"a")), Ok(()), "call {call} of the burst");
        }
        let wait = rates.admit(address(1), Some(b"a")).expect_err("the burst is over");
        assert!(wait <= Duration::from_millis(500), "{wait:?}");
        assert_eq!(rates.admit(address(1), Some(b"b")), Ok(()), "another key");
        assert_eq!(
            rates.admit(address(1), None),
            Ok(()),
            "no key, and addresses have no rate here"
        );
    }

    #[test]
    fn an_address_with_wrong_keys_waits_and_its_neighbour_with_a_good_one_does_not() {
        let network = Network { failures_per_minute: 3, ..Network::private() };
        let rates = Rates::new(&network);
        rates.good(b"good");
        for _ in 0..3 {
            assert_eq!(rates.admit(address(1), Some(b"guess")), Ok(()));
            rates.wrong(address(1));
        }
        assert_eq!(rates.admit(address(1), Some(b"guess")), Ok(()), "the limit itself is allowed");
        rates.wrong(address(1));
        let wait = rates.admit(address(1), Some(b"guess")).expect_err("too many");
        assert!(wait > Duration::from_secs(1) && wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(rates.admit(address(1), Some(b"good")), Ok(()));
        assert_eq!(rates.admit(address(1), None), Ok(()), "who brings nothing guesses nothing");
        assert_eq!(rates.admit(address(2), Some(b"guess")), Ok(()), "another address");
    }

    #[test]
    fn a_flood_of_addresses_finds_the_table_full_and_shares_one_rate() {
        let network = Network { address_calls_per_second: 1, ..Network::private() };
        let rates = Rates::new(&network);
        let many = |number: u32| IpAddr::from(std::net::Ipv4Addr::from(number));
        let refused = (0..60_000_u32).filter(|n| rates.admit(many(*n), None).is_err()).count();
        let rate = rates.addresses.as_ref().expect("it is on");
        assert!(rate.limiter.len() <= MOST, "{}", rate.limiter.len());
        assert!(refused > 9_000, "those beyond share one rate: {refused}");
    }
}
