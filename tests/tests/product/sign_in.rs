//! Signing in at an OpenID Connect provider that nobody here wrote, and staying signed in.

use std::path::Path;
use std::time::Duration;

use dailies_api::convex::FunctionKind::Query;
use dailies_api::projects::{ListUploadTargets, UploadTarget};
use dailies_engine::error::Code;
use dailies_engine::net::Clients;
use dailies_engine::team::{
    Caller, Connection, Credentials, Identity, Kept, ProtocolKind, SignedIn, SigningIn, Team,
    TeamClient, Vault,
};
use dailies_engine::transfer::{Failure, Hold, Phase, Timestamp};
use dailies_engine::view::UploadView;
use e2e::clips::{MIB, Take};
use e2e::proxy::{Fault, Rule, What};
use e2e::{Dailies, Ended, FaultProxy, OidcProvider, Server, Stage, Uploader, counterparts, quick};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

const LIMIT: Duration = Duration::from_secs(60);
/// Calls that find their token expired at the same time.
const AT_ONCE: usize = 20;

/// A provider, and a server that has people sign in there.
async fn set() -> (OidcProvider, Server, tempfile::TempDir, Url) {
    let provider = OidcProvider::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &provider.environment()).await.unwrap();
    let url = Url::parse(&server.credentials.url).unwrap();
    (provider, server, folder, url)
}

async fn signed_in(provider: &mut OidcProvider, server: &Url, account: &str) -> SignedIn {
    let signing_in = SigningIn::begin(server, &clients()).await.unwrap();
    let page = signing_in.url().to_string();
    let (done, browsed) = tokio::join!(signing_in.done(LIMIT), provider.browse(account, &page));
    assert_eq!(browsed.unwrap(), 200);
    done.unwrap()
}

fn clients() -> Clients {
    Clients::new(quick().net).unwrap()
}

