//! A set of an issuer's public keys (RFC 7517), and which of them may have signed a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};

/// Keys of a set that are looked at. Issuers publish two or three.
const MOST_KEYS: usize = 100;
/// Keys of one name that are tried, where an issuer names several alike.
const MOST_OF_ONE_NAME: usize = 4;
/// Bytes of an RSA modulus: 2048 to 8192 bits.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// Every algorithm that a token may be signed with. Those with a shared secret are none: whoever
/// can check such a token can make one.
pub(super) const ALGORITHMS: [Algorithm; 9] =
    [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA];

/// Public keys that can verify.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    /// What its type can do, and what it says it is for.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private half. A key that shows it is nobody's any more.
    d: Option<IgnoredAny>,
}

impl KeySet {
    /// Reads a JWK set; keys that cannot verify a signature, or not by our algorithms, are left out.
    pub(crate) fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(json)?;
        let readable = document
            .keys
            .into_iter()
            .take(MOST_KEYS)
            .filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.key());
        Ok(Self(readable.collect()))
    }

    /// Whether there is a key of this name; any key, where a token names none.
    pub(super) fn names(&self, id: Option<&str>) -> bool {
        match id {
            Some(_) => self.0.iter().any(|key| key.id.as_deref() == id),
            None => !self.0.is_empty(),
        }
    }

    /// The keys that may have made a signature of this kind. Where a token names no key, only one
    /// may fit; OpenID Connect Core, section 10.1.
    pub(crate) fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&DecodingKey> {
        let fitting = self.0.iter().filter(|key| key.algorithms.contains(&algorithm));
        match id {
            Some(_) => fitting
                .filter(|key| key.id.as_deref() == id)
                .map(|key| &key.key)
                .take(MOST_OF_ONE_NAME)
                .collect(),
            None => {
                let fitting: Vec<_> = fitting.map(|key| &key.key).take(2).collect();
                if fitting.len() == 1 { fitting } else { Vec::new() }
            }
        }
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        let verifies = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"))
            && self.d.is_none();
        if !verifies {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let (possible, key) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (bytes(&self.n)?, bytes(&self.e)?);
                let modulus = n.iter().skip_while(|byte| **byte == 0).count();
                if !RSA_MODULUS.contains(&modulus) || e.len() > 8 {
                    return None;
                }
                let key = DecodingKey::from_rsa_raw_components(&n, &e);
                (&[RS256, RS384, RS512, PS256, PS384, PS512][..], key)
            }
            ("EC", Some("P-256")) => (&[ES256][..], point(&bytes(&self.x)?, &bytes(&self.y)?, 32)?),
            ("EC", Some("P-384")) => (&[ES384][..], point(&bytes(&self.x)?, &bytes(&self.y)?, 48)?),
            ("OKP", Some("Ed25519")) => {
                let x = bytes(&self.x).filter(|x| x.len() == 32)?;
                (&[EdDSA][..], DecodingKey::from_ed_der(&x))
            }
            _ => return None,
        };
        let algorithms: Vec<_> = match &self.alg {
            None => possible.to_vec(),
            // RFC 9864 gives EdDSA on this curve a name of its own.
            Some(alg) if alg == "Ed25519" => {
                possible.iter().copied().filter(|a| *a == EdDSA).collect()
            }
            Some(alg) => {
                let said: Algorithm = alg.parse().ok()?;
                possible.iter().copied().filter(|possible| *possible == said).collect()
            }
        };
        (!algorithms.is_empty()).then_some(Key { id: self.kid, algorithms, key })
    }
}

/// A point of a curve whose coordinates have `size` bytes, uncompressed.
fn point(x: &[u8], y: &[u8], size: usize) -> Option<DecodingKey> {
    (x.len() == size && y.len() == size)
        .then(|| DecodingKey::from_ec_der(&[&[0x04], x, y].concat()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn algorithms(jwk: &Value) -> Vec<Algorithm> {
        let set = KeySet::read(json!({"keys": [jwk]}).to_string().as_bytes()).expect("a set");
        set.0.into_iter().flat_map(|key| key.algorithms).collect()
    }

    #[test]
    fn a_key_does_what_its_type_and_its_own_words_allow() {
        let rsa = |change: Value| {
            let mut key =
                json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xc1; 256]), "e": "AQAB"});
            for (name, value) in change.as_object().expect("an object") {
                key[name] = value.clone();
            }
            algorithms(&key)
        };
        assert_eq!(rsa(json!({})).len(), 6);
        assert_eq!(rsa(json!({"alg": "RS256", "use": "sig"})), [RS256]);
        assert_eq!(rsa(json!({"key_ops": ["verify"], "alg": "PS512"})), [PS512]);
        let small = URL_SAFE_NO_PAD.encode([0xc1; 128]);
        for useless in [
            json!({"use": "enc"}),
            json!({"key_ops": ["encrypt"]}),
            json!({"alg": "ES256"}),
            json!({"alg": "HS256"}),
            json!({"alg": "none"}),
            json!({"alg": "RSA-OAEP"}),
            json!({"d": "AQAB"}),
            json!({"n": small}),
            json!({"n": "not base64!"}),
            json!({"e": null}),
            json!({"kty": "oct", "k": "AQAB"}),
            json!({"kty": "rsa"}),
        ] {
            assert_eq!(rsa(useless.clone()), [], "{useless}");
        }
        let (x, y) = (URL_SAFE_NO_PAD.encode([1; 32]), URL_SAFE_NO_PAD.encode([2; 32]));
        let ec = |crv: &str| json!({"kty": "EC", "crv": crv, "x": x, "y": y});
        assert_eq!(algorithms(&ec("P-256")), [ES256]);
        assert_eq!(algorithms(&ec("P-384")), [], "its coordinates are longer");
        assert_eq!(
            algorithms(&json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "Ed25519"})),
            [EdDSA]
        );
        assert_eq!(algorithms(&json!({"kty": "OKP", "crv": "X25519", "x": x})), []);
    }

    #[test]
    fn one_key_that_cannot_be_read_spoils_no_other() {
        let keys = json!({"keys": [5, {"kty": 7}, {"kty": "RSA"},
            {"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([1; 32]), "kid": "a"}]});
        let set = KeySet::read(keys.to_string().as_bytes()).expect("a set");
        assert!(set.names(Some("a")) && !set.names(Some("b")));
        assert_eq!(set.fitting(None, EdDSA).len(), 1);
        assert_eq!(set.fitting(Some("a"), RS256).len(), 0);
        assert!(KeySet::read(b"[]").is_err() && KeySet::read(b"{}").is_err());
    }
}
