//! Keys that sign playback tokens.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An RS256 key of 2,048 bits. It holds its private half: no `Debug`.
pub(crate) struct RsaPair {
    /// PKCS#8 in PEM.
    pub(crate) private: String,
    /// SubjectPublicKeyInfo in PEM.
    pub(crate) public: String,
}

impl RsaPair {
    /// Takes a tenth of a second or two, on a thread that nobody else waits for.
    pub(crate) async fn generate() -> Self {
        tokio::task::spawn_blocking(Self::generated)
            .await
            .expect("making a key does not panic, and nobody aborts it")
    }

    fn generated() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048)
            .expect("the system's random source works once the process has started");
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&key)
            .expect("a key that was just made has an encoding");
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key())
            .expect("a key that was just made has an encoding");
        Self {
            private: pem("PRIVATE KEY", private.as_ref()),
            public: pem("PUBLIC KEY", public.as_ref()),
        }
    }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = next;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}