/// The same call many times at once; none of them may fail.
async fn call_at_once(client: &TeamClient) {
    let calls = (0..AT_ONCE).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let (path, args) = ("projects:listUploadTargets", ListUploadTargets::default());
            client.call::<_, Vec<UploadTarget>>(Query, path, &args).await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

async fn tokens_in(vault: &Vault, server: &Url) -> SignedIn {
    match vault.find(server).await.unwrap().unwrap().credentials {
        Credentials::OpenIdConnect(signed_in) => signed_in,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_calls_renew_an_expired_token_once() {
    let (mut provider, server, folder, url) = set().await;
    let mut known = signed_in(&mut provider, &url, "ada").await;
    let vault = Vault::of_profile(&folder.path().join("profile"));
    let kind = ProtocolKind::VideoActions;
    let keep = async |known: &SignedIn| {
        let credentials = Credentials::OpenIdConnect(known.clone());
        vault.keep(Kept { server: url.clone(), kind, credentials }).await.unwrap();
    };
    let client = |known: &SignedIn| {
        let credentials = Credentials::OpenIdConnect(known.clone());
        let identity = Identity::new(url.clone(), credentials, Some(vault.clone()), &clients());
        TeamClient::new(Caller::new(url.clone(), identity, clients()))
    };

    keep(&known).await;
    call_at_once(&client(&known)).await;
    assert_eq!(provider.renewals().await.unwrap(), 0, "the token is good");

    // Its time is over by this computer's clock.
    known.tokens.renew_at = Some(Timestamp(0));
    keep(&known).await;
    call_at_once(&client(&known)).await;
    assert_eq!(provider.renewals().await.unwrap(), 1);
    let renewed = tokens_in(&vault, &url).await;
    let refresh = |known: &SignedIn| {
        known.tokens.refresh.as_ref().map(|token| token.expose_secret().to_owned())
    };
    assert_ne!(refresh(&renewed), refresh(&known), "the new one is kept, the old one is spent");

    // The server says so.
    let mut stale = renewed.clone();
    stale.tokens.presented = "bm8.bm8.bm8".into();
    keep(&stale).await;
    call_at_once(&client(&stale)).await;
    assert_eq!(provider.renewals().await.unwrap(), 2);

    // Another program has renewed it meanwhile: its tokens are taken, and nothing is spent twice.
    stale.tokens.renew_at = Some(Timestamp(0));
    call_at_once(&client(&stale)).await;
    assert_eq!(provider.renewals().await.unwrap(), 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_refuses_the_renewed_token_too_is_asked_no_more() {
    let (mut provider, server, _folder, url) = set().await;
    let known = signed_in(&mut provider, &url, "ada").await;
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(server.api_address().unwrap());
    let no = Fault::Answer { status: 401, headers: Vec::new(), body: String::new() };
    api.obey([Rule::new(What::Asked("/api/query"), usize::MAX, no)]);
    let by_way = Url::parse(&api.url()).unwrap();
    let credentials = Credentials::OpenIdConnect(known);
    let identity = Identity::new(by_way.clone(), credentials, None, &clients());
    let client = TeamClient::new(Caller::new(by_way, identity, clients()));
    for _ in 0..3 {
        let (path, args) = ("projects:listUploadTargets", ListUploadTargets::default());
        let refused = client.call::<_, Vec<UploadTarget>>(Query, path, &args).await.unwrap_err();
        let refused = Failure::from(refused);
        assert!(matches!(refused, Failure::Refused { code: Code::SignedOut, .. }), "{refused}");
    }
    assert_eq!(api.exchanges().len(), 2, "with the old token, and with the new one");
    assert_eq!(provider.renewals().await.unwrap(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_knows_the_app_is_called_with_id_tokens() {
    let mut provider = OidcProvider::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut environment = provider.environment();
    environment.retain(|(name, _)| *name != "DAILIES_OIDC_AUDIENCE");
    environment.push(("DAILIES_OIDC_AUDIENCE", provider.client.clone()));
    let server = Server::start(folder.path(), &environment).await.unwrap();
    let url = Url::parse(&server.credentials.url).unwrap();
    let mut known = signed_in(&mut provider, &url, "ada").await;
    known.tokens.renew_at = Some(Timestamp(0));
    let connection = Connection::new(url, Credentials::OpenIdConnect(known));
    Team::connect(connection, clients()).await.unwrap();
    assert_eq!(provider.renewals().await.unwrap(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_signed_in_by_what_was_not_asked_for() {
    let (mut provider, server, _folder, url) = set().await;
    let begin = async || SigningIn::begin(&url, &clients()).await.unwrap();
    let query = |page: &Url, name: &str| {
        page.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };

    // Sent by another page: refused, and the real answer is waited for.
    let signing_in = begin().await;
    let page = signing_in.url().clone();
    assert_eq!(query(&page, "code_challenge_method").as_deref(), Some("S256"));
    assert!(query(&page, "nonce").is_some());
    let redirect = query(&page, "redirect_uri").unwrap();
    assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
    let visits = async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for (query, status) in [("code=x&state=other", 400), ("error=no", 400), ("", 400)] {
            let answer = http.get(format!("{redirect}?{query}")).send().await.unwrap();
            assert_eq!(answer.status(), status, "{query}");
        }
        let other = redirect.replace("/signed-in", "/favicon.ico");
        assert_eq!(http.get(other).send().await.unwrap().status(), 404);
        provider.browse("ada", page.as_str()).await.unwrap()
    };
    let (done, status) = tokio::join!(signing_in.done(LIMIT), visits);
    assert_eq!(status, 200);
    done.unwrap();

    // Whoever is asked says no.
    let signing_in = begin().await;
    let page = signing_in.url().to_string();
    let (done, _) = tokio::join!(signing_in.done(LIMIT), provider.browse("nobody", &page));
    let error = done.unwrap_err();
    assert_eq!(error.code, Code::SignedOut);
    assert!(error.message.contains("access_denied"), "{}", error.message);

    // A code that was got for another verifier opens nothing.
    let signing_in = begin().await;
    let mut page = signing_in.url().clone();
    let challenge = "x".repeat(43);
    let pairs: Vec<_> = page.query_pairs().into_owned().collect();
    page.query_pairs_mut().clear().extend_pairs(
        pairs
            .iter()
            .map(|(key, value)| (key, if key == "code_challenge" { &challenge } else { value })),
    );
    let page = page.to_string();
    let (done, browsed) = tokio::join!(signing_in.done(LIMIT), provider.browse("ada", &page));
    assert_eq!(browsed.unwrap(), 200);
    assert_eq!(done.unwrap_err().code, Code::SignedOut);

    // Nobody comes back.
    let error = begin().await.done(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.code, Code::SignedOut);
    assert!(error.message.contains("in time"), "{}", error.message);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_an_issuer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await.unwrap();
    let url = Url::parse(&server.credentials.url).unwrap();
    let error = SigningIn::begin(&url, &clients()).await.unwrap_err();
    assert_eq!(error.code, Code::Refused);
    assert!(error.message.contains("API key"), "{}", error.message);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_connection_is_paused_and_loses_nothing() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let (folder, credentials) = (stage.path("profile"), &stage.server.credentials);
    let uploader = Uploader::by_way_of(&folder, credentials, &api.url()).await.unwrap();
    let no = Fault::Answer { status: 401, headers: Vec::new(), body: String::new() };
    api.obey([Rule::new(What::Asked("/api/"), usize::MAX, no)]);
    let asked = api.exchanges().len();
    let mut ids = Vec::new();
    for number in 0..8 {
        // Large ones: of small files more than that are at work at the same time.
        let file = stage.clip(&format!("C{number:04}.mp4"), 17 + number, Take::One).unwrap();
        ids.push(uploader.add(file).await.unwrap());
    }
    let signed_out = Hold::NeedsUser { code: Code::SignedOut };
    let held = |view: &UploadView| view.hold == signed_out;
    uploader.until(ids[0], LIMIT, held).await.unwrap();
    let mut changes = uploader.engine.subscribe();
    let moves = async { while changes.recv().await.is_ok() {} };
    // A length of time is what is tested here: nothing begins in it.
    let _ = tokio::time::timeout(Duration::from_secs(1), moves).await;
    let views = uploader.views().await.unwrap();
    assert!(views.iter().all(|view| view.hold == signed_out || view.phase == Phase::Queued));
    assert!(views.iter().any(|view| view.hold == Hold::None), "not every one had to be tried");
    let exchanges = api.exchanges().split_off(asked);
    assert!(exchanges.len() <= quick().uploads, "no more than were at work: {exchanges:#?}");

    api.behave();
    let url = Url::parse(&api.url()).unwrap();
    let connection = Connection::with_key(url, credentials.api_key.clone());
    uploader.engine.connect(connection).await.unwrap();
    for id in ids {
        uploader.until_ready(id, LIMIT).await.unwrap();
    }
    assert_eq!(stage.team.videos().await.unwrap().len(), 8);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn what_is_under_way_when_somebody_signs_in_again_goes_on() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let (folder, credentials) = (stage.path("profile"), &stage.server.credentials);
    let uploader = Uploader::by_way_of(&folder, credentials, &api.url()).await.unwrap();
    // More parts than are signed at once.
    let file = stage.clip("rushes.mp4", 150, Take::One).unwrap();
    stage.proxy.limit(20 * MIB);
    let id = uploader.add(file.clone()).await.unwrap();
    let begun = |view: &UploadView| view.progress.confirmed_bytes > 0;
    uploader.until(id, LIMIT, begun).await.unwrap();
    let url = Url::parse(&api.url()).unwrap();
    let connection = Connection::with_key(url, credentials.api_key.clone());
    uploader.engine.connect(connection).await.unwrap();
    // What it was begun with is good no more.
    let no = Fault::Answer { status: 401, headers: Vec::new(), body: String::new() };
    api.obey([Rule::new(What::Function("videoActions:signUploadParts"), 1, no)]);
    stage.proxy.unlimit();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(api.unused().is_empty());
    uploader.stop().await;
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

/// A server that has people sign in at a provider, and knows one of them.
async fn stage_of_ada(provider: &OidcProvider) -> Stage {
    let stage = Stage::with(5 * MIB, &provider.environment()).await.unwrap();
    let (data, team) = (stage.path("server"), &stage.server.credentials.team_id);
    let user = ["user", "add", "--name", "Ada", "--issuer", &provider.issuer, "--subject", "ada"];
    administer(&data, &user).await;
    administer(&data, &["team", "add-member", team, "--user", "Ada", "--role", "member"]).await;
    stage
}

async fn administer(data: &Path, arguments: &[&str]) {
    let mut command = tokio::process::Command::new(e2e::program("dailies-server").unwrap());
    command.args(arguments).arg("--data").arg(data);
    counterparts::run(LIMIT, &mut command).await.unwrap();
}

/// `dailies login`, with somebody at the browser.
async fn login(dailies: &Dailies, provider: &mut OidcProvider, arguments: &[&str]) -> Ended {
    let arguments = [&["login", "--no-browser"], arguments].concat();
    let running = dailies.spawn(&arguments).unwrap();
    let asked = running.until(LIMIT, |event| event["event"] == "open_browser").await.unwrap();
    provider.browse("ada", asked["url"].as_str().unwrap()).await.unwrap();
    running.ended(LIMIT).await.unwrap()
}

#[tokio::test]
async fn a_sign_in_that_ends_holds_the_upload_and_another_finishes_it() {
    // Seconds, so that they are renewed all the time.
    let mut provider = OidcProvider::with_tokens_for(Duration::from_secs(3)).await.unwrap();
    let stage = stage_of_ada(&provider).await;
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = Dailies::unconnected(stage.path("profile"));

    let done = login(&dailies, &mut provider, &["--server", &stage.server.credentials.url]).await;
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    assert_eq!(done.event("signed_in").unwrap()["protocol"], "video_actions");
    let listed = dailies.run(LIMIT, &["connections"]).await.unwrap();
    assert_eq!(listed.events.len(), 1, "{}", listed.out);
    assert_eq!(listed.events[0]["credentials"], "open_id_connect");

    // Seven seconds' worth of bytes, and after a while nobody is signed in any more.
    stage.proxy.limit(6 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap();
    let some = |event: &Value| event["confirmedBytes"].as_u64().is_some_and(|bytes| bytes > 0);
    running.until(LIMIT, some).await.unwrap();
    provider.ask("revoke").await.unwrap();
    let held = running.ended(LIMIT).await.unwrap();
    assert_eq!(held.code(), Some(1), "{}\n{}", held.out, held.errors);
    assert_eq!(held.event("failed").unwrap()["code"], "signed_out");
    let again = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(again.code(), Some(3), "it asks: {}\n{}", again.out, again.errors);
    let list = dailies.run(LIMIT, &["list"]).await.unwrap();
    assert_eq!(list.events[0]["hold"]["code"], "signed_out", "{}", list.out);
    stage.proxy.unlimit();

    let done = login(&dailies, &mut provider, &[]).await;
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let done = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));

    // What opens the team is in one file, and no other.
    let kept = stage.path("profile/connections.json");
    let tokens: Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
    let tokens = &tokens[0]["credentials"]["tokens"];
    let secrets = ["presented", "refresh"].map(|name| tokens[name].as_str().unwrap().to_owned());
    for entry in std::fs::read_dir(stage.path("profile")).unwrap() {
        let path = entry.unwrap().path();
        if path == kept || !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{}", path.display());
    }

    let out = dailies.run(LIMIT, &["logout"]).await.unwrap();
    assert_eq!(out.code(), Some(0), "{}\n{}", out.out, out.errors);
    let nobody = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(nobody.code(), Some(3), "{}\n{}", nobody.out, nobody.errors);
    assert!(!std::fs::read_to_string(&kept).unwrap().contains(&secrets[1]));
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn signing_in_again_reaches_the_dailies_that_is_running() {
    let mut provider = OidcProvider::with_tokens_for(Duration::from_secs(8)).await.unwrap();
    let stage = stage_of_ada(&provider).await;
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = Dailies::unconnected(stage.path("profile"));
    let url = &stage.server.credentials.url;
    assert_eq!(login(&dailies, &mut provider, &["--server", url]).await.code(), Some(0));

    // Its bytes take longer than its first token is good.
    stage.proxy.limit(3 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap(), "--wait", "ready"]).unwrap();
    let some = |event: &Value| event["confirmedBytes"].as_u64().is_some_and(|bytes| bytes > 0);
    running.until(LIMIT, some).await.unwrap();
    provider.ask("revoke").await.unwrap();
    let done = login(&dailies, &mut provider, &[]).await;
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}
