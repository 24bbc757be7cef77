//! The addresses listened on: as told, or the last ones, or the usual ones.
//!
//! They are remembered so that addresses given out before a restart still lead here.

use std::io;
use std::net::SocketAddr;

use dailies_database::{Database, DatabaseError};
use tokio::net::TcpListener;

use crate::config::{Config, StorageSource};
use crate::db::settings::{self, Setting};

/// Where a server listens that was never told where.
const USUAL: SocketAddr =
    SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 7420));

/// Why nothing can be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port.
    #[error("{0} is in use by another program; choose another address with {1}")]
    Busy(SocketAddr, &'static str),
    /// The system refused for another reason.
    #[error("{0} cannot be listened on")]
    Io(SocketAddr, #[source] io::Error),
    /// The last address could not be read or noted.
    #[error("the team's database cannot be used")]
    Database(#[from] DatabaseError),
}

/// A bound socket and where it is.
pub(crate) struct Bound {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// What the server listens on.
pub(crate) struct Listeners {
    pub(crate) api: Bound,
    /// Where the embedded storage is used.
    pub(crate) s3: Option<Bound>,
    /// The same two in the clear, for the server's own parts, where those are by TLS: a
    /// certificate names no port of this computer.
    pub(crate) near: Option<Near>,
    /// For metrics alone.
    pub(crate) metrics: Option<Bound>,
}

/// Listeners that only this computer reaches.
pub(crate) struct Near {
    pub(crate) api: Bound,
    pub(crate) s3: Option<Bound>,
}

/// Binds both, and remembers where.
pub(crate) async fn bind(config: &Config, database: &Database) -> Result<Listeners, ListenError> {
    let (last, last_s3) = database
        .read::<_, DatabaseError, _>(|connection| {
            let address = |setting| {
                let text = settings::get(connection, setting)?;
                Ok::<_, DatabaseError>(text.and_then(|text| text.parse::<SocketAddr>().ok()))
            };
            Ok((address(Setting::Listen)?, address(Setting::S3Listen)?))
        })
        .await?;
    let wanted = config.listen.or(last).unwrap_or(USUAL);
    let api = listen(wanted, "--listen").await?;
    let s3 = match config.storage {
        StorageSource::S3(_) => None,
        StorageSource::Embedded { .. } => {
            let beside = || beside(wanted, api.address, last_s3);
            Some(listen(config.s3_listen.unwrap_or_else(beside), "--s3-listen").await?)
        }
    };
    let near = match config.tls {
        None => None,
        Some(_) => {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let s3 = match s3 {
                Some(_) => Some(listen(any, "--s3-listen").await?),
                None => None,
            };
            Some(Near { api: listen(any, "--listen").await?, s3 })
        }
    };
    let metrics = match config.metrics.listen {
        Some(address) => Some(listen(address, "DAILIES_METRICS_LISTEN").await?),
        None => None,
    };
    let (api_address, s3_address) = (api.address, s3.as_ref().map(|s3| s3.address));
    database
        .write::<_, DatabaseError, _>(move |connection| {
            settings::set(connection, Setting::Listen, &api_address.to_string())?;
            match s3_address {
                Some(address) => settings::set(connection, Setting::S3Listen, &address.to_string()),
                None => Ok(()),
            }
        })
        .await?;
    Ok(Listeners { api, s3, near, metrics })
}

/// The S3 endpoint's address where none was told: free where the API's is, else the last port,
/// else the next.
fn beside(wanted: SocketAddr, api: SocketAddr, last: Option<SocketAddr>) -> SocketAddr {
    let port = match last {
        _ if wanted.port() == 0 => 0,
        Some(last) if last.port() != api.port() => last.port(),
        _ => api.port().checked_add(1).unwrap_or(0),
    };
    SocketAddr::new(wanted.ip(), port)
}

async fn listen(address: SocketAddr, option: &'static str) -> Result<Bound, ListenError> {
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::Busy(address, option),
        _ => ListenError::Io(address, error),
    })?;
    let address = listener.local_addr().map_err(|error| ListenError::Io(address, error))?;
    Ok(Bound { listener, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_s3_endpoint_is_beside_the_api() {
        assert_eq!(beside(at(7420), at(7420), None), at(7421));
        assert_eq!(beside(at(7420), at(7420), Some(at(9000))), at(9000));
        assert_eq!(beside(at(9000), at(9000), Some(at(9000))), at(9001));
        assert_eq!(beside(at(0), at(40000), Some(at(9000))), at(0));
    }
}
