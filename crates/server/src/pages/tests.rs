use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn get(address: &str) -> (StatusCode, http::HeaderMap, String) {
    let router = router(&["https://stream.mux.com/path".into(), "nonsense".into()]);
    let request = Request::get(address).body(Body::empty()).expect("a request");
    let answer = router.oneshot(request).await.expect("no error");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_pages_reach_only_the_server_and_the_playback_origins() {
    for address in ["/watch/abc", "/share/abc"] {
        let (status, headers, html) = get(address).await;
        assert_eq!(status, StatusCode::OK);
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("connect-src 'self' https://stream.mux.com;"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("nonsense"), "{policy}");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-robots-tag"], "noindex");
        assert!(!html.contains("http://") && !html.contains("https://"), "no third party");
        assert!(
            !html.contains("style=") && !html.contains("<style") && !html.contains(" on"),
            "inline"
        );
    }
}

#[tokio::test]
async fn the_files_of_the_pages_are_there_and_kept() {
    for address in ["/watch/abc", "/share/abc"] {
        let (.., html) = get(address).await;
        let names: Vec<_> = html
            .split('"')
            .filter(|part| part.starts_with("/watch/files/"))
            .map(str::to_owned)
            .collect();
        assert_eq!(names.len(), 5, "icon, style, player, the page's own script, hls");
        for name in names {
            let (status, headers, body) = get(&name).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
            assert!(!body.is_empty() && name.contains('-'), "{name}");
            for imported in body.split('"').filter(|part| part.starts_with("./")) {
                let imported = imported.replace("./", "/watch/files/");
                assert_eq!(get(&imported).await.0, StatusCode::OK, "{name} imports {imported}");
            }
        }
    }
    assert_eq!(get("/watch/files/watch.js").await.0, StatusCode::NOT_FOUND);
}
