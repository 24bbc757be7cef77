//! Playback ids, signing keys, and what an owner says of an asset.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::mux::{Asset, Data, PlaybackId, SigningKey};
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::clips;
use super::stand::{Stand, seconds};

async fn data<T: serde::de::DeserializeOwned>(answer: reqwest::Response) -> T {
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
    answer.json::<Data<T>>().await.unwrap().data
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asset_has_names_of_both_kinds_that_come_and_go() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::short(stand.folder.path())).await;
    let ids = format!("/{}/playback-ids", asset.id);
    let made = stand.api(Method::POST, &ids, Some(json!({"policy": "public"}))).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let public: PlaybackId = data(made).await;
    let listed: Vec<PlaybackId> = data(stand.api(Method::GET, &ids, None).await).await;
    assert_eq!(listed.len(), 2);
    let one: PlaybackId =
        data(stand.api(Method::GET, &format!("{ids}/{}", public.id), None).await).await;
    assert_eq!(one.id, public.id);
    let named = format!("video/v1/playback-ids/{}", public.id);
    let target: Value = data(stand.call(Method::GET, &named, None).await).await;
    assert_eq!(
        target,
        json!({"id": public.id, "policy": "public",
        "object": {"type": "asset", "id": asset.id}})
    );

    // The public one needs no token, the signed one still does.
    let plays = async |id: &str| {
        stand.get(&stand.address(&format!("stream/{id}.m3u8"), None)).await.status()
    };
    assert_eq!(plays(&public.id).await, StatusCode::OK);
    assert_eq!(plays(&asset.playback_ids[0].id).await, StatusCode::FORBIDDEN);

    // A name is taken away only from whom it belongs to, and at once.
    let other = stand.ask(&stand.input("gone.mp4"), "signed").await;
    let wrong = format!("/{}/playback-ids/{}", other.id, public.id);
    assert_eq!(stand.api(Method::DELETE, &wrong, None).await.status(), StatusCode::NOT_FOUND);
    let right = format!("{ids}/{}", public.id);
    assert_eq!(stand.api(Method::DELETE, &right, None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(plays(&public.id).await, StatusCode::FORBIDDEN);
    assert_eq!(stand.api(Method::DELETE, &right, None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(stand.call(Method::GET, &named, None).await.status(), StatusCode::NOT_FOUND);

    for _ in 1..8 {
        let made = stand.api(Method::POST, &ids, Some(json!({"policy": "signed"}))).await;
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    for body in [json!({"policy": "signed"}), json!({"policy": "everyone"}), json!({})] {
        let answer = stand.api(Method::POST, &ids, Some(body)).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    }
    let nobodys = "/01JD0000000000000000000000/playback-ids";
    let answer = stand.api(Method::POST, nobodys, Some(json!({"policy": "signed"}))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_owner_says_of_an_asset_can_be_changed_and_found() {
    let stand = Stand::start().await;
    let asset = stand.ask(&stand.input("gone.mp4"), "signed").await;
    let path = format!("/{}", asset.id);
    let patch = async |body: Value| stand.api(Method::PATCH, &path, Some(body)).await;
    let meta = json!({"title": "Take 1", "creator_id": "c", "external_id": "e"});
    let changed: Asset = data(patch(json!({"passthrough": "other", "meta": meta})).await).await;
    assert_eq!(changed.passthrough.as_deref(), Some("other"));
    assert_eq!(serde_json::to_value(changed.meta).unwrap(), meta);
    let kept: Asset = data(patch(json!({"meta": null})).await).await;
    assert_eq!((kept.passthrough.as_deref(), kept.meta), (Some("other"), None));
    let refused = patch(json!({"passthrough": "x".repeat(256)})).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let unknown = "/01JD0000000000000000000000";
    let answer = stand.api(Method::PATCH, unknown, Some(json!({"passthrough": "x"}))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    // Listed by a cursor, page for page, none twice.
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        stand.ask(&stand.input("gone.mp4"), "signed").await;
    }
    let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = stand.api(Method::GET, &query, None).await;
        let page = page.json::<Data<Vec<Asset>>>().await.unwrap();
        found.extend(page.data.into_iter().map(|asset| asset.id));
        let Some(cursor) = page.next_cursor else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!((found.len(), found.last()), (5, Some(&asset.id)));
    let wrong = stand.api(Method::GET, "?limit=many", None).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);

    assert_eq!(stand.api(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    let events = stand.receiver.events(9).await;
    let ours = events.iter().filter(|(.., event)| event.data["id"] == asset.id.as_str());
    let kinds: Vec<_> = ours.map(|(.., event)| event.kind.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"video.asset.created"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "video.asset.updated").count(), 2);
}

/// A token as Mux's own library makes it: the key's name is among the claims.
fn token(key: &SigningKey, claims: &Value, in_header: bool) -> String {
    let pem = STANDARD.decode(key.private_key.as_ref().unwrap()).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    let mut claims = claims.clone();
    if in_header {
        header.kid = Some(key.id.clone());
    } else {
        claims["kid"] = json!(key.id);
    }
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_pem(&pem).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_and_go_and_their_tokens_with_them() {
    let mut stand = Stand::start().await;
    let asset = stand.ready(&clips::short(stand.folder.path())).await;
    let claims = Stand::claims(&asset, "v");
    let mut keys = Vec::new();
    for base in ["system/v1/signing-keys", "video/v1/signing-keys"] {
        let made = stand.call(Method::POST, base, None).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let key: SigningKey = data(made).await;
        assert!(seconds().abs_diff(key.created_at.parse().unwrap()) < 60);
        let read: SigningKey =
            data(stand.call(Method::GET, &format!("{base}/{}", key.id), None).await).await;
        assert!(read.private_key.is_none(), "it is said once");
        keys.push(key);
    }
    let listed: Vec<SigningKey> =
        data(stand.call(Method::GET, "system/v1/signing-keys", None).await).await;
    assert!(listed.len() == 2 && listed.iter().all(|key| key.private_key.is_none()));
    let stored = std::fs::read(stand.folder.path().join("media.db")).unwrap();
    let secret = STANDARD.decode(keys[0].private_key.as_ref().unwrap()).unwrap();
    let secret = &secret[100..160];
    assert!(!stored.windows(60).any(|window| window == secret), "no private key is stored");

    stand.restart().await;
    let opens = async |token: &str| stand.get(&stand.master(&asset, Some(token))).await.status();
    for key in &keys {
        for in_header in [true, false] {
            assert_eq!(opens(&token(key, &claims, in_header)).await, StatusCode::OK);
        }
    }
    // One key's name with another's signature, in either place.
    let mut crossed = token(&keys[0], &claims, false);
    let of_other = token(&keys[1], &claims, false);
    let signature = of_other.rsplit_once('.').unwrap().1;
    crossed = format!("{}.{signature}", crossed.rsplit_once('.').unwrap().0);
    assert_eq!(opens(&crossed).await, StatusCode::FORBIDDEN);
    let mut both = claims.clone();
    both["kid"] = json!(keys[1].id);
    assert_eq!(opens(&token(&keys[0], &both, true)).await, StatusCode::FORBIDDEN);

    let (gone, good) = (token(&keys[0], &claims, true), token(&keys[1], &claims, true));
    let path = format!("system/v1/signing-keys/{}", keys[0].id);
    assert_eq!(stand.call(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!((opens(&gone).await, opens(&good).await), (StatusCode::FORBIDDEN, StatusCode::OK));
    assert_eq!(stand.call(Method::DELETE, &path, None).await.status(), StatusCode::NOT_FOUND);
    // The engine's own key is none of the API's: whoever runs it says which that is.
    let own = format!("system/v1/signing-keys/{}", super::stand::KEY_ID);
    assert_eq!(stand.call(Method::DELETE, &own, None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(opens(&stand.token(&claims)).await, StatusCode::OK);
}
