//! Who may not play.

use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dailies_api::mux::Asset;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::clips;
use super::stand::{KEY_ID, Stand, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_opens_without_the_right_token() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::h264_silent(stand.folder.path())).await;
    let other = stand.ready(&clips::vp9(stand.folder.path())).await;
    let mut audiences = std::collections::HashSet::new();
    for (path, audience) in &resources(&stand, &asset).await {
        audiences.insert(*audience);
        let good = stand.token(&Stand::claims(&asset, audience));
        let answer = stand.get(&stand.address(path, Some(&good))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");

        for (why, token) in wrong_tokens(&stand, &asset, &other, audience) {
            let answer = stand.get(&stand.address(path, token.as_deref())).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}, {why}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["type"], "forbidden", "{path}, {why}");
            let address = stand.address(path, token.as_deref());
            let head = stand.http.head(address).send().await.unwrap();
            assert_eq!(head.status(), StatusCode::FORBIDDEN, "HEAD {path}, {why}");
        }
    }
    assert!(audiences.len() >= 2);
}

/// Everything that a playback id opens, with the audience of its tokens: what the playlists name,
/// found by following them, and every image. A new kind of resource is added here.
async fn resources(stand: &Stand, asset: &Asset) -> Vec<(String, &'static str)> {
    let id = &asset.playback_ids[0].id;
    let token = stand.token(&Stand::claims(asset, "v"));
    let mut found =
        vec![(format!("stream/{id}.m3u8"), "v"), (format!("image/{id}/thumbnail.jpg"), "t")];
    let mut next = 0;
    while next < found.len() {
        let path = found[next].0.clone();
        next += 1;
        if !path.ends_with(".m3u8") {
            continue;
        }
        let text = stand.text(&stand.address(&path, Some(&token))).await;
        let folder = path.rsplit_once('/').unwrap().0;
        let quoted = text.split("URI=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let plain = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for address in quoted.chain(plain) {
            let (name, carried) = address.split_once("?token=").expect("it carries the token");
            assert_eq!(carried, token, "{name}");
            let path = (format!("{folder}/{name}"), "v");
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    for kind in ["rendition.m3u8", "init.mp4", "segment-00000.m4s"] {
        assert!(found.iter().any(|(path, _)| path.ends_with(kind)), "{kind} in {found:?}");
    }
    found
}

fn wrong_tokens(
    stand: &Stand,
    asset: &Asset,
    other: &Asset,
    audience: &str,
) -> Vec<(&'static str, Option<String>)> {
    let claims = Stand::claims(asset, audience);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        stand.token(&claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        stand.token(&claims)
    };
    let wrong_audience = if audience == "v" { "t" } else { "v" };
    let good = stand.token(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut changed = claims.clone();
    changed["exp"] = json!(seconds() + 999_999);
    let forged = format!(
        "{}.{}.{signature}",
        signed.split('.').next().unwrap(),
        URL_SAFE_NO_PAD.encode(changed.to_string())
    );
    vec![
        (
            "key in no table of ours",
            Some(raw(stand, &json!({"alg": "RS256", "kid": "../../media.db"}), &claims)),
        ),
        (
            "very long key name",
            Some(raw(stand, &json!({"alg": "RS256", "kid": "k".repeat(2000)}), &claims)),
        ),
        (
            "key name that is SQL",
            Some(raw(stand, &json!({"alg": "RS256", "kid": "' OR 1=1 --"}), &claims)),
        ),
        ("key name that is no text", Some(raw(stand, &json!({"alg": "RS256", "kid": 1}), &claims))),
        ("names of two keys", Some(with("kid", json!("key-2")))),
        ("a key of its own, jwk", Some(of_stranger_with(&claims, "jwk"))),
        ("a key of its own, jku", Some(of_stranger_with(&claims, "jku"))),
        ("a key of its own, x5u", Some(of_stranger_with(&claims, "x5u"))),
        ("a key of its own, x5c", Some(of_stranger_with(&claims, "x5c"))),
        (
            "algorithm twice",
            Some(raw_text(
                stand,
                &format!(r#"{{"alg":"none","alg":"RS256","kid":"{KEY_ID}"}}"#),
                &claims.to_string(),
            )),
        ),
        (
            "subject twice",
            Some(raw_text(stand, &header_text(), &twice(&claims, "sub", &json!("other")))),
        ),
        ("expiry twice", Some(raw_text(stand, &header_text(), &twice(&claims, "exp", &json!(1))))),
        (
            "audience twice",
            Some(raw_text(stand, &header_text(), &twice(&claims, "aud", &json!("g")))),
        ),
        ("claims that are no object", Some(raw_text(stand, &header_text(), "[]"))),
        ("claims that are no JSON", Some(raw_text(stand, &header_text(), "{"))),
        ("malformed base64", Some(format!("!{}", &good[1..]))),
        ("padded base64", Some(format!("{good}=="))),
        ("an extra part", Some(format!("{good}.{signature}"))),
        ("an empty part before", Some(format!(".{good}"))),
        ("two parts", Some(signed.to_owned())),
        ("huge", Some(format!("{good}{}", "A".repeat(6000)))),
        ("expiry as text", Some(with("exp", json!((seconds() + 300).to_string())))),
        ("expiry before 1970", Some(with("exp", json!(-1)))),
        ("every audience", Some(with("aud", json!(["v", "t", "g", "s"])))),
        ("no subject but null", Some(with("sub", Value::Null))),
        ("ES256 in name", Some(raw(stand, &json!({"alg": "ES256", "kid": KEY_ID}), &claims))),
        (
            "encrypted in name",
            Some(raw(stand, &json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": KEY_ID}), &claims)),
        ),
        ("no token", None),
        ("empty", Some(String::new())),
        ("no JWT", Some("a.b.c".into())),
        ("expired", Some(with("exp", json!(seconds() - 10)))),
        ("not yet valid", Some(with("nbf", json!(seconds() + 100)))),
        ("other video", Some(stand.token(&Stand::claims(other, audience)))),
        ("wrong audience", Some(with("aud", json!(wrong_audience)))),
        ("unknown audience", Some(with("aud", json!("x")))),
        ("no expiry", Some(without("exp"))),
        ("no audience", Some(without("aud"))),
        ("no subject", Some(without("sub"))),
        ("unknown key", Some(stand.signed(&claims, Some("key-2"), Algorithm::RS256))),
        ("no key", Some(stand.signed(&claims, None, Algorithm::RS256))),
        ("RS512", Some(stand.signed(&claims, Some(KEY_ID), Algorithm::RS512))),
        ("PS256", Some(stand.signed(&claims, Some(KEY_ID), Algorithm::PS256))),
        ("HS256 with the public key", Some(hs256(stand, &claims))),
        ("no algorithm", Some(unsigned(&claims))),
        ("signed by a stranger", Some(by_stranger(&claims))),
        ("no signature", Some(format!("{signed}."))),
        ("changed after signing", Some(forged)),
    ]
}

/// A token of exactly these texts, with a good signature of our own key.
fn raw_text(stand: &Stand, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_rsa_der(stand.private_key());
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

fn raw(stand: &Stand, header: &Value, claims: &Value) -> String {
    raw_text(stand, &header.to_string(), &claims.to_string())
}

fn header_text() -> String {
    json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}).to_string()
}

/// The claims with a second one of the same name before them.
fn twice(claims: &Value, name: &str, value: &Value) -> String {
    format!("{{\"{name}\":{value},{}", &claims.to_string()[1..])
}

/// A stranger's signature, and where a careless verifier would find the stranger's key.
fn of_stranger_with(claims: &Value, place: &str) -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut header = json!({"alg": "RS256", "kid": KEY_ID});
    header[place] = match place {
        "jwk" => {
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref()), "e": "AQAB"})
        }
        "x5c" => json!(["MIIB"]),
        _ => json!("http://127.0.0.1:1/keys"),
    };
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let key = EncodingKey::from_rsa_der(&super::stand::pkcs1(&pair));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

/// The classic confusion of algorithms: the public key as an HMAC secret.
fn hs256(stand: &Stand, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(KEY_ID.into());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&stand.public_key)).unwrap()
}

