//! What one caller may take: rates by key and address, sizes and times of requests.
//!
//! Stands before every route of a listener. Must not know: what a route does.

mod body;
mod client;
mod gate;
mod rates;

use std::net::{IpAddr, Ipv6Addr};

pub(crate) use self::gate::{Gate, for_storage, for_team};

/// What is counted as one address: an IPv4 address, or the /64 that a household of IPv6 has.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
