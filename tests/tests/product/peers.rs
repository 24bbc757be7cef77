//! Another storage in the place of the embedded one, by four settings: garage, alone and as a cluster
//! that loses a node. `make peers` installs it and runs these.

use std::path::Path;
use std::time::Duration;

use e2e::clips::{self, MIB, Take};
use e2e::{Dailies, FaultProxy, Garage, Server, TeamApi, counterparts, hash, hls};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(300);

/// A team server whose storage is garage, and a proxy before that.
struct Team {
    folder: tempfile::TempDir,
    proxy: FaultProxy,
    garage: Garage,
    server: Server,
    api: TeamApi,
}

impl Team {
    async fn set(nodes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let garage = Garage::start(folder.path(), nodes).await.unwrap();
        let proxy = FaultProxy::start().await.unwrap();
        proxy.lead_to(garage.address(0));
        let mut settings = garage.settings(&proxy.url());
        settings.push(("DAILIES_PART_SIZE", (5 * MIB).to_string()));
        let server = Server::start(&folder.path().join("server"), &settings).await.unwrap();
        let api = TeamApi::new(&server.credentials).unwrap();
        Self { folder, proxy, garage, server, api }
    }

    fn dailies(&self) -> Dailies {
        Dailies::new(self.folder.path().join("profile"), &self.server.credentials_file)
    }

    async fn strike(self) {
        self.proxy.go_down().await;
        self.server.stop().await.unwrap();
    }
}

/// The newest video is byte for byte the file, and plays.
async fn is_there_and_plays(api: &TeamApi, file: &Path) {
    let video = api.videos().await.unwrap().remove(0);
    let stored = api.original_hash(&video.id).await.unwrap();
    assert_eq!(stored, hash::of_file(file).unwrap());
    let session = api.playback(&video.id).await.unwrap();
    let found = hls::Addresses::of(&api.http, session.url.as_deref().unwrap()).await.unwrap();
    assert!(!found.segments.is_empty());
    for segment in found.segments {
        assert_eq!(api.http.get(segment).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
#[ignore = "needs garage: make peers"]
async fn uploads_go_to_garage_whole_and_in_parts() {
    let team = Team::set(1).await;
    for (name, mebibytes) in [("whole.mp4", 4), ("parts.mp4", 40)] {
        let file = team.folder.path().join(name);
        clips::copy(mebibytes, Take::One, &file).unwrap();
        let upload = ["upload", file.to_str().unwrap(), "--wait", "ready"];
        let done = team.dailies().run(LIMIT, &upload).await.unwrap();
        assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
        is_there_and_plays(&team.api, &file).await;
    }
    team.strike().await;
}

#[tokio::test]
#[ignore = "needs garage: make peers"]
async fn a_cluster_may_lose_a_node_in_mid_upload() {
    let mut team = Team::set(3).await;
    let file = team.folder.path().join("rushes.mp4");
    clips::copy(96, Take::One, &file).unwrap();
    team.proxy.limit(16 * MIB);
    let uploading =
        team.dailies().spawn(&["upload", file.to_str().unwrap(), "--wait", "ready"]).unwrap();
    let half = |event: &serde_json::Value| event["confirmedBytes"].as_u64() >= Some(30 * MIB);
    uploading.until(LIMIT, half).await.unwrap();
    assert!(uploading.events().iter().all(|event| event["event"] != "uploaded"), "too late");
    team.garage.kill(2).await.unwrap();
    team.proxy.unlimit();
    let done = uploading.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    is_there_and_plays(&team.api, &file).await;

    // What it missed it is told, and another may go.
    team.garage.start_again(2).await.unwrap();
    is_there_and_plays(&team.api, &file).await;
    team.strike().await;
}

#[tokio::test]
#[ignore = "needs garage: make peers"]
async fn the_cases_of_the_embedded_endpoint_beside_garage() {
    let programs = counterparts::python().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let garage = Garage::start(folder.path(), 1).await.unwrap();
    let scripts = counterparts::scripts();
    let mut cases = Command::new(programs.join("python"));
    cases.arg("-B").arg(scripts.join("s3_conformance.py"));
    cases.args([
        "--endpoint",
        &format!("http://{}", garage.address(0)),
        "--region",
        &garage.region,
    ]);
    cases.arg("--known").arg(scripts.join("s3_garage.txt"));
    cases.env("AWS_ACCESS_KEY_ID", &garage.access_key_id);
    cases.env("AWS_SECRET_ACCESS_KEY", &garage.secret_access_key);
    let said = counterparts::run(LIMIT, &mut cases).await.unwrap();
    let differences = said.lines().filter(|line| !line.starts_with("ok "));
    println!("{}", differences.collect::<Vec<_>>().join("\n"));
}
