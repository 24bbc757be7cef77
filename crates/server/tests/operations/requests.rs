//! Requests that are too large, too slow, or ambiguous.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Server, code, raw, until_closed};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn heads_that_trickle_are_cut_while_others_are_served() {
    let server = Server::start(|config| config.network.header_timeout = SHORT).await;
    let address = server.address();
    let slow = (0..50).map(|_| {
        let address = address.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (mut from, mut to) = stream.split();
            let drip = async {
                let mut written = to.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").await;
                while written.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    written = to.write_all(b"a").await;
                }
                std::future::pending::<()>().await;
            };
            let mut answer = Vec::new();
            let read =
                async { while from.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
            tokio::select! { () = drip => {}, () = read => {} }
            (String::from_utf8(answer).unwrap(), started.elapsed())
        })
    });
    let slow: Vec<_> = slow.collect();
    for _ in 0..10 {
        assert_eq!(server.query(Some(server.key())).send().await.unwrap().status(), 200);
    }
    for slow in slow {
        let (answer, took) = slow.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(code(&answer), "request_timeout");
        assert!(took >= SHORT && took < Duration::from_secs(10), "{took:?}");
    }
    server.app.stop().await;
}

#[tokio::test]
async fn a_connection_that_was_of_use_may_wait_and_go_on() {
    let server = Server::start(|config| config.network.header_timeout = SHORT).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 512];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{:?}", &answer[..read]);
        // Longer than a head may take: nothing has begun yet.
        tokio::time::sleep(SHORT * 2).await;
    }
    server.app.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let change = |config: &mut dailies_server::config::Config| {
        (config.network.header_timeout, config.network.idle_timeout) = (SHORT, SHORT);
    };
    let server = Server::start(change).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let started = Instant::now();
    assert_eq!(until_closed(&mut stream).await, "");
    assert!(started.elapsed() >= SHORT);
    server.app.stop().await;
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_on_both_listeners() {
    let server = Server::start(|config| config.network.stall_timeout = SHORT).await;
    let head = "POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{\"path\":";
    let answer = raw(&server.address(), head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(code(&answer), "request_timeout");

    let create = serde_json::json!({
        "projectId": server.credentials.project_id, "title": "t",
        "fileSize": 100_000, "contentType": "video/mp4",
    });
    let video = server.call("mutation", "videos:create", create).await;
    let args = serde_json::json!({"videoId": video});
    let url = server.call("action", "videoActions:getUploadUrl", args).await;
    let url = reqwest::Url::parse(url["uploadUrl"].as_str().unwrap()).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let put = format!(
        "PUT {}?{} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-length: 100000\r\n\r\nsome",
        url.path(),
        url.query().unwrap()
    );
    let answer = raw(&format!("{host}:{port}"), put.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("<Code>RequestTimeout</Code>"), "{answer}");
    server.app.stop().await;
}

#[tokio::test]
async fn bodies_above_a_routes_size_are_refused_announced_or_not() {
    let server = Server::start(|_| {}).await;
    for (path, most) in
        [("/api/query", 16 << 20), ("/webhooks/mux", 1 << 20), ("/mux/x", 20_000_000)]
    {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", most + 1);
        let answer = raw(&server.address(), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
        assert_eq!(code(&answer), "body_too_large");
    }
    // In pieces, so that only the bytes themselves say how many they are.
    let pieces =
        futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 << 10])));
    let post = server.http.post(format!("{}/webhooks/mux", server.app.url()));
    let answer = post.body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    server.app.stop().await;
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_refused_in_words() {
    let server = Server::start(|_| {}).await;
    let many: String = (0..150).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(100 << 10));
    for headers in [many, long] {
        let request =
            format!("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        let answer = raw(&server.address(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert_eq!(code(&answer), "headers_too_large");
    }
    let endless = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}", "y".repeat(1 << 20));
    let answer = raw(&server.address(), endless.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.app.stop().await;
}

/// A request that a proxy before this server could read in another way.
#[tokio::test]
async fn ambiguous_bodies_never_hide_a_second_request() {
    let server = Server::start(|_| {}).await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    let post = "POST /api/query HTTP/1.1\r\nhost: x\r\n";
    for headers in [
        "content-length: 4\r\ncontent-length: 5\r\n\r\n{}",
        "content-length: 2, 3\r\n\r\n{}",
        "content-length: +2\r\n\r\n{}",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ] {
        let answer = raw(&server.address(), format!("{post}{headers}{hidden}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answer}");
    }
    // RFC 9112, 6.3: with both, the length counts for nothing, and the connection ends.
    let both =
        format!("{post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
    let answer = raw(&server.address(), both.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    server.app.stop().await;
}

#[tokio::test]
async fn a_stranger_has_only_so_many_connections() {
    let change = |config: &mut dailies_server::config::Config| {
        config.network.trusted_proxies.clear();
        config.network.connections_per_address = 20;
    };
    let server = Server::start(change).await;
    let mut open = Vec::new();
    let mut closed = 0;
    for _ in 0..30 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let asked = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut answer = [0; 512];
        match (asked, stream.read(&mut answer).await) {
            (Ok(()), Ok(read)) if read > 0 => open.push(stream),
            _ => closed += 1,
        }
    }
    // One or two are the server's own.
    assert!((16..=20).contains(&open.len()), "{}", open.len());
    assert_eq!(open.len() + closed, 30);
    drop(open);
    let deadline = Instant::now() + crate::harness::PATIENCE;
    while server.query(Some(server.key())).send().await.is_err() {
        assert!(Instant::now() < deadline, "places are given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.app.stop().await;
}
