//! Direct uploads by the engine: through a network that breaks, over the death of the uploader, and
//! to a resumable storage that nobody here wrote.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dailies_api::direct_uploads::GRANULE;
use dailies_engine::net::Clients;
use dailies_engine::protocol::MuxDirect;
use dailies_engine::team::{Connection, Team};
#[cfg(unix)]
use dailies_engine::watch::Rules;
#[cfg(unix)]
use e2e::Recording;
use e2e::clips::MIB;
use e2e::conformance::{AtServer, Kind, Side};
use e2e::proxy::{Exchange, Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Gcs, Uploader, quick};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

const LIMIT: Duration = Duration::from_secs(120);
/// Where the embedded media engine takes bytes.
const BYTES: &str = "/mux-upload/";

/// An engine that uploads to the server at `url` directly.
async fn uploader(profile: &Path, url: &str, key: SecretString) -> Uploader {
    let connection = Connection::with_key(Url::parse(url).unwrap(), key);
    let team = Team::unasked(connection, Clients::new(quick().net).unwrap());
    let protocol = MuxDirect::new(team.client().caller().clone());
    Uploader::with(profile, Arc::new(team), Arc::new(protocol)).await.unwrap()
}

/// Requests that carried bytes, in order.
fn carried(exchanges: &[Exchange]) -> Vec<(u64, u64)> {
    exchanges.iter().filter_map(|exchange| exchange.bytes).collect()
}

#[tokio::test]
async fn a_network_that_breaks_costs_no_byte_that_is_there() {
    let side = AtServer::new(Kind::Direct).await.unwrap();
    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: "busy".into() };
    let hotel = Fault::Answer { status: 200, headers: Vec::new(), body: "Welcome".into() };
    let sent = |fault| Rule::new(What::Sent(BYTES), 1, fault);
    let asked = |fault| Rule::new(What::Asked(BYTES), 1, fault);
    side.api.obey([
        sent(Fault::Cut { after: 3 * MIB, reset: true }),
        sent(Fault::SwallowAnswer),
        sent(Fault::captive_portal()),
        sent(busy.clone()),
        // A hotel whose page does not say that it is one.
        sent(hotel.clone()),
        asked(Fault::captive_portal()),
        asked(busy),
        asked(hotel),
        Rule::new(What::Asked("/upload/"), 1, Fault::captive_portal()),
    ]);
    let file = side.file().unwrap();
    let engine = Uploader::with(&side.path("profile"), side.team(), side.protocol()).await.unwrap();
    let id = engine.add_to(file.clone(), Some(side.project())).await.unwrap();
    engine.until_ready(id, LIMIT).await.unwrap();
    assert!(side.api.unused().is_empty(), "never happened: {:?}", side.api.unused());
    side.holds_just(&file).await.unwrap();
    assert_eq!(side.sent_again(), 0);
    let carried = carried(&side.api.exchanges());
    // Of what was cut off, the media engine says how much came.
    assert_eq!(carried[0].0, 0);
    assert!(carried[1].0 > 0 && carried[1].0.is_multiple_of(GRANULE), "{carried:?}");
    // What was sent whole is there, also where the answer was lost.
    assert_eq!(carried[2].0, carried[1].1 + 1, "{carried:?}");
    engine.stop().await;
    Box::new(side).strike().await.unwrap();
}

/// The last request is said to be taken by somebody who is not the storage.
#[tokio::test]
async fn only_the_team_s_word_is_the_end() {
    let side = AtServer::new(Kind::Direct).await.unwrap();
    let file = side.file().unwrap();
    let engine = Uploader::with(&side.path("profile"), side.team(), side.protocol()).await.unwrap();
    side.api.limit(8 * MIB);
    let id = engine.add_to(file.clone(), Some(side.project())).await.unwrap();
    let last = std::fs::metadata(&file).unwrap().len() / side.part_size() * side.part_size();
    // Known while the one before it is on its way.
    let before = last - side.part_size();
    engine.until(id, LIMIT, |view| view.progress.confirmed_bytes >= before).await.unwrap();
    let began = |seen: &[Exchange]| seen.iter().any(|e| e.bytes.is_some_and(|b| b.0 == before));
    side.api.until(LIMIT, began).await.unwrap();
    let hotel = Fault::Answer { status: 200, headers: Vec::new(), body: "Welcome".into() };
    side.api.obey([Rule::new(What::Sent(BYTES), 1, hotel)]);
    side.api.unlimit();
    engine.until_ready(id, LIMIT).await.unwrap();
    assert!(side.api.unused().is_empty());
    let tries = carried(&side.api.exchanges()).into_iter().filter(|bytes| bytes.0 == last);
    assert_eq!(tries.count(), 2, "once for the hotel, once for the media engine");
    side.holds_just(&file).await.unwrap();
    engine.stop().await;
    Box::new(side).strike().await.unwrap();
}

