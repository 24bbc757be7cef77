//! Rates by key and by address.

use reqwest::header::RETRY_AFTER;
use serde_json::Value;

use crate::harness::Server;

#[tokio::test]
async fn a_key_above_its_rate_is_told_when_to_come_again_and_then_served() {
    let server = Server::start(|config| config.network.calls_per_second = 1).await;
    let mut refused = None;
    for call in 0..40 {
        let answer = server.query(Some(server.key())).send().await.unwrap();
        if answer.status() == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 200, "call {call}");
    }
    let refused = refused.expect("ten at once and one a second are allowed");
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    let wait: u64 = refused.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert_eq!(wait, 1);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["code"], "rate_limited");
    assert_eq!(server.query(None).send().await.unwrap().status(), 200, "others are served");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(server.query(Some(server.key())).send().await.unwrap().status(), 200);
    server.app.stop().await;
}

#[tokio::test]
async fn what_an_upload_does_at_full_speed_is_within_the_usual_rates() {
    let server = Server::start(|config| config.network = Default::default()).await;
    let calls = (0..32).map(|_| {
        let query = server.query(Some(server.key()));
        tokio::spawn(async move {
            for _ in 0..25 {
                let answer = query.try_clone().unwrap().send().await.unwrap();
                assert_eq!(answer.status(), 200);
            }
        })
    });
    for calls in calls.collect::<Vec<_>>() {
        calls.await.unwrap();
    }
    server.app.stop().await;
}

#[tokio::test]
async fn addresses_behind_a_trusted_proxy_are_told_apart() {
    let server = Server::start(|config| config.network.address_calls_per_second = 1).await;
    let from = async |client: &str| {
        let query = server.query(None).header("x-forwarded-for", client);
        query.send().await.unwrap().status().as_u16()
    };
    for _ in 0..10 {
        assert_eq!(from("198.51.100.9, 192.0.2.1").await, 200);
    }
    let mut last = 200;
    for _ in 0..5 {
        // What the client itself adds on the left changes nothing.
        last = last.max(from("203.0.113.5, 192.0.2.1").await);
    }
    assert_eq!(last, 429);
    assert_eq!(from("192.0.2.2").await, 200);
    server.app.stop().await;
}

#[tokio::test]
async fn who_tries_keys_is_stopped_and_his_neighbour_is_not() {
    let change = |config: &mut dailies_server::config::Config| {
        config.network.failures_per_minute = 5;
    };
    let server = Server::start(change).await;
    assert_eq!(server.query(Some(server.key())).send().await.unwrap().status(), 200);
    let mut statuses = Vec::new();
    for guess in 0..10 {
        let guess = format!("sk-{guess}");
        statuses.push(server.query(Some(&guess)).send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[7..], [429; 3], "{statuses:?}");
    let good = server.query(Some(server.key())).send().await.unwrap();
    assert_eq!(good.status(), 200, "a key that was good before stays welcome");
    server.app.stop().await;
}