fn unsigned(claims: &Value) -> String {
    let header = json!({"alg": "none", "typ": "JWT", "kid": KEY_ID});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&header), part(claims))
}

fn by_stranger(claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(KEY_ID.into());
    let key = super::stand::pkcs1(&KeyPair::generate(KeySize::Rsa2048).unwrap());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_rsa_der(&key)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_told_without_a_token() {
    let stand = Stand::start().await;
    let id = "0".repeat(48);
    let path = format!("stream/{id}.m3u8");
    assert_eq!(stand.get(&stand.address(&path, None)).await.status(), StatusCode::FORBIDDEN);
    let token = stand.token(&json!({"sub": id, "aud": "v", "exp": seconds() + 60}));
    let answer = stand.get(&stand.address(&path, Some(&token))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_video_needs_no_token_and_no_path_leads_out() {
    let stand = Stand::start().await;
    let clip = clips::h264_silent(stand.folder.path());
    stand.origin.put("public.mov", std::fs::read(clip).unwrap());
    let asset = stand.ask(&stand.input("public.mov"), "public").await;
    let asset = stand.settled(&asset.id).await;
    let master = stand.text(&stand.master(&asset, None)).await;
    assert!(master.ends_with(&format!("\n{}/rendition.m3u8\n", asset.playback_ids[0].id)));
    let id = &asset.playback_ids[0].id;
    stand.text(&stand.address(&format!("stream/{id}/rendition.m3u8"), None)).await;
    stand.get(&stand.address(&format!("image/{id}/thumbnail.jpg"), None)).await;
    for file in ["poster.jpg", "master.m3u8", "..%2f..%2f..%2fmedia.db", "%2e%2e", "segment-9.m4s"]
    {
        let answer = stand.get(&stand.address(&format!("stream/{id}/{file}"), None)).await;
        assert!(matches!(answer.status().as_u16(), 403 | 404), "{file}: {}", answer.status());
    }
}
