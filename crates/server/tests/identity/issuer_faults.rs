//! Issuers that change their keys, and issuers that answer badly, slowly, or for somebody else.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::issuer::{Issuer, Manner};
use crate::signing::{RSA, claims};
use crate::stand::Stand;

/// Longer than the limits of [`Issuer::settings`] between two fetches.
const A_WHILE: Duration = Duration::from_millis(150);

fn token(issuer: &Issuer, key: usize, id: &str) -> String {
    let header = json!({"alg": "RS256", "kid": id});
    RSA[key].token(Algorithm::RS256, &header, &claims(&issuer.url))
}

#[tokio::test]
async fn new_keys_are_found_and_old_ones_end() {
    let issuer = Issuer::start(vec![RSA[0].public("one")]).await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    stand.knock(&token(&issuer, 0, "one")).await.value();
    issuer.behave(|behaviour| behaviour.keys.push(RSA[1].public("two")));
    tokio::time::sleep(A_WHILE).await;
    stand.knock(&token(&issuer, 1, "two")).await.value();
    stand.knock(&token(&issuer, 0, "one")).await.value();
    issuer.behave(|behaviour| drop(behaviour.keys.remove(0)));
    tokio::time::sleep(A_WHILE).await;
    // A name that is not known has the keys fetched; with them the old one is gone.
    assert_eq!(stand.knock(&token(&issuer, 0, "three")).await.status, 401);
    assert_eq!(stand.knock(&token(&issuer, 0, "one")).await.status, 401);
    stand.knock(&token(&issuer, 1, "two")).await.value();
    assert!(issuer.fetches() <= 4, "{}", issuer.fetches());
    stand.app.stop().await;
}

#[tokio::test]
async fn keys_are_fresh_for_as_long_as_the_issuer_says_within_bounds() {
    let issuer = Issuer::start(vec![RSA[0].public("one")]).await;
    issuer.behave(|behaviour| behaviour.cache_control = Some("public, max-age=0"));
    let mut settings = issuer.settings();
    settings.keys.least_fresh = Duration::from_millis(400);
    let stand = Stand::start(vec![settings]).await;
    stand.knock(&token(&issuer, 0, "one")).await.value();
    tokio::time::sleep(A_WHILE).await;
    stand.knock(&token(&issuer, 0, "one")).await.value();
    assert_eq!(issuer.fetches(), 1, "fresh for the least time at least");
    issuer.behave(|behaviour| behaviour.keys = vec![RSA[1].public("one")]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(stand.knock(&token(&issuer, 0, "one")).await.status, 401, "the key is another now");
    stand.knock(&token(&issuer, 1, "one")).await.value();
    assert_eq!(issuer.fetches(), 2);
    stand.app.stop().await;
}

#[tokio::test]
async fn two_hundred_calls_with_an_unknown_key_cost_one_fetch() {
    let issuer = Issuer::start(vec![RSA[0].public("one")]).await;
    let mut settings = issuer.settings();
    settings.keys.between_fetches = Duration::from_secs(3600);
    settings.keys.fetch = Duration::from_secs(30);
    let stand = Stand::start(vec![settings]).await;
    issuer.behave(|behaviour| behaviour.key_set = Manner::Slow(Duration::from_millis(300)));
    let unknown = token(&issuer, 0, "unknown");
    let good = token(&issuer, 0, "one");
    let calls = (0..200).map(|n| stand.knock(if n % 20 == 0 { &good } else { &unknown }));
    for (n, said) in futures_util::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!(said.status, if n % 20 == 0 { 200 } else { 401 }, "call {n}");
    }
    assert_eq!((issuer.fetches(), issuer.asked()), (1, 2), "one discovery, one set of keys");
    stand.app.stop().await;
}

