//! A media engine that does only what a test tells it: accepts assets, and says of them what it is
//! told to say. Its webhooks are the test's own.

use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use dailies_server::config::{Config, MediaSource, MuxConfig};
use serde_json::{Value, json};

use crate::harness::Server;

pub(crate) const SECRET: &str = "whsec-new";

/// Any RSA key will do for playback tokens that nobody checks here.
fn signing_key() -> String {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use base64::Engine as _;
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

#[derive(Clone, Default)]
pub(crate) struct FakeMux(Arc<Mutex<Assets>>);

#[derive(Default)]
struct Assets {
    /// What `GET` answers, in order of creation.
    made: Vec<Value>,
    down: bool,
    deleted: usize,
    /// Direct uploads, in order of creation.
    uploads: Vec<Value>,
    /// The next asset is made, but nobody learns of it.
    swallow: bool,
}

impl FakeMux {
    /// Runs until the test ends. Answers the change for a server's configuration.
    pub(crate) async fn start(&self) -> impl FnOnce(&mut Config) + use<> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/video/v1/assets", post(create).get(list))
            .route("/video/v1/assets/{id}", get(show).delete(delete))
            .route("/video/v1/uploads", post(create_upload))
            .route("/video/v1/uploads/{id}", get(show_upload))
            .route("/video/v1/uploads/{id}/cancel", put(cancel_upload))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        move |config| {
            config.media = MediaSource::Mux(Box::new(MuxConfig {
                api: api.parse().unwrap(),
                token_id: "id".into(),
                token_secret: "secret".into(),
                signing_key_id: "key".into(),
                signing_key: signing_key().into(),
                webhook_secrets: vec!["whsec-old".into(), SECRET.into()],
                stream: "https://stream.test".parse().unwrap(),
                image: "https://image.test".parse().unwrap(),
            }));
        }
    }

    pub(crate) fn created(&self) -> usize {
        self.0.lock().unwrap().made.len()
    }

    pub(crate) fn deleted(&self) -> usize {
        self.0.lock().unwrap().deleted
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// The answer to the next creation is lost.
    pub(crate) fn swallow_next(&self) {
        self.0.lock().unwrap().swallow = true;
    }

    /// Direct uploads as they are now, in order of creation.
    pub(crate) fn uploads(&self) -> Vec<Value> {
        self.0.lock().unwrap().uploads.clone()
    }

    /// All bytes of a direct upload are there. Answers its asset, which is being made.
    pub(crate) fn arrives(&self, upload_id: &str) -> Value {
        let mut assets = self.0.lock().unwrap();
        let number = assets.made.len() + 1;
        let upload = assets.uploads.iter_mut().find(|upload| upload["id"] == upload_id).unwrap();
        let asset = json!({
            "id": format!("asset-{number}"), "status": "preparing", "created_at": "1790000000",
            "playback_ids": [{"id": format!("playback-{number}"), "policy": "signed"}],
            "passthrough": upload["new_asset_settings"]["passthrough"], "upload_id": upload_id,
        });
        upload["status"] = json!("asset_created");
        upload["asset_id"] = asset["id"].clone();
        upload.as_object_mut().unwrap().remove("url");
        assets.made.push(asset.clone());
        asset
    }

    /// A direct upload ends without an asset.
    pub(crate) fn ends(&self, upload_id: &str, status: &str) -> Value {
        let mut assets = self.0.lock().unwrap();
        let upload = assets.uploads.iter_mut().find(|upload| upload["id"] == upload_id).unwrap();
        upload["status"] = json!(status);
        upload.as_object_mut().unwrap().remove("url");
        upload.clone()
    }

    /// The asset as it was created last, in another state.
    pub(crate) fn last(&self, status: &str) -> Value {
        let assets = self.0.lock().unwrap();
        in_state(assets.made.last().unwrap().clone(), status)
    }

    /// From now on `GET` says this of every asset.
    pub(crate) fn say(&self, status: &str) {
        for asset in &mut self.0.lock().unwrap().made {
            *asset = in_state(asset.clone(), status);
        }
    }
}

fn in_state(mut asset: Value, status: &str) -> Value {
    asset["status"] = json!(status);
    match status {
        "ready" => asset["duration"] = json!(2.5),
        "errored" => {
            asset["errors"] = json!({"type": "invalid_input", "messages": ["no moov atom"]});
        }
        _ => {}
    }
    asset
}

async fn create(
    State(mux): State<FakeMux>,
    headers: axum::http::HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut assets = mux.0.lock().unwrap();
    if assets.down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    // `id:secret`
    assert_eq!(headers["authorization"], "Basic aWQ6c2VjcmV0");
    assert_eq!(body["playback_policies"], json!(["signed"]));
    assert!(body["inputs"][0]["url"].as_str().unwrap().contains("X-Amz-Signature"));
    let number = assets.made.len() + 1;
    let asset = json!({
        "id": format!("asset-{number}"), "status": "preparing", "created_at": "1790000000",
        "playback_ids": [{"id": format!("playback-{number}"), "policy": "signed"}],
        "passthrough": body["passthrough"], "meta": body["meta"],
    });
    assets.made.push(asset.clone());
    if std::mem::take(&mut assets.swallow) {
        return (StatusCode::BAD_GATEWAY, Json(json!({})));
    }
    (StatusCode::CREATED, Json(json!({"data": asset})))
}

/// The newest first.
async fn list(State(mux): State<FakeMux>, Query(page): Query<Value>) -> (StatusCode, Json<Value>) {
    let assets = mux.0.lock().unwrap();
    if assets.down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let number = |name: &str| page[name].as_str().unwrap().parse::<usize>().unwrap();
    let (limit, page) = (number("limit"), number("page"));
    let data: Vec<_> = assets.made.iter().rev().skip((page - 1) * limit).take(limit).collect();
    (StatusCode::OK, Json(json!({"data": data})))
}

async fn show(State(mux): State<FakeMux>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let assets = mux.0.lock().unwrap();
    match assets.made.iter().find(|asset| asset["id"] == id.as_str()) {
        Some(asset) if !assets.down => (StatusCode::OK, Json(json!({"data": asset}))),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))),
        None => (StatusCode::NOT_FOUND, Json(json!({}))),
    }
}