/// Bytes of the only direct upload that the media engine has on its disk.
fn stored(side: &AtServer) -> u64 {
    let database = side.stage.path("server").join("media/media.db");
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let stored: i64 =
        connection.query_row("SELECT stored FROM uploads", [], |row| row.get(0)).unwrap();
    stored.unsigned_abs()
}

#[tokio::test]
async fn a_killed_uploader_goes_on_where_the_media_engine_stands() {
    let side = AtServer::new(Kind::Direct).await.unwrap();
    let file = side.file().unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    let dailies = Dailies::unconnected(side.path("profile")).with("RUST_LOG", "debug");
    let key = side.stage.server.credentials.api_key.expose_secret();
    let login = ["--server", &side.api.url(), "login", "--key", "--kind", "mux-direct"];
    let login = dailies.clone().told(key).run(LIMIT, &login).await.unwrap();
    assert_eq!(login.code(), Some(0), "{}\n{}", login.out, login.errors);
    side.api.limit(6 * MIB);
    let upload = ["upload", file.to_str().unwrap(), "--project", &side.project()];
    let first = dailies.spawn(&upload).unwrap();
    // In the middle of the request that follows the first half.
    let half = |seen: &[Exchange]| {
        seen.iter()
            .any(|exchange| exchange.bytes.is_some_and(|(from, _)| from >= size / 2 - 5 * MIB))
    };
    side.api.until(LIMIT, half).await.unwrap();
    let mut said = first.complaints();
    assert!(first.kill().await.unwrap(), "the kill came too late");
    // What it had handed to the system still arrives.
    side.api.quiet(LIMIT).await.unwrap();
    let before = side.api.exchanges();
    let cut = before.iter().rev().find(|exchange| exchange.bytes.is_some()).unwrap();
    let (address, held) = (cut.asked.clone(), stored(&side));
    assert!(held >= size / 2 - 5 * MIB && held < size, "{held} of {size} bytes came");

    side.api.unlimit();
    let second = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(second.code(), Some(0), "{}\n{}", second.out, second.errors);
    let after = side.api.exchanges().split_off(before.len());
    let asked_at = after.iter().position(|exchange| exchange.asked == address).unwrap();
    assert_eq!(after[asked_at].bytes, None, "it asks before it sends");
    let went_on = carried(&after)[0].0;
    assert!(went_on >= held && went_on.is_multiple_of(GRANULE), "{went_on}, and {held} were there");
    assert!(carried(&after).iter().all(|bytes| bytes.0 >= went_on));
    assert_eq!(side.sent_again(), 0);
    assert_eq!(stored(&side), size);
    side.holds_just(&file).await.unwrap();

    // What opens the upload is nowhere but in memory, and in the requests themselves.
    let secret = address.rsplit('/').next().unwrap();
    assert!(secret.len() >= 16, "{secret}");
    let written = walkdir::WalkDir::new(side.path("profile")).into_iter().flatten();
    let databases = ["team.db", "team.db-wal", "media/media.db", "media/media.db-wal"];
    let databases = databases.map(|name| side.path("server").join(name));
    let files =
        written.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    for file in files.chain(databases).filter(|file| file.exists()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{} names the upload's address", file.display());
    }
    said.extend([second.out, second.errors]);
    let named = said.iter().find(|line| line.contains(secret));
    assert_eq!(named, None, "dailies names the upload's address");
    let said = side.stage.server.log.text();
    assert!(said.contains("a direct upload is whole"), "{said}");
    assert!(!said.contains(secret), "the server's log names the upload's address");
    Box::new(side).strike().await.unwrap();
}

/// Bytes of a request to the emulator.
const CHUNK: u64 = 2 * MIB;

