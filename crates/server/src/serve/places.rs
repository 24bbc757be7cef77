//! How many connections each address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Network;
use crate::limits::household;

/// Open connections by address; an address with none is not in it.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// A place for one more; `Some(None)` where they are not counted, because the peer is a proxy
    /// with many clients; `None` where the address has all it may have.
    #[expect(clippy::option_option, reason = "not counted and turned away are two things")]
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr, network: &Network) -> Option<Option<Place>> {
        if network.trusts(peer) {
            return Some(None);
        }
        let address = household(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= network.connections_per_address {
            return None;
        }
        *count += 1;
        Some(Some(Place { places: Arc::clone(self), address }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_places_and_gets_them_back() {
        let network = Network { connections_per_address: 2, ..Network::default() };
        let places = Arc::new(Places::default());
        let one = IpAddr::from([192, 0, 2, 1]);
        let first = places.take(one, &network).expect("a place");
        let _second = places.take(one, &network).expect("another");
        assert!(places.take(one, &network).is_none(), "two are all");
        assert!(places.take([192, 0, 2, 2].into(), &network).is_some(), "others have their own");
        drop(first);
        assert!(places.take(one, &network).is_some(), "given back");
        let proxy = IpAddr::from([127, 0, 0, 1]);
        let many: Vec<_> = (0..9).map(|_| places.take(proxy, &network)).collect();
        assert!(many.iter().all(|place| matches!(place, Some(None))), "a proxy is not counted");
    }
}
