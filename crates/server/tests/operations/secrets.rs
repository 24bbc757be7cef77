//! Nothing that opens anything is in a log, a metric or a refusal, at any level of detail.

use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::harness::{Program, call, client, credentials};

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_in_no_log_no_metric_and_no_refusal() {
    use rustix::process::{Pid, Signal, kill_process};

    let data = tempfile::tempdir().unwrap();
    let variables = [("RUST_LOG", "trace"), ("DAILIES_METRICS_TOKEN", "canary-metrics-token")];
    let mut program = Program::start(data.path(), &variables);
    let known = credentials(data.path());
    let http = client();
    let bytes = b"no video at all".to_vec();
    let create = json!({
        "projectId": known.project_id, "title": "t",
        "fileSize": bytes.len(), "contentType": "video/mp4",
    });
    let video = json!({"videoId": call(&http, &known, "mutation", "videos:create", create).await});
    let url = call(&http, &known, "action", "videoActions:getUploadUrl", video.clone()).await;
    let url = url["uploadUrl"].as_str().unwrap().to_owned();
    let put = http.put(&url).header("content-type", "video/mp4").body(bytes).send().await.unwrap();
    assert_eq!(put.status(), 200);
    call(&http, &known, "action", "videoActions:markUploadComplete", video.clone()).await;
    while call(&http, &known, "query", "videos:get", video.clone()).await["status"] == "processing"
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // What anybody could send, in every place where a server might repeat it.
    let base = &known.url;
    let spoilt = url.replace("X-Amz-Signature=", "X-Amz-Signature=canary-signature");
    let wrong =
        json!({"path": "videos:get", "args": {"videoId": "canary-argument"}, "format": "json"});
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-jwt";
    let requests = [
        http.post(format!("{base}/api/query")).bearer_auth("sk-canary-key").json(&wrong),
        http.post(format!("{base}/api/query")).bearer_auth(jwt).json(&wrong),
        http.post(format!("{base}/api/query")).json(&wrong),
        http.get(format!("{base}/stream/canary-playback-id.m3u8?token={jwt}")),
        http.get(format!("{base}/canary-path?password=canary-query")),
        http.get(format!("{base}/mux/video/v1/assets")).basic_auth("id", Some("canary-mux-secret")),
        http.post(format!("{base}/webhooks/mux")).header("mux-signature", "t=1,v1=canary-hmac"),
        http.get(format!("{base}/metrics")).bearer_auth("canary-wrong-token"),
        http.put(&spoilt).body("canary-body"),
        http.get(format!("{base}/health")).header("x-request-id", "canary id"),
    ];
    let mut refusals = String::new();
    for request in requests {
        let answer = request.send().await.unwrap();
        assert!(answer.status() != StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
        refusals.push_str(&answer.text().await.unwrap());
    }
    let metrics = http.get(format!("{base}/metrics")).bearer_auth("canary-metrics-token");
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (_, log) = program.end();
    assert!(log.contains("dailies_server::request"), "the log is there: {log}");
    assert!(metrics.contains("dailies_requests_total"), "the metrics are there: {metrics}");

    let database = rusqlite::Connection::open(data.path().join("team.db")).unwrap();
    let mut secrets = vec![
        known.api_key.expose_secret().to_owned(),
        known.s3.secret_access_key.expose_secret().to_owned(),
        "canary".to_owned(),
        "X-Amz-Signature".to_owned(),
        "?token=".to_owned(),
        jwt.split('.').nth(1).unwrap().to_owned(),
    ];
    for name in ["mux_token_secret", "mux_webhook_secret", "signing_key"] {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        let value: String = database.query_row(sql, [name], |row| row.get(0)).unwrap();
        // Of a key in PEM, a line of its middle.
        secrets.push(value.lines().nth(3).map_or(value.clone(), str::to_owned));
    }
    for secret in secrets {
        for (place, text) in [("log", &log), ("metrics", &metrics)] {
            let found = text.lines().find(|line| line.contains(&secret));
            assert!(found.is_none(), "{secret} in the {place}: {found:?}");
        }
        // A refusal may name the function's argument back, but nothing that opens something. S3
        // names the resource and the key id by its protocol.
        if secret != "canary" {
            assert!(!refusals.contains(&secret), "{secret} in a refusal: {refusals}");
        }
    }
    for secret in
        ["sk-canary-key", "canary-jwt", "canary-mux", "canary-hmac", "canary-wrong", "canary-query"]
    {
        assert!(!refusals.contains(secret), "{secret} in a refusal: {refusals}");
    }
}
