//! What connections and callers may take.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// Limits on who is at the other end.
#[derive(Clone, Debug)]
pub struct Network {
    /// Whose word on the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Calls of one key in a second; 0: any number.
    pub calls_per_second: u32,
    /// Calls from one address in a second; 0: any number.
    pub address_calls_per_second: u32,
    /// Calls from one address with credentials that are wrong, in a minute; 0: any number.
    pub failures_per_minute: u32,
    /// Connections to one listener.
    pub connections: usize,
    /// Connections from one address that is no trusted proxy.
    pub connections_per_address: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout: Duration,
    /// From the end of an answer to the next request.
    pub idle_timeout: Duration,
    /// In which a body must bring a little.
    pub stall_timeout: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            trusted_proxies: vec![
                IpNet::new_assert([127, 0, 0, 0].into(), 8),
                IpNet::new_assert(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), 128),
            ],
            calls_per_second: 300,
            address_calls_per_second: 600,
            failures_per_minute: 30,
            connections: 1024,
            connections_per_address: 256,
            header_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl Network {
    /// For a server that only its own user reaches: whoever floods it floods himself.
    #[must_use]
    pub fn private() -> Self {
        Self {
            calls_per_second: 0,
            address_calls_per_second: 0,
            failures_per_minute: 0,
            ..Self::default()
        }
    }

    /// Whether what this peer says of its client counts.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}
