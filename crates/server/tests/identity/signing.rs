//! Keys of every kind, and tokens made of any header and any claims.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

pub(crate) const AUDIENCE: &str = "dailies";

/// A private key, and its public half as issuers publish it.
pub(crate) struct Key {
    pub(crate) private: EncodingKey,
    algorithm: Algorithm,
}

/// Two, as a rotation has, and one that no issuer publishes.
pub(crate) static RSA: LazyLock<[Key; 3]> = LazyLock::new(|| [rsa(), rsa(), rsa()]);
pub(crate) static P256: LazyLock<Key> =
    LazyLock::new(|| ec(&ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::ES256));
pub(crate) static P384: LazyLock<Key> =
    LazyLock::new(|| ec(&ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::ES384));
pub(crate) static ED25519: LazyLock<Key> = LazyLock::new(|| {
    let der = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
    Key { private: EncodingKey::from_ed_der(der.as_ref()), algorithm: Algorithm::EdDSA }
});

fn rsa() -> Key {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = pair.as_der() as Result<Pkcs8V1Der<'_>, _>;
    let base64 = STANDARD.encode(der.unwrap().as_ref());
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    let private = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    Key { private, algorithm: Algorithm::RS256 }
}

fn ec(curve: &'static EcdsaSigningAlgorithm, algorithm: Algorithm) -> Key {
    let der = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).unwrap();
    Key { private: EncodingKey::from_ec_der(der.as_ref()), algorithm }
}

impl Key {
    /// The public half under a name, for any algorithm of its type.
    pub(crate) fn public(&self, id: &str) -> Value {
        let jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        let fields = jwk.as_object_mut().unwrap();
        fields.remove("alg");
        fields.insert("kid".into(), id.into());
        fields.insert("use".into(), "sig".into());
        jwk
    }

    /// Signs anything.
    pub(crate) fn token(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        signed(&self.private, algorithm, &unsigned(header, claims))
    }
}

/// Header and claims as a token holds them.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

pub(crate) fn signed(key: &EncodingKey, algorithm: Algorithm, message: &str) -> String {
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Claims of a good token for the next five minutes.
pub(crate) fn claims(issuer: &str) -> Value {
    let now = now();
    json!({"iss": issuer, "aud": AUDIENCE, "sub": "ada", "iat": now, "nbf": now, "exp": now + 300})
}

/// The claims with some changed, or taken away by null.
pub(crate) fn changed(mut claims: Value, change: &Value) -> Value {
    let fields = claims.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
