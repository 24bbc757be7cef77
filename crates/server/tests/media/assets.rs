//! The Video API's own manners.

use dailies_api::mux::{Asset, Data};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::stand::Stand;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_needs_id_and_secret() {
    let stand = Stand::start().await;
    let address = format!("{}/mux/video/v1/assets", stand.base);
    let with = |id: &str, secret: &str| stand.http.get(&address).basic_auth(id, Some(secret));
    for request in [
        stand.http.get(&address),
        with("token-id", "wrong"),
        with("wrong", "token-secret"),
        with("", ""),
        stand.http.get(&address).bearer_auth("token-secret"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(answer.headers().contains_key("www-authenticate"));
    }
    assert_eq!(with("token-id", "token-secret").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let stand = Stand::start().await;
    let input = json!([{"url": "http://127.0.0.1:1/x"}]);
    for body in [
        json!({}),
        json!({"inputs": []}),
        json!({"inputs": [{"url": "file:///etc/passwd"}]}),
        json!({"inputs": [{"url": "no address"}]}),
        json!({"inputs": [{"url": "http://a/1"}, {"url": "http://a/2"}]}),
        json!({"inputs": input, "passthrough": "x".repeat(256)}),
        json!({"inputs": input, "playback_policies": ["everyone"]}),
    ] {
        let answer = stand.api(Method::POST, "", Some(body.clone())).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!(refusal["error"]["type"], "invalid_parameters", "{body}");
    }
    let answer = stand.api(Method::GET, "", None).await;
    assert!(answer.json::<Data<Vec<Asset>>>().await.unwrap().data.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_listed_the_newest_first() {
    let stand = Stand::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, stand.ask(&stand.input("gone.mp4"), "signed").await.id);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let listed = |path: &'static str| async {
        let answer = stand.api(Method::GET, path, None).await;
        let data = answer.json::<Data<Vec<Asset>>>().await.unwrap().data;
        data.into_iter().map(|asset| asset.id).collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ids);
    assert_eq!(listed("?limit=2&page=2").await, ids[2..]);
}