#[tokio::test]
async fn known_keys_go_on_while_the_issuer_is_down_but_not_for_ever() {
    let issuer = Issuer::start(vec![RSA[0].public("one")]).await;
    let mut settings = issuer.settings();
    settings.keys.least_fresh = Duration::from_millis(200);
    settings.keys.most_fresh = Duration::from_millis(200);
    settings.keys.most_used = Duration::from_millis(2500);
    let stand = Stand::start(vec![settings]).await;
    let fetched = Instant::now();
    stand.knock(&token(&issuer, 0, "one")).await.value();
    issuer.behave(|behaviour| {
        behaviour.discovery = Manner::Status(500);
        behaviour.key_set = Manner::Status(500);
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    stand.knock(&token(&issuer, 0, "one")).await.value();
    // It may have changed its keys: nobody can say.
    let unknown = stand.knock(&token(&issuer, 1, "two")).await;
    assert_eq!((unknown.status, unknown.code()), (503, "internal"));
    // A forgery is one whatever the issuer does.
    assert_eq!(stand.knock(&token(&issuer, 2, "one")).await.status, 401);
    tokio::time::sleep(Duration::from_millis(2600).saturating_sub(fetched.elapsed())).await;
    assert_eq!(stand.knock(&token(&issuer, 0, "one")).await.status, 503, "too old");
    issuer.behave(|behaviour| {
        behaviour.discovery = Manner::Well;
        behaviour.key_set = Manner::Well;
    });
    tokio::time::sleep(A_WHILE).await;
    stand.knock(&token(&issuer, 0, "one")).await.value();
    stand.app.stop().await;
}

#[tokio::test]
async fn an_issuer_that_answers_badly_is_not_believed_and_tried_again() {
    let elsewhere = Issuer::start(vec![RSA[0].public("one")]).await;
    let issuer = Issuer::start(vec![RSA[0].public("one")]).await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    let good = token(&issuer, 0, "one");
    let other_keys = format!("{}/keys", elsewhere.url);
    let other_discovery = format!("{}/.well-known/openid-configuration", elsewhere.url);
    let text = |text: &str| Manner::Text(text.into());
    let nothing = json!({});
    let cases: Vec<(&str, Manner, Manner, Value)> = vec![
        ("keys: 500", Manner::Well, Manner::Status(500), nothing.clone()),
        ("keys: 404", Manner::Well, Manner::Status(404), nothing.clone()),
        ("keys: 204", Manner::Well, Manner::Status(204), nothing.clone()),
        ("keys: too slow", Manner::Well, Manner::Slow(Duration::from_secs(5)), nothing.clone()),
        ("keys: begun, never ended", Manner::Well, Manner::Hangs, nothing.clone()),
        ("keys: huge", Manner::Well, Manner::Huge, nothing.clone()),
        ("keys: elsewhere", Manner::Well, Manner::Redirect(other_keys.clone()), nothing.clone()),
        ("keys: to itself", Manner::Well, Manner::Redirect("/keys".into()), nothing.clone()),
        ("keys: no JSON", Manner::Well, text("<html>"), nothing.clone()),
        ("keys: a list", Manner::Well, text("[]"), nothing.clone()),
        ("keys: cut", Manner::Well, text("{\"keys\":[{\"kty\":\"RSA\""), nothing.clone()),
        ("discovery: 500", Manner::Status(500), Manner::Well, nothing.clone()),
        ("discovery: elsewhere", Manner::Redirect(other_discovery), Manner::Well, nothing.clone()),
        (
            "discovery: too slow",
            Manner::Slow(Duration::from_secs(5)),
            Manner::Well,
            nothing.clone(),
        ),
        ("discovery: huge", Manner::Huge, Manner::Well, nothing.clone()),
        ("discovery: no JSON", text("sign in"), Manner::Well, nothing.clone()),
        ("another issuer", Manner::Well, Manner::Well, json!({"issuer": elsewhere.url})),
        (
            "almost the issuer",
            Manner::Well,
            Manner::Well,
            json!({"issuer": format!("{}/", issuer.url)}),
        ),
        ("no issuer", Manner::Well, Manner::Well, json!({"issuer": null})),
        (
            "keys in the clear",
            Manner::Well,
            Manner::Well,
            json!({"jwks_uri": "http://keys.test/keys"}),
        ),
        ("keys in a file", Manner::Well, Manner::Well, json!({"jwks_uri": "file:///etc/passwd"})),
        ("keys nowhere", Manner::Well, Manner::Well, json!({"jwks_uri": ""})),
        (
            "keys with a password",
            Manner::Well,
            Manner::Well,
            json!({"jwks_uri": "https://a:b@keys.test"}),
        ),
    ];
    for (name, discovery, key_set, says) in cases {
        issuer.behave(|behaviour| {
            (behaviour.discovery, behaviour.key_set, behaviour.says) = (discovery, key_set, says);
        });
        let asked = issuer.asked();
        let begun = Instant::now();
        let said = stand.knock(&good).await;
        assert_eq!((said.status, said.code()), (503, "internal"), "{name}: {}", said.body);
        assert!(begun.elapsed() < Duration::from_secs(4), "{name}: {:?}", begun.elapsed());
        assert!(issuer.asked() > asked, "{name}: it was asked");
        // Others go on as if nothing were.
        stand.knock(&stand.owner()).await.value();
        tokio::time::sleep(A_WHILE).await;
    }
    assert_eq!(elsewhere.asked(), 0, "no redirect is followed");
    issuer.behave(|behaviour| {
        behaviour.discovery = Manner::Well;
        behaviour.key_set = Manner::Well;
        behaviour.says = json!({});
    });
    stand.knock(&good).await.value();
    stand.app.stop().await;
}
