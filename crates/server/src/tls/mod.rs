//! TLS by a certificate pair, read again when its files change.
//!
//! Owns: the files, the handshake's settings. Must not know: what is served.

pub(crate) mod validity;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::TlsFiles;

/// How often the files are looked at. Certificates are renewed days before they end.
const ROUND: Duration = Duration::from_secs(30);

/// Why a certificate pair cannot be used. Never any of its contents.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// There is nothing of the kind in it.
    #[error("{0} has no {1} in PEM in it")]
    Nothing(PathBuf, &'static str),
    /// The key is another certificate's, or of a kind that cannot be used.
    #[error("{key} is no key for {certificate}: {error}")]
    NoPair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// What TLS says of them.
        error: rustls::Error,
    },
    /// No settings of TLS were found that all agree on.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// A certificate pair that connections are secured with. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    pair: Arc<Pair>,
}

#[derive(Debug)]
struct Pair {
    files: TlsFiles,
    /// Taken by every new connection; those that are open keep theirs.
    current: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads the pair.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(&files)?));
        let pair = Arc::new(Pair { files, current });
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&pair) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), pair })
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Reads the pair again whenever its files changed, or `asked` comes; ends when dropped. A pair
    /// that is wrong, for instance because half of it is new, leaves the one that is used.
    pub(crate) async fn keep_current(self, asked: Arc<tokio::sync::Notify>) {
        let mut known = self.changed_at();
        loop {
            let asked = tokio::select! {
                () = asked.notified() => true,
                () = tokio::time::sleep(ROUND) => false,
            };
            let now = self.changed_at();
            if now == known && !asked {
                continue;
            }
            match read(&self.pair.files) {
                Ok(pair) => {
                    *self.pair.current.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::new(pair);
                    known = now;
                    tracing::info!("the TLS certificate was read again");
                }
                Err(error) => tracing::error!(%error, "the TLS certificate stays as it was"),
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.pair.files.certificate, &self.pair.files.key]
            .map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
    }
}

/// Reads a pair and sees that it is one.
pub(crate) fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let TlsFiles { certificate, key } = files;
    let nothing = |file: &Path, what| TlsError::Nothing(file.to_owned(), what);
    let text = contents(certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|_| nothing(certificate, "certificate"))?;
    if chain.is_empty() {
        return Err(nothing(certificate, "certificate"));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&contents(key)?).map_err(|_| nothing(key, "private key"))?;
    CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).map_err(|error| {
        TlsError::NoPair { certificate: certificate.clone(), key: key.clone(), error }
    })
}

fn contents(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| TlsError::Unreadable(file.to_owned(), error))
}
