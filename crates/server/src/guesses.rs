//! Addresses that send wrong passwords wait, longer at each.
//!
//! Beside the lock-out of a link, which stops guessing one link's password, this slows whoever tries
//! many links. In memory only: a restart forgives.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords before an address waits.
const FREE: u32 = 10;
/// The first wait; doubled at each wrong password that follows, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(15);
/// Addresses remembered.
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<IpAddr, Guesser>>);

#[derive(Clone, Copy)]
struct Guesser {
    wrong: u32,
    until: Instant,
}

impl Guesses {
    /// How long this address has yet to wait.
    pub(crate) fn wait(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let network = network(address?)?;
        let guessers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guessers.get(&network)?.until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong password. A right one takes nothing back: it may be the guesser's own link's.
    pub(crate) fn wrong(&self, address: Option<IpAddr>, now: Instant) {
        let Some(network) = address.and_then(network) else { return };
        let mut guessers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guessers.len() >= MOST && !guessers.contains_key(&network) {
            forget(&mut guessers, now);
        }
        let guesser = guessers.entry(network).or_insert(Guesser { wrong: 0, until: now });
        if now.saturating_duration_since(guesser.until) > LONGEST {
            guesser.wrong = 0;
        }
        guesser.wrong += 1;
        let wait = match guesser.wrong.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(doublings) => FIRST.saturating_mul(1 << doublings.min(20)).min(LONGEST),
        };
        guesser.until = now + wait;
    }
}

/// Makes room: of those who have waited long enough, or else of the one who is done first.
fn forget(guessers: &mut HashMap<IpAddr, Guesser>, now: Instant) {
    guessers.retain(|_, guesser| now.saturating_duration_since(guesser.until) <= LONGEST);
    if guessers.len() >= MOST
        && let Some(first) =
            guessers.iter().min_by_key(|(_, guesser)| guesser.until).map(|(address, _)| *address)
    {
        guessers.remove(&first);
    }
}

/// Whom an address stands for: of IPv6, a subscriber has at least a /64. `None` for this computer,
/// which is a proxy's address or its owner's own.
fn network(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    if address.is_loopback() {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_waits_longer_at_each_wrong_password() {
        let guesses = Guesses::default();
        let now = Instant::now();
        let guesser = address("192.0.2.1");
        for _ in 0..FREE {
            assert_eq!(guesses.wait(guesser, now), None);
            guesses.wrong(guesser, now);
        }
        assert_eq!(guesses.wait(guesser, now), None);
        for seconds in [2, 4, 8] {
            guesses.wrong(guesser, now);
            assert_eq!(guesses.wait(guesser, now), Some(Duration::from_secs(seconds)));
        }
        for _ in 0..40 {
            guesses.wrong(guesser, now);
        }
        assert_eq!(guesses.wait(guesser, now), Some(LONGEST));
        assert_eq!(guesses.wait(address("192.0.2.2"), now), None);
        let later = now + LONGEST;
        assert_eq!(guesses.wait(guesser, later), None);
        guesses.wrong(guesser, later + LONGEST + FIRST);
        assert_eq!(guesses.wait(guesser, later + LONGEST + FIRST), None, "forgiven");
    }

    #[test]
    fn a_network_is_one_and_this_computer_is_none() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for last in 0..=FREE {
            guesses.wrong(address(&format!("2001:db8::{last:x}")), now);
            guesses.wrong(address("127.0.0.1"), now);
            guesses.wrong(address("::ffff:127.0.0.1"), now);
            guesses.wrong(None, now);
        }
        assert!(guesses.wait(address("2001:db8::ffff"), now).is_some());
        assert_eq!(guesses.wait(address("2001:db8:0:1::1"), now), None);
        assert_eq!(guesses.wait(address("127.0.0.1"), now), None);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for number in 0..u32::try_from(MOST).expect("small") + 50 {
            guesses.wrong(Some(IpAddr::V4(number.into())), now);
        }
        assert_eq!(guesses.0.lock().expect("not poisoned").len(), MOST);
    }
}
