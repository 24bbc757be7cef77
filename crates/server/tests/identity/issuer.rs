//! An issuer on loopback that can be told how to behave, and counts what it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use dailies_server::config::oidc::{KeyLimits, OidcIssuer};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::signing::AUDIENCE;

/// How one of its documents is answered.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    Well,
    Status(u16),
    /// After this.
    Slow(Duration),
    /// Never, after it has begun.
    Hangs,
    Text(String),
    Redirect(String),
    /// More bytes than anybody wants.
    Huge,
}

pub(crate) struct Behaviour {
    pub(crate) keys: Vec<Value>,
    pub(crate) discovery: Manner,
    pub(crate) key_set: Manner,
    /// What discovery says, where it is not the truth.
    pub(crate) says: Value,
    pub(crate) cache_control: Option<&'static str>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    discoveries: AtomicUsize,
    fetches: AtomicUsize,
    url: String,
}

pub(crate) struct Issuer {
    pub(crate) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Issuer {
    pub(crate) async fn start(keys: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Behaviour {
            keys,
            discovery: Manner::Well,
            key_set: Manner::Well,
            says: json!({}),
            cache_control: None,
        };
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            discoveries: AtomicUsize::default(),
            fetches: AtomicUsize::default(),
            url: url.clone(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(key_set))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, server }
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().unwrap());
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// How often anything was asked for.
    pub(crate) fn asked(&self) -> usize {
        self.fetches() + self.shared.discoveries.load(Ordering::SeqCst)
    }

    /// As the server is told of it: every limit a hundredth of the usual.
    pub(crate) fn settings(&self) -> OidcIssuer {
        let mut issuer = OidcIssuer::new(&self.url, vec![AUDIENCE.into(), "another".into()]);
        issuer.keys = KeyLimits {
            between_fetches: Duration::from_millis(100),
            fetch: Duration::from_millis(500),
            ..KeyLimits::default()
        };
        issuer
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    shared.discoveries.fetch_add(1, Ordering::SeqCst);
    let (manner, document) = {
        let behaviour = shared.behaviour.lock().unwrap();
        let mut document = json!({
            "issuer": shared.url, "jwks_uri": format!("{}/keys", shared.url),
            "authorization_endpoint": format!("{}/authorize", shared.url),
        });
        for (name, value) in behaviour.says.as_object().unwrap() {
            document[name] = value.clone();
        }
        (behaviour.discovery.clone(), document)
    };
    answer(manner, document.to_string(), None).await
}

async fn key_set(State(shared): State<Arc<Shared>>) -> Response {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let (manner, document, cache_control) = {
        let behaviour = shared.behaviour.lock().unwrap();
        let document = json!({"keys": behaviour.keys}).to_string();
        (behaviour.key_set.clone(), document, behaviour.cache_control)
    };
    answer(manner, document, cache_control).await
}

async fn answer(manner: Manner, well: String, cache_control: Option<&'static str>) -> Response {
    match manner {
        Manner::Well => match cache_control {
            Some(value) => ([(header::CACHE_CONTROL, value)], well).into_response(),
            None => well.into_response(),
        },
        Manner::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Manner::Slow(time) => {
            tokio::time::sleep(time).await;
            well.into_response()
        }
        Manner::Hangs => {
            Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>())
                .into_response()
        }
        Manner::Text(text) => text.into_response(),
        Manner::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Manner::Huge => {
            format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(600 << 10)).into_response()
        }
    }
}
