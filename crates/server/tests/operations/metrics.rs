//! `GET /metrics`, and what must not be in it.

use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn what_happened_is_counted_by_names_that_are_known() {
    let change = |config: &mut dailies_server::config::Config| {
        config.metrics.token = Some("metrics-token".into());
    };
    let server = Server::start(change).await;
    let create = json!({
        "projectId": server.credentials.project_id, "title": "t",
        "fileSize": 4, "contentType": "video/mp4",
    });
    let video = server.call("mutation", "videos:create", create).await;
    let args = json!({"videoId": video});
    let url = server.call("action", "videoActions:getUploadUrl", args).await;
    let put = server.http.put(url["uploadUrl"].as_str().unwrap());
    let put = put.header("content-type", "video/mp4").body("1234");
    assert_eq!(put.send().await.unwrap().status(), 200);
    let body = json!({"path": "videos:madeUp123", "args": {}, "format": "json"});
    let post = server.http.post(format!("{}/api/query", server.app.url())).json(&body);
    assert_eq!(post.send().await.unwrap().status(), 200);
    for path in ["/watch/canary-id", "/canary-path?token=canary-query"] {
        server.http.get(format!("{}{path}", server.app.url())).send().await.unwrap();
    }

    let metrics = format!("{}/metrics", server.app.url());
    assert_eq!(server.http.get(&metrics).send().await.unwrap().status(), 401);
    let wrong = server.http.get(&metrics).bearer_auth("metrics-tokem").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let shown = server.http.get(&metrics).bearer_auth("metrics-token").send().await.unwrap();
    let shown = shown.text().await.unwrap();
    let has = |line: &str| assert!(shown.contains(line), "{line}\n{shown}");
    has("dailies_function_calls_total{function=\"videos:create\",outcome=\"ok\"} 1\n");
    has("dailies_requests_total{method=\"PUT\",route=\"s3\",status=\"200\"} 1\n");
    has("dailies_requests_total{method=\"GET\",route=\"/watch/{public_id}\"");
    has("dailies_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1\n");
    has("dailies_videos{state=\"uploading\"} 1\n");
    has("dailies_webhooks_pending 0\n");
    has("dailies_connections{listener=\"api\"}");
    has("dailies_database_commit_seconds_bucket{le=\"+Inf\"}");
    has("dailies_build_info{version=\"");
    let received = shown.lines().find_map(|line| {
        line.strip_prefix("dailies_received_bytes_total{listener=\"s3\"} ")?.parse::<u64>().ok()
    });
    assert!(received.unwrap() > 4, "the storage's bytes are counted");
    let free = shown.lines().find_map(|line| line.strip_prefix("dailies_disk_free_bytes "));
    assert!(free.unwrap().parse::<f64>().unwrap() > 0.0);
    for never in ["canary", "madeUp123", video.as_str().unwrap(), server.key()] {
        assert!(!shown.contains(never), "{never}\n{shown}");
    }
    assert!(shown.ends_with("# EOF\n"));
    server.app.stop().await;
}

#[tokio::test]
async fn without_a_token_metrics_are_on_their_own_listener_only() {
    let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = own.local_addr().unwrap();
    drop(own);
    let server = Server::start(|config| config.metrics.listen = Some(address)).await;
    let get = async |url: String| server.http.get(url).send().await.unwrap().status().as_u16();
    assert_eq!(get(format!("{}/metrics", server.app.url())).await, 404);
    for path in ["metrics", "health", "health/ready"] {
        assert_eq!(get(format!("http://{address}/{path}")).await, 200, "{path}");
    }
    server.app.stop().await;
}

#[tokio::test]
async fn a_request_keeps_the_name_its_caller_gave_it() {
    let server = Server::start(|_| {}).await;
    let named = server.query(None).header("x-request-id", "mine-1").send().await.unwrap();
    assert_eq!(named.headers()["x-request-id"], "mine-1");
    let unnamed = server.query(None).send().await.unwrap();
    assert_eq!(unnamed.headers()["x-request-id"].len(), 26);
    server.app.stop().await;
}
