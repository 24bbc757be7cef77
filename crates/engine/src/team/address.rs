//! A team server's address as people write it.

use std::net::IpAddr;

use url::{Host, Url};

use crate::error::{Code, EngineError};

/// Endings of names that no public server has; RFC 6762, RFC 8375 and ICANN's reserved `.internal`.
const PRIVATE_NAMES: [&str; 4] = [".localhost", ".local", ".home.arpa", ".internal"];

/// A team server's address as somebody wrote it.
///
/// # Errors
/// [`Code::NotATeamServer`] for what is no web address, and for one over which the key would go
/// readable through other people's networks.
pub fn team_server(text: &str) -> Result<Url, EngineError> {
    let refused = |words: &str| EngineError::new(Code::NotATeamServer, words);
    let mut url = Url::parse(text.trim()).map_err(|_| refused("this is no address of a server"))?;
    let private = match url.host() {
        Some(host) => is_private(&host),
        None => return Err(refused("this address names no server")),
    };
    match url.scheme() {
        "https" => {}
        "http" if private => {}
        "http" => return Err(refused("outside of your own network the address must be https://")),
        _ => return Err(refused("the address must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("the address must not contain a name or a password"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(base(url))
}

/// The address that everything of a server lies below: it ends with a slash.
#[must_use]
pub fn base(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || PRIVATE_NAMES.iter().any(|ending| name.ends_with(ending))
        }
        Host::Ipv4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Host::Ipv6(ip) => match IpAddr::V6(*ip).to_canonical() {
            IpAddr::V4(ip) => is_private(&Host::Ipv4(ip)),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_never_goes_readable_through_other_networks() {
        for good in [
            "https://team.example",
            "http://localhost:7420",
            "http://127.0.0.1:7420/",
            "http://192.168.1.20:7420",
            "http://[fd00::1]:7420",
            "http://[::ffff:10.0.0.1]",
            "http://studio.local",
        ] {
            assert!(team_server(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "team.example",
            "http://team.example",
            "http://8.8.8.8",
            "http://[::ffff:8.8.8.8]",
            "http://localhost.example",
            "https://name:word@team.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert_eq!(team_server(bad).unwrap_err().code, Code::NotATeamServer, "{bad}");
        }
    }

    #[test]
    fn what_is_called_lies_below_the_whole_address() {
        let below =
            |url: &str| base(Url::parse(url).unwrap()).join("api/query").unwrap().to_string();
        assert_eq!(below("https://team.example"), "https://team.example/api/query");
        assert_eq!(below("https://team.example/a/b"), "https://team.example/a/b/api/query");
    }

    #[test]
    fn what_follows_the_path_is_dropped() {
        let url = team_server(" https://team.example/api?key=1#x ").unwrap();
        assert_eq!(url.as_str(), "https://team.example/api/");
    }
}
