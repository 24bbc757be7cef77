//! The examples of "HTTP Actions", one by one.

use reqwest::Method;

use crate::harness::Server;

/// "Here's an example of handling a pre-flight OPTIONS request".
#[tokio::test]
async fn here_s_an_example_of_handling_a_pre_flight_options_request() {
    let server = Server::start().await;
    for path in ["/api/client/v1/uploads", "/videoUpload/initializeVideoUpload", "/health"] {
        let url = format!("{}{path}", server.app.url());
        let asked = [
            ("Origin", "https://mywebsite.com"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type, digest"),
        ];
        let mut options = server.client.http.request(Method::OPTIONS, &url);
        for (name, value) in asked {
            options = options.header(name, value);
        }
        let answer = options.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        let methods = headers["access-control-allow-methods"].to_str().unwrap();
        assert_eq!(methods.contains("POST"), path != "/health", "the methods of this address");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.starts_with("Content-Type, Digest, Authorization"), "{allowed}");
        assert_eq!(headers["access-control-max-age"], "86400");
        assert!(answer.bytes().await.unwrap().is_empty());
        // Any of the three missing: an empty answer, and nothing is allowed.
        for missing in 0..3 {
            let mut options = server.client.http.request(Method::OPTIONS, &url);
            for (number, (name, value)) in asked.into_iter().enumerate() {
                if number != missing {
                    options = options.header(name, value);
                }
            }
            let answer = options.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let headers = answer.headers();
            assert!(!headers.contains_key("access-control-allow-methods"), "{missing}");
            assert!(!headers.contains_key("access-control-allow-origin"), "{missing}");
        }
    }
    server.stop().await;
}

/// "Here's an example of adding CORS headers to a Convex HTTP action".
#[tokio::test]
async fn here_s_an_example_of_adding_cors_headers_to_a_convex_http_action() {
    let server = Server::start().await;
    for (path, status) in [("/health", 200), ("/api/client/v1/uploads", 401)] {
        let get = server.client.http.get(format!("{}{path}", server.app.url()));
        let answer = get.header("Origin", "https://mywebsite.com").send().await.unwrap();
        assert_eq!(answer.status(), status, "also a refusal can be read by the page");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["vary"], "origin");
    }
    server.stop().await;
}

/// "Authentication": a bearer in `Authorization`.
#[tokio::test]
async fn authentication() {
    let server = Server::start().await;
    let url = format!("{}/api/client/v1/uploads", server.app.url());
    let key = server.client.key.clone().unwrap();
    let get = server.client.http.get(&url).header("Authorization", format!("Bearer {key}"));
    assert_eq!(get.send().await.unwrap().status(), 200);
    let get =
        server.client.http.get(&url).header("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
    assert_eq!(get.send().await.unwrap().status(), 401);
    server.stop().await;
}
