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
    let id = &asset.playback_ids[0].id;
    let resources = [
        (format!("stream/{id}.m3u8"), "v"),
        (format!("stream/{id}/rendition.m3u8"), "v"),
        (format!("stream/{id}/init.mp4"), "v"),
        (format!("stream/{id}/segment-00001.m4s"), "v"),
        (format!("image/{id}/thumbnail.jpg"), "t"),
    ];
    for (path, audience) in &resources {
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
