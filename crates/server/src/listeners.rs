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

/// What is remembered, in the order of the team API, the S3 endpoint, and both again near by.
const REMEMBERED: [Setting; 4] =
    [Setting::Listen, Setting::S3Listen, Setting::NearListen, Setting::NearS3Listen];

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
    let [last, last_s3, last_near, last_near_s3] = database
        .read::<_, DatabaseError, _>(|connection| {
            let mut last = [None; REMEMBERED.len()];
            for (address, setting) in last.iter_mut().zip(REMEMBERED) {
                let text = settings::get(connection, setting)?;
                *address = text.and_then(|text| text.parse::<SocketAddr>().ok());
            }
            Ok(last)
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
            let s3 = match s3 {
                Some(_) => Some(near_by(last_near_s3).await?),
                None => None,
            };
            Some(Near { api: near_by(last_near).await?, s3 })
        }
    };
    let metrics = match config.metrics.listen {
        Some(address) => Some(listen(address, "DAILIES_METRICS_LISTEN").await?),
        None => None,
    };
    let address = |bound: &Bound| bound.address;
    let now = [
        Some(api.address),
        s3.as_ref().map(address),
        near.as_ref().map(|near| near.api.address),
        near.as_ref().and_then(|near| near.s3.as_ref()).map(address),
    ];
    database
        .write::<_, DatabaseError, _>(move |connection| {
            for (address, setting) in now.into_iter().zip(REMEMBERED) {
                if let Some(address) = address {
                    settings::set(connection, setting, &address.to_string())?;
                }
            }
            Ok(())
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

/// Where the server's parts met before, because jobs that wait name it; else anywhere here.
async fn near_by(last: Option<SocketAddr>) -> Result<Bound, ListenError> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    match last {
        Some(last) => match listen(last, "--listen").await {
            Err(ListenError::Busy(..)) => listen(any, "--listen").await,
            bound => bound,
        },
        None => listen(any, "--listen").await,
    }
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
