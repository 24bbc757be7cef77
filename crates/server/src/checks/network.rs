//! Addresses: whether they can be listened on, and whether others will find them.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::Report;
use crate::config::{Config, Network, StorageSource};
use crate::data_folder;

/// For a name to be looked up, or an address to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every address that was said. Those that were not are found at the start.
pub(super) fn ports(config: &Config) -> Report {
    const NAME: &str = "ports";
    let s3 = config.s3_listen.filter(|_| matches!(config.storage, StorageSource::Embedded { .. }));
    let said = [config.listen, s3, config.metrics.listen];
    let said: Vec<SocketAddr> = said.into_iter().flatten().collect();
    let free = |address: &SocketAddr| TcpListener::bind(address).map(drop);
    for (index, address) in said.iter().enumerate() {
        if address.port() != 0 && said[..index].contains(address) {
            return Report::failed(NAME, format!("{address} is said twice: one port each"));
        }
        match free(address) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return if data_folder::is_in_use(&config.data) {
                    Report::ok(NAME, format!("{address} is used, and a server runs on this folder"))
                } else {
                    let message = format!("{address} is used by another program: choose another");
                    Report::failed(NAME, message)
                };
            }
            Err(error) => {
                let message = format!("{address} cannot be listened on ({error}): choose another");
                return Report::failed(NAME, message);
            }
        }
    }
    match said.len() {
        0 => Report::ok(NAME, "none was said: the last ones are used, or the usual ones"),
        _ => Report::ok(NAME, "they are free"),
    }
}

/// Best effort: from inside, a name may lead elsewhere than from outside.
pub(super) async fn public_url(config: &Config) -> Report {
    const NAME: &str = "public_url";
    let Some(url) = &config.public_url else {
        return match config.listen {
            Some(address) if !address.ip().is_loopback() => Report::warning(
                NAME,
                "server.public_url is not set: addresses that are given out name what is listened on",
            ),
            _ => Report::ok(NAME, "not set: the server is for this computer"),
        };
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let found = tokio::net::lookup_host((host.as_str(), port));
    let found = match tokio::time::timeout(PATIENCE, found).await {
        Ok(Ok(mut found)) => found.next().is_some(),
        _ => false,
    };
    if !found {
        return Report::warning(NAME, format!("{host} is found by no name server"));
    }
    if !data_folder::is_in_use(&config.data) {
        return Report::ok(
            NAME,
            format!("{host} is found; no server runs here that it could lead to"),
        );
    }
    match answers(url.join("health").ok()).await {
        Ok(()) => Report::ok(NAME, format!("{url} answers")),
        Err(why) => {
            Report::warning(NAME, format!("{url} does not lead here ({why}): see to the proxy"))
        }
    }
}

async fn answers(url: Option<url::Url>) -> Result<(), String> {
    let url = url.ok_or("no address")?;
    let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|e| e.to_string())?;
    let answer = client.get(url).send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
}

pub(super) fn proxies(config: &Config) -> Report {
    const NAME: &str = "proxies";
    let outside = config.listen.is_some_and(|address| !address.ip().is_loopback());
    let usual = config.network.trusted_proxies == Network::default().trusted_proxies;
    if config.public_url.is_some() && config.tls.is_none() && outside && usual {
        return Report::warning(
            NAME,
            "if a proxy on another computer stands before this server, name it in \
             server.trusted_proxies: without that all its clients count as one",
        );
    }
    Report::ok(NAME, format!("{} are believed", list(&config.network)))
}

fn list(network: &Network) -> String {
    let texts: Vec<String> = network.trusted_proxies.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}
