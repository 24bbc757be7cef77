//! What makes a JWT good. RFC 8725 is the list of what others forgot.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::keys::ALGORITHMS;
use crate::clock::now_seconds;
use crate::config::oidc::OidcIssuer;
use crate::db::identities::Account;
use crate::db::users::Email;

/// Bytes of a token. Those with many groups have four thousand.
const LONGEST: usize = 16 << 10;
/// Characters of a key's name.
const LONGEST_KEY_ID: usize = 256;
/// Characters of a subject; OpenID Connect Core, section 2.
const LONGEST_SUBJECT: usize = 255;
/// Characters of a name that are kept.
const LONGEST_NAME: usize = 200;
/// Characters of an e-mail address; RFC 5321.
const LONGEST_EMAIL: usize = 254;
/// Seconds by which the issuer's clock may differ from ours.
const LEEWAY: u64 = 60;
/// What a token may say it is: an ID token, an access token (RFC 9068), or nothing. A logout token,
/// a DPoP proof or a security event is signed by the same keys, and is no proof of who calls.
const TYPES: [&str; 4] = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];

/// Why a token is not good. Callers learn only that, and whether it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it is no JWT of three parts that can be read")]
    Malformed,
    #[error("its algorithm is none of those that are taken")]
    Algorithm,
    #[error("its header asks for what is not done here")]
    Header,
    #[error("it says it is another kind of token")]
    Type,
    #[error("its issuer is none that is configured")]
    Issuer,
    #[error("its issuer has no key that fits")]
    Key,
    #[error("its signature is not its issuer's")]
    Signature,
    #[error("it has ended")]
    Expired,
    #[error("a claim is missing or is for somebody else")]
    Claims,
}

/// What a token says before anybody has verified it: enough to find the key, and good for no more.
pub(crate) struct Unverified {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) issuer: String,
}

/// `jku`, `jwk`, `x5u` and `x5c` name keys of the token's own choice: they are never looked at.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Only nested tokens have one.
    cty: Option<IgnoredAny>,
    /// Extensions that must be understood; none is here.
    crit: Option<IgnoredAny>,
    /// Of `crit`, and of encryption.
    b64: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Issued {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    iat: Option<f64>,
    azp: Option<String>,
    client_id: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Reads what is needed to find a token's key.
pub(crate) fn read(token: &str) -> Result<Unverified, Refused> {
    if token.len() > LONGEST {
        return Err(Refused::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::Malformed);
    };
    let header: Header = part(header)?;
    // Before the signature: a token of `none` has an empty one.
    let algorithm = header.alg.parse().map_err(|_| Refused::Algorithm)?;
    if !ALGORITHMS.contains(&algorithm) {
        return Err(Refused::Algorithm);
    }
    if signature.is_empty() {
        return Err(Refused::Malformed);
    }
    let unknown = [&header.cty, &header.crit, &header.b64, &header.enc, &header.zip];
    if unknown.into_iter().any(Option::is_some)
        || header.kid.as_ref().is_some_and(|id| id.len() > LONGEST_KEY_ID)
    {
        return Err(Refused::Header);
    }
    if header.typ.is_some_and(|typ| !TYPES.contains(&typ.to_ascii_lowercase().as_str())) {
        return Err(Refused::Type);
    }
    let Issued { iss } = part(claims)?;
    Ok(Unverified { algorithm, key_id: header.kid, issuer: iss })
}

/// Verifies signature and claims by keys of the issuer's.
pub(super) fn verify(
    token: &str,
    algorithm: Algorithm,
    keys: &[&DecodingKey],
    issuer: &OidcIssuer,
) -> Result<Account, Refused> {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&issuer.issuer]);
    validation.set_audience(&issuer.audiences);
    let mut refused = Refused::Key;
    for key in keys {
        match decode::<Claims>(token, key, &validation) {
            Ok(decoded) => return account(decoded.claims, issuer),
            Err(error) => refused = reason(error.kind()),
        }
        // Only another key of the same name could make a difference.
        if refused != Refused::Signature {
            break;
        }
    }
    Err(refused)
}

fn reason(error: &ErrorKind) -> Refused {
    match error {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::ExpiredSignature => Refused::Expired,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Refused::Algorithm,
        ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => Refused::Malformed,
        _ => Refused::Claims,
    }
}

fn account(claims: Claims, issuer: &OidcIssuer) -> Result<Account, Refused> {
    let latest = (now_seconds() + LEEWAY) as f64;
    // A list of issuers would pass where one of them is ours.
    let good = claims.iss == issuer.issuer
        && (1..=LONGEST_SUBJECT).contains(&claims.sub.chars().count())
        && claims.iat.is_none_or(|at| at <= latest)
        && from_client(&claims, &issuer.client_ids);
    if !good {
        return Err(Refused::Claims);
    }
    let others = &claims.others;
    let name = text(others, &issuer.name_claim).or_else(|| text(others, "preferred_username"));
    let email = text(others, &issuer.email_claim).and_then(|address| {
        let verified = match others.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            // Some issuers write their booleans as text.
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        let usual = address.contains('@')
            && address.chars().count() <= LONGEST_EMAIL
            && !address.contains(char::is_whitespace);
        usual.then_some(Email { address, verified })
    });
    Ok(Account {
        issuer: claims.iss,
        subject: claims.sub,
        name: name.map(|name| name.chars().take(LONGEST_NAME).collect()),
        email,
    })
}

/// Whether the token was made for one of the clients. An ID token for its client alone names it in
/// `aud` only.
fn from_client(claims: &Claims, clients: &[String]) -> bool {
    let sole = match &claims.aud {
        Value::String(one) => Some(one),
        Value::Array(all) => match all.as_slice() {
            [Value::String(one)] => Some(one),
            _ => None,
        },
        _ => None,
    };
    let party = claims.azp.as_ref().or(claims.client_id.as_ref()).or(sole);
    clients.is_empty() || party.is_some_and(|party| clients.contains(party))
}

/// A claim that people read: one line, not empty.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text: String =
        claims.get(name)?.as_str()?.chars().filter(|char| !char.is_control()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Malformed)
}
