//! What answers at an address is recognised, and what does not is told in words.

use std::time::Duration;

use dailies_api::videos::VideoStatus;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::net::Clients;
use dailies_engine::team::{Connection, ProtocolKind, Team};
use e2e::clips::Take;
use e2e::proxy::{Fault, Rule, What};
use e2e::{FaultProxy, Server, Stage, Uploader, quick};
use secrecy::SecretString;
use url::Url;

const LIMIT: Duration = Duration::from_secs(60);

async fn probe(
    url: &str,
    key: &SecretString,
    kind: Option<ProtocolKind>,
) -> Result<ProtocolKind, EngineError> {
    let connection = Connection::with_key(Url::parse(url).unwrap(), key.clone()).of_kind(kind);
    let team = Team::connect(connection, Clients::new(quick().net).unwrap()).await?;
    Ok(team.api().kind())
}

fn answer(status: u16) -> Fault {
    let headers = vec![("content-type", "application/json".into())];
    Fault::Answer { status, headers, body: "{}".into() }
}

/// A server that does not have what lies below these paths.
fn without(api: &FaultProxy, paths: &[&'static str]) {
    let gone = answer(404);
    let rules = paths.iter().flat_map(|path| {
        [What::Sent(path), What::Asked(path)].map(|what| Rule::new(what, usize::MAX, gone.clone()))
    });
    api.behave();
    api.obey(rules);
}

#[tokio::test]
async fn a_server_is_recognised_by_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(server.api_address().unwrap());
    let (url, key) = (api.url(), server.credentials.api_key.clone());

    assert_eq!(probe(&url, &key, None).await.unwrap(), ProtocolKind::VideoActions);
    for kind in ProtocolKind::ALL {
        assert_eq!(probe(&url, &key, Some(kind)).await.unwrap(), kind);
    }
    without(&api, &["/api/query"]);
    assert_eq!(probe(&url, &key, None).await.unwrap(), ProtocolKind::ChunkedSessions);
    let error = probe(&url, &key, Some(ProtocolKind::VideoActions)).await.unwrap_err();
    assert_eq!(error.code, Code::NotATeamServer);
    assert!(error.message.contains("video actions"), "{}", error.message);
    without(&api, &["/api/query", "/videoUpload"]);
    assert_eq!(probe(&url, &key, None).await.unwrap(), ProtocolKind::MuxDirect);
    without(&api, &["/api/query", "/videoUpload", "/upload"]);
    assert_eq!(probe(&url, &key, None).await.unwrap(), ProtocolKind::UploadsApi);
    without(&api, &["/"]);
    let error = probe(&url, &key, None).await.unwrap_err();
    assert_eq!(error.code, Code::NotATeamServer);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_connection_is_told_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(server.api_address().unwrap());
    let (url, key) = (api.url(), server.credentials.api_key.clone());
    let refused = async |url: &str, key: &SecretString, code, words: &str| {
        let error = probe(url, key, None).await.unwrap_err();
        assert_eq!(error.code, code, "{}", error.message);
        assert!(error.message.contains(words), "{}", error.message);
    };

    refused(&url, &"sk-wrong".into(), Code::SignedOut, "wrong, expired or revoked").await;
    refused(&format!("{url}/watch/x"), &key, Code::NotATeamServer, &format!("at {url}: use")).await;
    refused("http://127.0.0.1:9", &key, Code::Unreachable, "cannot be reached").await;
    let secure = server.credentials.url.replace("http:", "https:");
    refused(&secure, &key, Code::Unreachable, "http://?").await;

    api.obey([Rule::new(What::Asked("/"), 1, Fault::captive_portal())]);
    refused(&url, &key, Code::Unreachable, "if this network wants a sign-in").await;
    api.obey([Rule::new(What::Asked("/"), 1, answer(503))]);
    refused(&url, &key, Code::ServerFault, "try again").await;
    // A web server that knows no POST.
    api.obey([Rule::new(What::Asked("/"), 1, answer(501))]);
    refused(&url, &key, Code::NotATeamServer, "no team server").await;
    server.stop().await.unwrap();

    // Its certificate is its own word.
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files = ["own.pem", "own.key"].map(|name| folder.path().join(name));
    std::fs::write(&files[0], own.cert.pem()).unwrap();
    std::fs::write(&files[1], own.signing_key.serialize_pem()).unwrap();
    let environment = [
        ("DAILIES_TLS_CERTIFICATE", files[0].display().to_string()),
        ("DAILIES_TLS_KEY", files[1].display().to_string()),
    ];
    let server = Server::start(&folder.path().join("data"), &environment).await.unwrap();
    let url = server.credentials.url.clone();
    assert!(url.starts_with("https:"), "{url}");
    refused(&url, &server.credentials.api_key, Code::Unreachable, "does not trust").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn uploads_go_by_what_was_recognised() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    without(&api, &["/api/query", "/api/mutation", "/api/action"]);
    let folder = stage.path("profile");
    let credentials = &stage.server.credentials;
    let uploader = Uploader::by_way_of(&folder, credentials, &api.url()).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    let chunks = api.exchanges().iter().filter(|one| one.asked.contains("/videoUpload/")).count();
    assert!(chunks > 0);
    uploader.stop().await;
    // Their wire has no word for a video that is still in work.
    let waiting = async {
        while stage.team.videos().await.unwrap()[0].status != VideoStatus::Ready {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}
