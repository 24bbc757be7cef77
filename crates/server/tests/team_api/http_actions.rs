//! The router of HTTP actions: exact and prefix routes, methods, preflight, the limit of a body.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Server;

#[tokio::test]
async fn another_method_is_405_and_another_address_404() {
    let server = Server::start().await;
    let http = &server.client.http;
    for (method, path, allow) in [
        (Method::POST, "/health", "GET, OPTIONS"),
        (Method::DELETE, "/api/client/v1/uploads", "GET, POST, OPTIONS"),
        (Method::PUT, "/api/client/v1/uploads/x", "GET, OPTIONS"),
        (Method::GET, "/webhooks/mux", "POST, OPTIONS"),
        (Method::GET, "/videoUpload/cancelUpload", "POST, OPTIONS"),
    ] {
        let url = format!("{}{path}", server.app.url());
        let answer = http.request(method.clone(), url).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow);
        assert!(answer.json::<Value>().await.unwrap()["code"].is_string());
    }
    for path in ["/api/client/v1/nothing", "/api/client/v1/uploads/a/b", "/videoUpload/a/b"] {
        let answer = http.get(format!("{}{path}", server.app.url())).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "not_found");
    }
    let health = http.get(format!("{}/health", server.app.url())).send().await.unwrap();
    assert_eq!(health.json::<Value>().await.unwrap(), json!({"status": "ok"}));
    server.stop().await;
}

#[tokio::test]
async fn a_body_of_20_mb_is_read_and_a_larger_one_refused() {
    let server = Server::start().await;
    let url = format!("{}/videoUpload/getUploadProgress", server.app.url());
    let send = |size: usize, announced: bool| {
        let mut body = br#"{"uploadSessionId":1"#.to_vec();
        body.resize(size - 1, b' ');
        body.push(b'}');
        let body = if announced {
            reqwest::Body::from(body)
        } else {
            reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(body)]))
        };
        let key = server.client.key.clone().unwrap();
        let post = server.client.http.post(&url).bearer_auth(key).body(body);
        async move {
            let answer = post.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let (status, answer) = send(20_000_000, true).await;
    assert_eq!((status, &answer["data"]["code"]), (400, &json!("session_not_found")));
    for announced in [true, false] {
        let (status, refused) = send(20_000_001, announced).await;
        assert_eq!((status, &refused["code"]), (413, &json!("body_too_large")));
    }
    server.stop().await;
}
