//! The description of the REST parts is current, and the server shows it.

use std::path::Path;

use serde_json::Value;

use crate::harness::Server;

/// `DAILIES_WRITE_OPENAPI=1` writes it anew.
#[tokio::test]
async fn the_checked_in_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let document = dailies_server::openapi::document();
    if std::env::var_os("DAILIES_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == document, "docs/openapi.json is old: DAILIES_WRITE_OPENAPI=1 writes it");

    let server = Server::start().await;
    let url = format!("{}/api/client/v1/openapi.json", server.app.url());
    let shown: Value = server.client.http.get(url).send().await.unwrap().json().await.unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(shown, document);
    assert_eq!(shown["openapi"], "3.1.0");
    // What it names is there: no address answers 404 to its own method.
    for (address, methods) in shown["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let url = format!("{}{}", server.app.url(), address.replace("{id}", "x"));
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = server.client.http.request(method, url).send().await.unwrap();
            assert_ne!(answer.status(), 404, "{address}");
            assert_ne!(answer.status(), 405, "{address}");
        }
    }
    server.stop().await;
}
