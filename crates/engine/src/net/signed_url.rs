//! Addresses that open something to whoever knows them.

use std::fmt;

use url::{Host, Url};

/// A presigned address. Its `Debug` shows neither path nor query; it is never stored.
#[derive(Clone)]
pub struct SignedUrl(Url);

/// An address that this connection must not send bytes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    /// No address at all.
    #[error("no web address")]
    Malformed,
    /// Not encrypted, although the team server's own address is, or neither http nor https.
    #[error("not an encrypted address")]
    Insecure,
    /// A name or password in it.
    #[error("an address with credentials in it")]
    Credentials,
    /// On this computer or the local network, although the team server is not.
    #[error("an address of a private network")]
    Private,
}

impl SignedUrl {
    /// Takes an address from a team server's answer, if it may be trusted with bytes: a team server
    /// on the internet cannot send the app to unencrypted or private places.
    ///
    /// # Errors
    /// [`UrlRefusal`], which names no part of the address.
    pub fn from_answer(text: &str, team: &Url) -> Result<Self, UrlRefusal> {
        let url = Url::parse(text).map_err(|_| UrlRefusal::Malformed)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && team.scheme() == "http") {
            return Err(UrlRefusal::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefusal::Credentials);
        }
        if is_private(&url) && !is_private(team) {
            return Err(UrlRefusal::Private);
        }
        Ok(Self(url))
    }

    /// The address itself, for the request.
    pub(crate) fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({}://{}/…)", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

/// A number or name that leads nowhere on the internet. Names that resolve to such numbers are
/// not looked up here.
fn is_private(url: &Url) -> bool {
    match url.host() {
        None => true,
        Some(Host::Ipv4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.to_ipv4_mapped().is_some()
        }
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || !name.contains('.')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(url: &str, team: &str) -> Result<(), UrlRefusal> {
        SignedUrl::from_answer(url, &Url::parse(team).unwrap()).map(drop)
    }

    #[test]
    fn a_team_server_on_the_internet_sends_nobody_to_private_places() {
        let team = "https://team.example.com";
        assert_eq!(taken("https://b.s3.amazonaws.com/k?X-Amz-Signature=s", team), Ok(()));
        assert_eq!(taken("http://b.s3.amazonaws.com/k", team), Err(UrlRefusal::Insecure));
        assert_eq!(taken("file:///etc/passwd", team), Err(UrlRefusal::Insecure));
        assert_eq!(taken("https://a:b@s3.example.com/", team), Err(UrlRefusal::Credentials));
        for private in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "nas"] {
            let url = format!("https://{private}/k");
            assert_eq!(taken(&url, team), Err(UrlRefusal::Private), "{private}");
        }
        assert_eq!(taken("/k", team), Err(UrlRefusal::Malformed));
    }

    #[test]
    fn a_team_server_on_this_computer_may_use_this_computer() {
        assert_eq!(taken("http://127.0.0.1:9000/k", "http://127.0.0.1:7420"), Ok(()));
    }

    #[test]
    fn nothing_of_it_is_seen() {
        let team = Url::parse("https://team.example.com").unwrap();
        let url = SignedUrl::from_answer("https://s3.example.com/key?sig=secret", &team).unwrap();
        let seen = format!("{url:?}");
        assert!(!seen.contains("secret") && !seen.contains("key"), "{seen}");
    }
}
