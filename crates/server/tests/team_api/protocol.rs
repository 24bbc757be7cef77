//! The wire around the functions, as the official client and as `curl` speak it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Server, code};

async fn post(server: &Server, kind: &str, body: Value) -> (u16, Value) {
    let key = server.client.key.clone().unwrap();
    let post = server.client.http.post(format!("{}/api/{kind}", server.app.url()));
    let answer = post.bearer_auth(key).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn both_forms_of_arguments_and_both_names_of_a_module_are_taken() {
    let server = Server::start().await;
    let video = server.create("t", 5).await;
    for (path, format, args) in [
        ("videos:get", "json", json!({"videoId": video})),
        ("videos:get", "convex_encoded_json", json!([{"videoId": video}])),
        ("videos.js:get", "convex_encoded_json", json!([{"videoId": video}])),
    ] {
        let body = json!({"path": path, "format": format, "args": args});
        let (status, answer) = post(&server, "query", body).await;
        assert_eq!((status, &answer["status"]), (200, &json!("success")), "{answer}");
        assert_eq!(answer["value"]["fileSize"], 5);
    }
    // Five, as an Int64 of the encoded form.
    let args = json!([{
        "projectId": server.credentials.project_id, "title": "t",
        "fileSize": {"$integer": "BQAAAAAAAAA="},
    }]);
    let body = json!({"path": "videos:create", "format": "convex_encoded_json", "args": args});
    let (_, answer) = post(&server, "mutation", body).await;
    assert_eq!(server.get(answer["value"].as_str().unwrap()).await["fileSize"], 5);
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_function_is_told_so() {
    let server = Server::start().await;
    for (kind, name) in [
        ("query", "videos:nothing"),
        ("query", "videos"),
        ("mutation", "videos:get"),
        ("query", "videos:create"),
        ("mutation", "videoActions:getUploadUrl"),
    ] {
        let error = server.client.call(kind, name, json!({}), None).await.unwrap_err();
        assert_eq!(code(&error), "function_not_found", "{kind} {name}");
    }
    for args in [json!([1]), json!([{}, {}]), json!("x")] {
        let error = server.client.query("videos:get", args).await.unwrap_err();
        assert_eq!(code(&error), "invalid_argument");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_argument_error_names_the_argument() {
    let server = Server::start().await;
    let project = &server.credentials.project_id;
    for (args, field) in [
        (json!({"projectId": project}), "title"),
        (json!({"projectId": project, "title": 5}), "title"),
        (json!({"projectId": project, "title": " "}), "title"),
        (json!({"projectId": project, "title": "t", "folder": "x"}), "folder"),
        (json!({"projectId": project, "title": "t", "fileSize": "5"}), "fileSize"),
    ] {
        let error = server.client.mutation("videos:create", args).await.unwrap_err();
        assert_eq!((code(&error), &error["field"]), ("invalid_argument", &json!(field)));
    }
    server.stop().await;
}

#[tokio::test]
async fn failures_before_the_function_are_not_200() {
    let server = Server::start().await;
    let url = format!("{}/api/query", server.app.url());
    let http = &server.client.http;
    let body = json!({"path": "projects:listUploadTargets", "args": {}, "format": "json"});
    for authorization in ["Bearer sk-wrong", "Bearer x.y.z", "Basic YTpi", "sk-x", "Bearer"] {
        let answer = http.post(&url).header("Authorization", authorization).json(&body).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 401, "{authorization}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["code"], "bad_credentials");
        assert!(answer["message"].is_string());
    }
    let answer = http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "an absent header is an anonymous call");
    let answer = http.post(&url).body("{").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let announced = http.post(&url).body(vec![b' '; (16 << 20) + 1]).send().await.unwrap();
    assert_eq!(announced.status(), 413);
    assert_eq!(announced.json::<Value>().await.unwrap()["code"], "body_too_large");
    let largest = http.post(&url).body(vec![b' '; 16 << 20]).send().await.unwrap();
    assert_eq!(largest.status(), 400, "16 MiB are read");
    let health = http.get(format!("{}/health", server.app.url())).send().await.unwrap();
    assert_eq!(health.status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn any_page_may_call_with_a_bearer() {
    let server = Server::start().await;
    let url = format!("{}/api/action", server.app.url());
    let preflight = server
        .client
        .http
        .request(Method::OPTIONS, &url)
        .header("Origin", "https://review.test")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type,convex-client")
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    let header = |name: &str| preflight.headers()[name].to_str().unwrap().to_lowercase();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("post"));
    assert!(header("access-control-allow-headers").contains("authorization"));
    assert!(!preflight.headers().contains_key("access-control-allow-credentials"));
    let refused = server.client.http.post(&url).header("Origin", "https://review.test");
    let refused = refused.bearer_auth("sk-wrong").body("{}").send().await.unwrap();
    assert_eq!(refused.headers()["access-control-allow-origin"], "*", "errors can be read, too");
    server.stop().await;
}

#[tokio::test]
async fn lists_are_pages_newest_first() {
    let server = Server::start().await;
    let mut created = Vec::new();
    for i in 0..5 {
        created.push(server.create(&format!("clip {i}"), 1).await);
    }
    created.reverse();
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    let mut pages = 0;
    loop {
        let args = json!({
            "projectId": server.credentials.project_id,
            "paginationOpts": {"numItems": 2, "cursor": cursor, "id": 1},
        });
        let page = server.client.query("videos:list", args).await.unwrap();
        seen.extend(
            page["page"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["_id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        cursor = page["continueCursor"].clone();
        assert!(cursor.is_string());
        if page["isDone"] == true {
            break;
        }
    }
    assert_eq!((seen, pages), (created, 3));
    let args = json!({
        "projectId": server.credentials.project_id,
        "paginationOpts": {"numItems": 2, "cursor": "nonsense"},
    });
    let error = server.client.query("videos:list", args).await.unwrap_err();
    assert_eq!(error["field"], "paginationOpts.cursor");
    server.stop().await;
}