/// Only the bytes go to the emulator: it has no media engine behind it, so the team's part is told
/// here, word by word.
#[tokio::test]
async fn a_resumable_storage_that_nobody_here_wrote_takes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let gcs = Gcs::start().await.unwrap();
    let (team, storage) = (FaultProxy::start().await.unwrap(), FaultProxy::start().await.unwrap());
    storage.lead_to(gcs.address());
    let url = gcs.session(&storage.url(), "rushes").await.unwrap();
    assert!(url.starts_with(&storage.url()), "{url}");
    let answer = |status, body: serde_json::Value| Fault::Answer {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.to_string(),
    };
    let waiting = json!({
        "state": "waiting", "id": "v", "uploadId": "u", "url": url, "chunkSize": CHUNK,
    });
    let uploaded = json!({"state": "uploaded", "id": "v", "status": "ready", "duration": 2.0});
    let always = |what, fault| Rule::new(what, usize::MAX, fault);
    // Whoever asks whether there is a way to it.
    let there = always(What::Asked("/"), answer(404, json!({})));
    team.obey([
        always(What::Sent("/upload/v"), answer(200, uploaded.clone())),
        always(What::Sent("/upload"), answer(201, waiting.clone())),
        always(What::Asked("/upload/v"), answer(200, waiting)),
        there.clone(),
    ]);
    // The emulator keeps what comes of a request that is cut off, and says so.
    let cut = Fault::Cut { after: MIB, reset: false };
    storage.obey([
        Rule::new(What::Sent("/upload/"), 1, cut),
        Rule::new(What::Sent("/upload/"), 1, Fault::SwallowAnswer),
    ]);

    let file = folder.path().join("rushes.mp4");
    let mut bytes = vec![0; usize::try_from(5 * CHUNK + 12_345).unwrap()];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    std::fs::write(&file, &bytes).unwrap();
    let engine = uploader(&folder.path().join("profile"), &team.url(), "sk-e2e".into()).await;
    let id = engine.add_to(file, Some("p".into())).await.unwrap();

    // Its session is forgotten once it is complete: before another is opened, the team is asked.
    let reopened = |seen: &[Exchange]| seen.iter().any(|e| e.asked == "POST /upload/v");
    team.until(LIMIT, reopened).await.unwrap();
    assert_eq!(gcs.object("rushes").await.unwrap().as_ref(), Some(&bytes));
    team.behave();
    team.obey([always(What::Asked("/upload/v"), answer(200, uploaded)), there]);
    engine.until_ready(id, LIMIT).await.unwrap();
    assert!(storage.unused().is_empty(), "never happened: {:?}", storage.unused());

    // It refuses every request that does not begin where it stands, so these are just those it took.
    let mut next = 0;
    for (number, (first, last)) in carried(&storage.exchanges()).into_iter().enumerate() {
        assert_eq!(first, next, "request {number}");
        next = if number == 0 { MIB } else { last + 1 };
    }
    assert_eq!(next, bytes.len() as u64);
    engine.stop().await;
}

/// A recorder writes into a watched folder; how long it will go on, the emulator is told at the end.
#[cfg(unix)]
#[tokio::test]
async fn a_resumable_storage_that_nobody_here_wrote_takes_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let gcs = Gcs::start().await.unwrap();
    let (team, storage) = (FaultProxy::start().await.unwrap(), FaultProxy::start().await.unwrap());
    storage.lead_to(gcs.address());
    let url = gcs.session(&storage.url(), "take").await.unwrap();
    let answer = |status, body: &serde_json::Value| Fault::Answer {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.to_string(),
    };
    let waiting = json!({
        "state": "waiting", "id": "v", "uploadId": "u", "url": url, "chunkSize": CHUNK,
    });
    let uploaded = json!({"state": "uploaded", "id": "v", "status": "ready", "duration": 2.0});
    let about = json!({"name": "told", "protocols": ["mux_direct"], "growingFiles": true});
    let always = |what, fault| Rule::new(what, usize::MAX, fault);
    let told = |upload: &serde_json::Value| {
        [
            always(What::Asked("/.well-known/dailies"), answer(200, &about)),
            always(What::Sent("/upload/v"), answer(200, upload)),
            always(What::Sent("/upload"), answer(201, upload)),
            always(What::Asked("/upload/v"), answer(200, upload)),
            always(What::Asked("/"), answer(404, &json!({}))),
        ]
    };
    team.obey(told(&waiting));
    // The emulator keeps what comes of a request that is cut off, and says so.
    let cut = Fault::Cut { after: MIB, reset: false };
    storage.obey([Rule::new(What::Sent("/upload/"), 1, cut)]);

    let watched = folder.path().join("card");
    std::fs::create_dir(&watched).unwrap();
    let uploader = uploader(&folder.path().join("profile"), &team.url(), "sk-e2e".into()).await;
    let project = Some("p".into());
    uploader.engine.add_folder(watched.clone(), project, Rules::default()).await.unwrap();
    let mut watching = uploader.engine.watch(None).await.unwrap();
    let news = tokio::spawn(async move { while watching.next().await.is_some() {} });
    let mut recording = Recording::start(&watched.join("take.ts"), &[]).unwrap();
    let path = recording.path().to_owned();
    let fifth = |seen: &[Exchange]| carried(seen).iter().any(|(first, _)| *first >= 5 * CHUNK);
    storage.until(LIMIT, fifth).await.unwrap();
    recording.runs().unwrap();
    assert!(storage.exchanges().iter().all(|exchange| exchange.whole.is_none()));
    recording.stop().await.unwrap();

    // Its session is forgotten once it is complete: the team says so then.
    let there = async {
        loop {
            if let Some(bytes) = gcs.object("take").await.unwrap() {
                return bytes;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let bytes = tokio::time::timeout(LIMIT, there).await.unwrap();
    team.behave();
    team.obey(told(&uploaded));
    assert!(bytes == std::fs::read(&path).unwrap());
    let id = uploader.views().await.unwrap()[0].id;
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(storage.unused().is_empty(), "never happened: {:?}", storage.unused());
    let mut next = 0;
    for (number, (first, last)) in carried(&storage.exchanges()).into_iter().enumerate() {
        assert_eq!(first, next, "request {number}");
        next = if number == 0 { MIB } else { last + 1 };
    }
    assert_eq!(next, bytes.len() as u64);
    news.abort();
    uploader.stop().await;
}
