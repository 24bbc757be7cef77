//! A whole server on free ports, called as anybody.

use std::time::Duration;

use dailies_api::credentials::Credentials;
use dailies_server::app::App;
use dailies_server::config::Config;
use dailies_server::config::oidc::OidcIssuer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

pub(crate) struct Stand {
    pub(crate) app: App,
    pub(crate) data: tempfile::TempDir,
    pub(crate) credentials: Credentials,
    http: reqwest::Client,
}

/// What came back: the status, and the body.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Said {
    /// What the function returned.
    pub(crate) fn value(&self) -> &Value {
        assert_eq!((self.status, &self.body["status"]), (200, &json!("success")), "{}", self.body);
        &self.body["value"]
    }

    /// The code of a refusal, by the function or before it.
    pub(crate) fn code(&self) -> &str {
        let refusal = if self.status == 200 { &self.body["errorData"] } else { &self.body };
        refusal["code"].as_str().unwrap_or_else(|| panic!("no refusal: {}", self.body))
    }
}

impl Stand {
    pub(crate) async fn start(oidc: Vec<OidcIssuer>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(data.path().to_owned());
        config.oidc = oidc;
        let app = Box::pin(App::start(config)).await.unwrap();
        let file = std::fs::read(data.path().join("credentials.json")).unwrap();
        let credentials = serde_json::from_slice(&file).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60));
        Self { app, data, credentials, http: http.build().unwrap() }
    }

    pub(crate) fn owner(&self) -> String {
        self.credentials.api_key.expose_secret().to_owned()
    }

    /// Calls a function with this bearer.
    pub(crate) async fn call(&self, bearer: &str, kind: &str, name: &str, args: Value) -> Said {
        self.call_keyed(bearer, kind, name, args, None).await
    }

    pub(crate) async fn call_keyed(
        &self,
        bearer: &str,
        kind: &str,
        name: &str,
        args: Value,
        idempotency_key: Option<&str>,
    ) -> Said {
        let body = json!({"path": name, "args": args, "format": "json"});
        let mut post = self.http.post(format!("{}/api/{kind}", self.app.url())).json(&body);
        post = post.bearer_auth(bearer);
        if let Some(key) = idempotency_key {
            post = post.header("Idempotency-Key", key);
        }
        let answer = post.send().await.unwrap();
        Said { status: answer.status().as_u16(), body: answer.json().await.unwrap() }
    }

    /// A call that every user may make: 200 where the bearer is good.
    pub(crate) async fn knock(&self, bearer: &str) -> Said {
        self.call(bearer, "query", "projects:listUploadTargets", json!({})).await
    }

    pub(crate) fn database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.data.path().join("team.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection
    }

    /// A user in the first team, with a key that may do all the user may.
    pub(crate) fn member(&self, name: &str, role: &str) -> String {
        use sha2::Digest as _;
        let key = format!("sk-{name}-of-the-test");
        let hash: [u8; 32] = sha2::Sha256::digest(key.as_bytes()).into();
        let team = &self.credentials.team_id;
        let database = self.database();
        let user = "INSERT INTO users (id, name, created_at) VALUES (?1, ?1, 0)";
        database.execute(user, [name]).unwrap();
        let member = "INSERT INTO members (team_id, user_id, role) VALUES (?1, ?2, ?3)";
        database.execute(member, [team.as_str(), name, role]).unwrap();
        database
            .execute(
                "INSERT INTO api_keys (id, hash, user_id, team_id, role, created_at)
                 VALUES (?1, ?2, ?1, ?3, 'owner', 0)",
                rusqlite::params![name, hash, team],
            )
            .unwrap();
        key
    }
}
