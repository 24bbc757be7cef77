//! Tokens of an OpenID Connect provider that nobody here wrote, at the real server.

use std::time::Duration;

use e2e::{OidcProvider, Server, counterparts};
use serde_json::{Value, json};
use tokio::process::Command;

/// What one step of the provider may take on a busy computer.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one fetch of an issuer's keys to the next, at the least.
const BETWEEN_FETCHES: Duration = Duration::from_secs(10);

/// An ID token and an access token.
async fn sign_in(provider: &mut OidcProvider, account: &str) -> [String; 2] {
    let tokens = provider.ask(&format!("tokens {account}")).await.unwrap();
    ["idToken", "accessToken"].map(|name| tokens[name].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn tokens_of_a_real_provider_are_taken_through_a_rotation_of_its_keys() {
    let mut provider = OidcProvider::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("DAILIES_OIDC_ISSUER", provider.issuer.clone()),
        ("DAILIES_OIDC_AUDIENCE", format!("{},{}", provider.audience, provider.client)),
        ("DAILIES_OIDC_CLIENT_ID", provider.client.clone()),
    ];
    let server = Server::start(folder.path(), &environment).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let url = format!("{}/api/query", server.credentials.url);
    let knock = async |token: &str| {
        let call = json!({"path": "projects:listUploadTargets", "args": {}, "format": "json"});
        let answer = http.post(&url).bearer_auth(token).json(&call).send().await.unwrap();
        answer.status().as_u16()
    };

    let before = sign_in(&mut provider, "ada").await;
    for token in &before {
        assert_eq!(knock(token).await, 200);
    }
    let (message, _) = before[1].rsplit_once('.').unwrap();
    let (_, of_another) = before[0].rsplit_once('.').unwrap();
    assert_eq!(knock(&format!("{message}.{of_another}")).await, 401);

    provider.ask("rotate").await.unwrap();
    let after = sign_in(&mut provider, "ada").await;
    tokio::time::sleep(BETWEEN_FETCHES).await;
    for token in after.iter().chain(&before) {
        assert_eq!(knock(token).await, 200, "both keys are published");
    }
    provider.ask("forget").await.unwrap();
    provider.ask("rotate").await.unwrap();
    let later = sign_in(&mut provider, "grace").await;
    tokio::time::sleep(BETWEEN_FETCHES).await;
    assert_eq!(knock(&later[1]).await, 200);
    for token in &before {
        assert_eq!(knock(token).await, 401, "its key is published no more");
    }
    assert_eq!(knock(&after[0]).await, 200);

    // Both tokens of an account are one user, by the name that its ID token says.
    let mut list = Command::new(e2e::program("dailies-server").unwrap());
    list.args(["user", "list", "--json", "--data"]).arg(folder.path());
    let users: Value =
        serde_json::from_str(&counterparts::run(PATIENCE, &mut list).await.unwrap()).unwrap();
    let names: Vec<&str> =
        users.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Owner", "ada of the studio", "grace"]);
    server.stop().await.unwrap();
}