async fn delete(State(mux): State<FakeMux>, Path(id): Path<String>) -> StatusCode {
    let mut assets = mux.0.lock().unwrap();
    if assets.down {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let before = assets.made.len();
    assets.made.retain(|asset| asset["id"] != id.as_str());
    assets.deleted += before - assets.made.len();
    StatusCode::NO_CONTENT
}

async fn create_upload(
    State(mux): State<FakeMux>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut assets = mux.0.lock().unwrap();
    if assets.down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    assert_eq!(body["new_asset_settings"]["playback_policies"], json!(["signed"]));
    let number = assets.uploads.len() + 1;
    let upload = json!({
        "id": format!("upload-{number}"), "status": "waiting", "timeout": body["timeout"],
        "cors_origin": body["cors_origin"], "new_asset_settings": body["new_asset_settings"],
        "url": format!("https://uploads.test/{number}?upload_id=canary"),
    });
    assets.uploads.push(upload.clone());
    (StatusCode::CREATED, Json(json!({"data": upload})))
}

async fn show_upload(
    State(mux): State<FakeMux>,
    Path(id): Path<String>,
) -> (StatusCode, Json<Value>) {
    let assets = mux.0.lock().unwrap();
    match assets.uploads.iter().find(|upload| upload["id"] == id.as_str()) {
        Some(upload) if !assets.down => (StatusCode::OK, Json(json!({"data": upload}))),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))),
        None => (StatusCode::NOT_FOUND, Json(json!({}))),
    }
}

async fn cancel_upload(
    State(mux): State<FakeMux>,
    Path(id): Path<String>,
) -> (StatusCode, Json<Value>) {
    let waits = mux.uploads().iter().any(|u| u["id"] == id.as_str() && u["status"] == "waiting");
    if !waits {
        return (StatusCode::FORBIDDEN, Json(json!({})));
    }
    (StatusCode::OK, Json(json!({"data": mux.ends(&id, "cancelled")})))
}

/// Delivers an event as Mux would, and answers the status.
pub(crate) async fn deliver(server: &Server, id: &str, kind: &str, asset: &Value) -> u16 {
    let event = json!({
        "type": kind, "id": id, "created_at": "2026-01-01T00:00:00Z", "data": asset,
        "object": {"type": "asset", "id": asset["id"]}, "environment": {"name": "Test"},
    });
    let body = event.to_string();
    deliver_signed(server, &body, &signature(SECRET, 0, &body)).await
}

pub(crate) async fn deliver_signed(server: &Server, body: &str, signature: &str) -> u16 {
    let post = server.client.http.post(format!("{}/webhooks/mux", server.app.url()));
    let post = post.header("Mux-Signature", signature).body(body.to_owned());
    post.send().await.unwrap().status().as_u16()
}

/// `Mux-Signature`, made this many seconds ago.
pub(crate) fn signature(secret: &str, age: i64, body: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let time = now.as_secs().checked_add_signed(-age).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}
