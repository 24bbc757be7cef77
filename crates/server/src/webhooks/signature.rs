//! `Mux-Signature: t=<unix>,v1=<hex>`: HMAC-SHA256 over `"{t}.{raw body}"`.
//!
//! Source: <https://www.mux.com/docs/core/verify-webhook-signatures>.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// Seconds that a signature's time may be from ours, either way.
const TOLERANCE: u64 = 300;

/// Keys that events may be signed with; several while one is rotated.
pub(crate) struct WebhookKeys(Vec<hmac::Key>);

impl WebhookKeys {
    pub(crate) fn new(secrets: &[SecretString]) -> Self {
        let key = |secret: &SecretString| {
            hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
        };
        Self(secrets.iter().map(key).collect())
    }

    /// Whether one of the signatures is one of the keys' for this body, and young. Constant time in
    /// the signature's bytes. `now` is Unix seconds.
    pub(crate) fn verify(&self, header: &str, body: &[u8], now: u64) -> bool {
        let fields = || header.split(',').filter_map(|field| field.trim().split_once('='));
        let Some((_, time)) = fields().find(|(name, _)| *name == "t") else { return false };
        let Ok(seconds) = time.parse::<u64>() else { return false };
        if now.abs_diff(seconds) > TOLERANCE {
            return false;
        }
        let signed = [time.as_bytes(), b".", body].concat();
        let signatures: Vec<Vec<u8>> =
            fields().filter(|(name, _)| *name == "v1").filter_map(|(_, hex)| bytes(hex)).collect();
        self.0.iter().any(|key| {
            signatures.iter().any(|signature| hmac::verify(key, &signed, signature).is_ok())
        })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..32).map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000;

    fn keys(secrets: &[&str]) -> WebhookKeys {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        WebhookKeys::new(&secrets)
    }

    fn header(secret: &str, time: u64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={time},v1={hex}")
    }

    #[test]
    fn a_known_vector_verifies() {
        // Made with Python's hmac: key `whsec`, message `1790000000.{}`.
        let header =
            "t=1790000000,v1=7782ea78090bcceac513c09959e7f393ee96edc4c6653f7802ea6b63eac7b3ae";
        assert!(keys(&["whsec"]).verify(header, b"{}", NOW));
    }

    #[test]
    fn only_the_right_key_body_and_time_verify() {
        let keys = keys(&["old", "new"]);
        assert!(keys.verify(&header("old", NOW, "{}"), b"{}", NOW));
        assert!(keys.verify(&header("new", NOW, "{}"), b"{}", NOW));
        assert!(!keys.verify(&header("other", NOW, "{}"), b"{}", NOW));
        assert!(!keys.verify(&header("new", NOW, "{}"), b"{ }", NOW));
        let replayed = header("new", NOW, "{}").replace(&NOW.to_string(), &(NOW + 1).to_string());
        assert!(!keys.verify(&replayed, b"{}", NOW));
    }

    #[test]
    fn a_signature_is_good_for_five_minutes_either_way() {
        let keys = keys(&["k"]);
        for (time, good) in
            [(NOW - 300, true), (NOW + 300, true), (NOW - 301, false), (NOW + 301, false)]
        {
            assert_eq!(keys.verify(&header("k", time, "{}"), b"{}", NOW), good, "{time}");
        }
    }

    #[test]
    fn what_is_no_signature_does_not_verify() {
        let keys = keys(&["k"]);
        let whole = header("k", NOW, "{}");
        let cut = whole.get(..whole.len() - 2).expect("ASCII");
        for header in ["", "t=1", "v1=00", "t=x,v1=00", "t=1790000000,v1=zz", cut] {
            assert!(!keys.verify(header, b"{}", NOW), "{header}");
        }
        assert!(!WebhookKeys::new(&[]).verify(&whole, b"{}", NOW));
    }
}
