//! Who the client is, where proxies stand between.
//!
//! Only a trusted proxy is believed, and of what it hands on, the rightmost address that is no
//! trusted proxy itself: everything left of that was written by the client.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;

use crate::config::Network;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address for a request that came from `peer`.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, network: &Network) -> IpAddr {
    let mut known = peer.to_canonical();
    if !network.trusts(known) {
        return known;
    }
    let lists = |name: &str, hop: fn(&str) -> Option<IpAddr>| -> Vec<Option<IpAddr>> {
        let lines = headers.get_all(name).into_iter();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
        hops.map(|text| hop(text.trim())).collect()
    };
    // One of the two: a proxy writes its own and may hand on the client's other.
    let hops = if headers.contains_key(X_FORWARDED_FOR) {
        lists(X_FORWARDED_FOR, hop)
    } else {
        lists(FORWARDED.as_str(), forwarded)
    };
    for hop in hops.into_iter().rev() {
        // What cannot be read ends what can be believed.
        let Some(hop) = hop else { break };
        known = hop.to_canonical();
        if !network.trusts(known) {
            break;
        }
    }
    known
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn hop(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// One element of <https://www.rfc-editor.org/rfc/rfc7239>.
fn forwarded(text: &str) -> Option<IpAddr> {
    let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, address) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    hop(address.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let network = Network {
            trusted_proxies: ["127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"]
                .map(|network| network.parse().expect("a network"))
                .into(),
            ..Network::default()
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        address(peer.parse().expect("an address"), &map, &network).to_string()
    }

    #[test]
    fn a_stranger_says_what_he_likes() {
        assert_eq!(of("192.0.2.1", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.1");
        assert_eq!(of("192.0.2.1", &[("forwarded", "for=198.51.100.1")]), "192.0.2.1");
    }

    #[test]
    fn the_rightmost_hop_that_is_no_proxy_is_the_client() {
        let xff = |value| of("127.0.0.1", &[("x-forwarded-for", value)]);
        assert_eq!(xff("192.0.2.7"), "192.0.2.7");
        assert_eq!(
            xff("198.51.100.1, 192.0.2.7, 10.1.2.3"),
            "192.0.2.7",
            "the left is the client's own word"
        );
        assert_eq!(xff("10.9.9.9, 10.1.2.3"), "10.9.9.9", "all are proxies: the farthest");
        assert_eq!(
            xff("192.0.2.7, nonsense, 10.1.2.3"),
            "10.1.2.3",
            "nothing beyond what cannot be read"
        );
        assert_eq!(xff("192.0.2.7:5000"), "192.0.2.7");
        assert_eq!(of("127.0.0.1", &[]), "127.0.0.1");
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(of("::ffff:127.0.0.1", &lines), "192.0.2.7");
    }

    #[test]
    fn the_standard_header_counts_where_the_usual_one_is_absent() {
        let value = "for=198.51.100.1;proto=https, For=\"[2001:db8:cafe::17]:4711\";by=10.0.0.1";
        assert_eq!(of("10.0.0.1", &[("forwarded", value)]), "2001:db8:cafe::17");
        let both = [("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(of("10.0.0.1", &both), "192.0.2.7");
    }
}
