//! What somebody may want of a watched folder, by the real program and a real server.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dailies_api::convex::FunctionKind::{Mutation, Query};
use dailies_api::projects::UploadTarget;
use dailies_api::videos::{Version, VideoPage, VideoStatus, Visibility};
use e2e::clips::{self, MIB};
use e2e::proxy::{Exchange, Fault, Rule, What};
use e2e::watched::{Watched, begun, ends_well, numbered_clip, of};
use e2e::{Dailies, FaultProxy, TeamApi};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// A team server that is away at the start is waited for, one that was never reached, too; what
/// comes meanwhile goes up as soon as it answers. One that refuses the key is not waited for.
#[tokio::test]
async fn a_team_that_is_away_is_waited_for() {
    let mut watched = Watched::set().await.unwrap();
    std::fs::write(watched.path("before.mp4"), numbered_clip(0).unwrap()).unwrap();
    watched.stage.server.kill().await.unwrap();
    let team = |state: &'static str| {
        move |event: &Value| event["event"] == "team" && event["state"] == state
    };
    let running = watched.watch(&[]).unwrap();
    let away = running.until(LIMIT, team("away")).await.unwrap();
    assert!(away["message"].as_str().unwrap().contains("waiting until it answers"), "{away}");
    let (first, second) = (watched.path("first.mp4"), watched.path("second.mp4"));
    std::fs::write(&first, numbered_clip(1).unwrap()).unwrap();
    watched.stage.server.start_again().await.unwrap();
    running.until(LIMIT, of("uploaded", &first)).await.unwrap();
    ends_well(running).await.unwrap();

    // It is known now: files are taken for it.
    watched.stage.server.kill().await.unwrap();
    let running = watched.watch(&[]).unwrap();
    running.until(LIMIT, team("away")).await.unwrap();
    begun(&running).await.unwrap();
    std::fs::write(&second, numbered_clip(2).unwrap()).unwrap();
    running.until(LIMIT, of("added", &second)).await.unwrap();
    watched.stage.server.start_again().await.unwrap();
    running.until(LIMIT, team("answers")).await.unwrap();
    running.until(LIMIT, of("uploaded", &second)).await.unwrap();
    ends_well(running).await.unwrap();
    assert_eq!(watched.titles().await.unwrap(), ["first", "second"]);

    // Whoever waits can be ended; whoever is refused ends by itself, at once or when it is told.
    let url = watched.stage.server.credentials.url.clone();
    let folder = watched.folder.to_str().unwrap().to_owned();
    let call = ["--server", &url, "watch", &folder];
    let wrong = Dailies::unconnected(watched.stage.path("new")).with("DAILIES_API_KEY", "sk-wrong");
    let refused = wrong.run(LIMIT, &call).await.unwrap();
    assert_eq!(refused.code(), Some(3), "{}\n{}", refused.out, refused.errors);
    watched.stage.server.kill().await.unwrap();
    let waiting = wrong.spawn(&call).unwrap();
    waiting.until(LIMIT, team("away")).await.unwrap();
    ends_well(waiting).await.unwrap();
    let unknown = wrong.spawn(&call).unwrap();
    unknown.until(LIMIT, team("away")).await.unwrap();
    let known = Dailies::unconnected(watched.dailies.profile().to_owned());
    let known = known.with("DAILIES_API_KEY", "sk-wrong").spawn(&call).unwrap();
    known.until(LIMIT, team("away")).await.unwrap();
    watched.stage.server.start_again().await.unwrap();
    for running in [unknown, known] {
        let ended = running.ended(LIMIT).await.unwrap();
        assert_eq!(ended.code(), Some(3), "{}\n{}", ended.out, ended.errors);
    }
    watched.stage.strike().await.unwrap();
}

/// What is in a file decides whether it is a video, whatever its name; but what is named like sound or
/// a picture is none.
#[tokio::test]
async fn what_is_in_a_file_decides() {
    let watched = Watched::set().await.unwrap();
    let videos = ["tape.dat", "no ending", "wrong.txt", "right.mp4"];
    for (number, name) in (1..).zip(videos) {
        std::fs::write(watched.path(name), numbered_clip(number).unwrap()).unwrap();
    }
    std::fs::write(watched.path("text.mp4"), "the free words of somebody").unwrap();
    std::fs::write(watched.path("notes.txt"), "the free words of somebody else").unwrap();
    std::fs::write(watched.path("sound.m4a"), numbered_clip(0).unwrap()).unwrap();
    let plan = watched.dry_run(&["--existing"]).await.unwrap();
    let expected = [
        ("no ending", "send_by_content"),
        ("notes.txt", "no_video"),
        ("right.mp4", "send"),
        ("sound.m4a", "no_video"),
        ("tape.dat", "send_by_content"),
        ("text.mp4", "no_video_inside"),
        ("wrong.txt", "send_by_content"),
    ];
    assert_eq!(plan, owned(expected));

    let running = watched.watch(&["--existing"]).unwrap();
    for name in videos {
        running.until(LIMIT, of("uploaded", &watched.path(name))).await.unwrap();
    }
    // What becomes a video is one.
    std::fs::write(watched.path("notes.txt"), numbered_clip(9).unwrap()).unwrap();
    running.until(LIMIT, of("uploaded", &watched.path("notes.txt"))).await.unwrap();
    ends_well(running).await.unwrap();
    let titles = ["no ending", "notes", "right", "tape", "wrong"];
    assert_eq!(watched.titles().await.unwrap(), titles);
    watched.stage.strike().await.unwrap();
}

fn owned<const N: usize>(plan: [(&str, &str); N]) -> BTreeMap<String, String> {
    plan.map(|(path, plan)| (path.to_owned(), plan.to_owned())).into()
}

/// What lies in a subfolder goes to the project that is called like it, which is made once, whatever
/// becomes of the answer and of whoever asks, and whoever else wants it.
#[tokio::test]
async fn a_subfolder_has_a_project() {
    let watched = Watched::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(watched.stage.server.api_address().unwrap());
    let by_way = watched.stage.credentials_by_way_of(&api.url()).unwrap();
    let dailies = Dailies::new(watched.stage.path("profile"), &by_way);
    let other = watched.stage.path("other").join("card");
    std::fs::create_dir_all(&other).unwrap();
    let other = other.canonicalize().unwrap();
    let team = &watched.stage.team;
    let own = targets(team).await.remove(0);
    let args = json!({ "teamId": own.team_id, "name": "Day 1" });
    let existing: String = team.call(Mutation, "projects:create", args).await.unwrap();

    let files = [
        watched.path("top.mp4"),
        watched.path("Day 1/a.mp4"),
        watched.path("Day 2/card/b.mp4"),
        other.join("Day 2/c.mp4"),
    ];
    let write = |(number, file): (u64, &PathBuf)| {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, numbered_clip(number).unwrap()).unwrap();
    };
    (3..).zip(&files[2..]).for_each(write);
    for folder in [&watched.folder, &other] {
        let add = ["folders", "add", folder.to_str().unwrap(), "--existing"];
        let add = [&add[..], &["--project-per-subfolder"]].concat();
        let added = dailies.run(LIMIT, &add).await.unwrap();
        assert_eq!(added.code(), Some(0), "{}", added.errors);
        assert_eq!(added.events[0]["rules"]["projects"], "per_subfolder");
    }
    // Killed before the project is made, killed before it hears that it was, and told nothing.
    let create = || What::Function("projects:create");
    for fault in [Fault::Hold { done: false }, Fault::Hold { done: true }] {
        let seen = api.exchanges().len();
        api.obey([Rule::new(create(), 1, fault)]);
        let running = dailies.spawn(&["watch"]).unwrap();
        let asked = |all: &[Exchange]| all.iter().skip(seen).any(|one| create().fits(one));
        api.until(LIMIT, asked).await.unwrap();
        assert!(running.kill().await.unwrap());
        api.behave();
    }
    // These wait for no project: before, they might have gone up in the midst of the kills.
    (1..).zip(&files[..2]).for_each(write);
    let running = dailies.spawn(&["watch"]).unwrap();
    for file in &files {
        running.until(LIMIT, of("uploaded", file)).await.unwrap();
    }
    // Nobody can have a project that is called like this; the file waits, and somebody is told.
    let blank = watched.path(" ").join("d.mp4");
    std::fs::create_dir(watched.path(" ")).unwrap();
    std::fs::write(&blank, numbered_clip(9).unwrap()).unwrap();
    running.until(LIMIT, of("waits", &blank)).await.unwrap();
    // One whose making is refused does, too.
    let long = watched.path(&"x".repeat(250)).join("e.mp4");
    std::fs::create_dir(long.parent().unwrap()).unwrap();
    std::fs::write(&long, numbered_clip(10).unwrap()).unwrap();
    let waits = running.until(LIMIT, of("waits", &long)).await.unwrap();
    assert!(waits["message"].as_str().unwrap().contains("200 characters"), "{waits}");
    ends_well(running).await.unwrap();

    let targets = targets(team).await;
    let mut names: Vec<_> = targets.iter().map(|target| &*target.project_path).collect();
    names.sort_unstable();
    let mut expected = vec![&*own.project_path, "Day 1", "Day 2"];
    expected.sort_unstable();
    assert_eq!(names, expected);
    let made = targets.iter().find(|target| target.project_name == "Day 2").unwrap();
    let projects = [(&own.project_id, "top"), (&existing, "a"), (&made.project_id, "b c")];
    for (project, titles) in projects {
        assert_eq!(titles_in(team, project).await.join(" "), titles);
    }
    watched.stage.strike().await.unwrap();
}

/// A file becomes the next version of the video of its title, and is seen by whom the folder's rules
/// say, also where the answer to that was lost.
#[tokio::test]
async fn a_namesake_becomes_a_version_and_stays_private() {
    let watched = Watched::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(watched.stage.server.api_address().unwrap());
    let by_way = watched.stage.credentials_by_way_of(&api.url()).unwrap();
    let dailies = Dailies::new(watched.stage.path("profile"), &by_way);
    let set = What::Function("videos:setVisibility");
    api.obey([
        Rule::new(set.clone(), 1, Fault::status(500, None)),
        Rule::new(set.clone(), 1, Fault::SwallowAnswer),
    ]);
    let folder = watched.folder.to_str().unwrap();
    let call = ["watch", folder, "--versions", "--visibility", "private", "--first"];
    let running = dailies.spawn(&call).unwrap();
    begun(&running).await.unwrap();
    let (cut, other) = (watched.path("cut.mp4"), watched.path("day 2/cut.mp4"));
    std::fs::create_dir(watched.path("day 2")).unwrap();
    let team = &watched.stage.team;
    let mut said = 0;
    for (number, path) in (1..).zip([&cut, &cut, &other]) {
        std::fs::write(path, numbered_clip(number).unwrap()).unwrap();
        running.after(said, LIMIT, of("uploaded", path)).await.unwrap();
        said = running.events().len();
        // One video, whose latest version is what lies here.
        let video = team.videos().await.unwrap().remove(0);
        watched.stage.same(&video.id, path).await.unwrap();
        assert_eq!((&*video.title, video.visibility), ("cut", Visibility::Private));
        let args = json!({ "videoId": video.id });
        let versions: Vec<Version> = team.call(Query, "videos:listVersions", args).await.unwrap();
        assert_eq!(versions.len() as u64, number, "{versions:#?}");
    }
    assert_eq!(watched.titles().await.unwrap(), ["cut"]);
    assert!(api.unused().is_empty(), "{:?}", api.unused());
    // What is the same is not sent as a version either.
    std::fs::copy(&other, watched.path("same.mp4")).unwrap();
    running.until(LIMIT, of("same", &watched.path("same.mp4"))).await.unwrap();
    // Two that come at the same time are two versions of one video.
    let twins = ["day 3/twin.mp4", "day 4/twin.mp4"].map(|name| watched.path(name));
    for (number, twin) in (8..).zip(&twins) {
        std::fs::create_dir(twin.parent().unwrap()).unwrap();
        std::fs::write(twin, numbered_clip(number).unwrap()).unwrap();
    }
    for twin in &twins {
        running.until(LIMIT, of("uploaded", twin)).await.unwrap();
    }
    assert_eq!(watched.titles().await.unwrap(), ["cut", "twin"]);
    ends_well(running).await.unwrap();
    watched.stage.strike().await.unwrap();
}

/// Somebody who knows better than the program sends a file before it looks finished; it is sent once,
/// and what was still being written is with the team as what it is in the end.
#[tokio::test]
async fn a_file_is_sent_now() {
    let watched = Watched::set().await.unwrap();
    let send_now = async |file: &Path| {
        let call = ["folders", "send-now", file.to_str().unwrap()];
        watched.dailies.run(LIMIT, &call).await.unwrap()
    };
    let (whole, half) = (numbered_clip(1).unwrap(), numbered_clip(2).unwrap());
    let running = watched.watch(&["--exclude", "proxies"]).unwrap();
    begun(&running).await.unwrap();

    // Its writer keeps it open: for ten minutes nobody else would say that it is finished.
    let path = watched.path("open.mp4");
    let mut open = File::create(&path).unwrap();
    open.write_all(&whole).unwrap();
    let sent = send_now(&path).await;
    assert_eq!(sent.code(), Some(0), "{}", sent.errors);
    let upload = sent.events[0]["uploadId"].clone();
    let uploaded = running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    assert_eq!((&sent.events[0]["became"], &uploaded["uploadId"]), (&json!("sent"), &upload));
    assert_eq!(send_now(&path).await.events[0]["uploadId"], upload, "it was sent");
    drop(open);

    // Half of it is written, and no byte is sent, when somebody wants it sent.
    let pause = ["schedule", "daily 00:00-24:00 pause"];
    assert_eq!(watched.dailies.run(LIMIT, &pause).await.unwrap().code(), Some(0));
    let path = watched.path("half.mp4");
    let mut open = File::create(&path).unwrap();
    open.write_all(&half[..half.len() / 2]).unwrap();
    let plan = watched.dry_run(&[]).await.unwrap();
    assert_eq!(plan["half.mp4"], "unfinished");
    let first = send_now(&path).await.events[0]["uploadId"].clone();
    open.write_all(&half[half.len() / 2..]).unwrap();
    drop(open);
    let in_place = |event: &Value| of("added", &path)(event) && event["uploadId"] != first;
    running.until(LIMIT, in_place).await.unwrap();
    assert_eq!(watched.dailies.run(LIMIT, &["schedule", "off"]).await.unwrap().code(), Some(0));
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();

    // What was there before waits for nothing; what is excluded, or elsewhere, is no business of this.
    std::fs::create_dir(watched.path("proxies")).unwrap();
    let (excluded, elsewhere) = (watched.path("proxies/a.mp4"), watched.stage.path("b.mp4"));
    for file in [&excluded, &elsewhere] {
        std::fs::write(file, &half).unwrap();
    }
    assert_eq!(send_now(&excluded).await.code(), Some(1));
    assert_eq!(send_now(&elsewhere).await.code(), Some(2));
    ends_well(running).await.unwrap();
    // Nobody works on the profile: it is in the queue, once.
    let alone = watched.path("coming.mp4.part");
    std::fs::write(&alone, numbered_clip(3).unwrap()).unwrap();
    let upload = send_now(&alone).await.events[0]["uploadId"].clone();
    assert_eq!(send_now(&alone).await.events[0]["uploadId"], upload);
    let done = watched.dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);

    let videos = watched.stage.team.videos().await.unwrap();
    let with_bytes = videos.into_iter().filter(|video| video.status != VideoStatus::Failed);
    let mut titles: Vec<_> = with_bytes.clone().map(|video| video.title).collect();
    titles.sort();
    assert_eq!(titles, ["coming.mp4", "half", "open"]);
    for (title, file) in [("half", path), ("open", watched.path("open.mp4"))] {
        let video = with_bytes.clone().find(|video| video.title == title).unwrap();
        watched.stage.same(&video.id, &file).await.unwrap();
    }
    watched.stage.strike().await.unwrap();
}

/// A file of a folder that goes first is another one in the middle of its upload, and goes up anew:
/// before those that came meanwhile.
#[tokio::test]
async fn what_its_folder_offers_again_still_goes_first() {
    let watched = Watched::set().await.unwrap();
    watched.stage.proxy.limit(4 * MIB);
    let usual = watched.stage.path("usual");
    std::fs::create_dir(&usual).unwrap();
    let usual = usual.canonicalize().unwrap();
    let folder = |folder: &Path| folder.to_str().unwrap().to_owned();
    for call in [
        &["folders", "add", &folder(&watched.folder), "--first"][..],
        &["folders", "add", &folder(&usual)],
        &["parallel", "1"],
    ] {
        let done = watched.dailies.run(LIMIT, call).await.unwrap();
        assert_eq!(done.code(), Some(0), "{}", done.errors);
    }
    let running = watched.dailies.spawn(&["watch"]).unwrap();
    for folder in [&watched.folder, &usual] {
        let begun = |event: &Value| of("folder", folder)(event) && event["health"] == "watching";
        running.until(LIMIT, begun).await.unwrap();
    }
    let first = watched.path("first.mp4");
    std::fs::write(&first, clips::numbered(24, 1).unwrap()).unwrap();
    let sent = |seen: &[Exchange]| seen.iter().any(|exchange| exchange.part.is_some());
    watched.stage.proxy.until(LIMIT, sent).await.unwrap();
    let others = ["a.mp4", "b.mp4"].map(|name| usual.join(name));
    for (number, file) in (2..).zip(&others) {
        std::fs::write(file, clips::numbered(24, number).unwrap()).unwrap();
        running.until(LIMIT, of("added", file)).await.unwrap();
    }
    let (said, new) = (running.events().len(), watched.stage.path("new.mp4"));
    std::fs::write(&new, clips::numbered(24, 4).unwrap()).unwrap();
    std::fs::rename(&new, &first).unwrap();
    running.after(said, LIMIT, of("added", &first)).await.unwrap();
    for file in [&first, &others[1]] {
        running.until(LIMIT, of("uploaded", file)).await.unwrap();
    }
    let events = running.events();
    let place = |file| events.iter().position(of("uploaded", file)).unwrap();
    // One that had begun before may have come to its end.
    assert!(place(&first) < place(&others[1]), "{events:#?}");
    ends_well(running).await.unwrap();
    watched.stage.strike().await.unwrap();
}

/// A team server without projects says so when a folder is to be kept, not when a file waits.
#[tokio::test]
async fn a_team_without_projects_says_so() {
    let watched = Watched::set().await.unwrap();
    let credentials = &watched.stage.server.credentials;
    let dailies = Dailies::unconnected(watched.stage.path("forms"));
    let login = ["--server", &credentials.url, "login", "--key", "--kind", "uploads-api"];
    let key = credentials.api_key.expose_secret();
    let signed_in = dailies.clone().told(key).run(LIMIT, &login).await.unwrap();
    assert_eq!(signed_in.code(), Some(0), "{}", signed_in.errors);
    let folder = watched.folder.to_str().unwrap();
    let rules = [
        ("--project-per-subfolder", "a project for each subfolder"),
        ("--visibility=private", "visibility"),
        ("--versions", "versions"),
    ];
    for (rule, what) in rules {
        let added = dailies.run(LIMIT, &["folders", "add", folder, rule]).await.unwrap();
        assert_eq!(added.code(), Some(1), "{}", added.out);
        assert!(added.errors.contains(what), "{}", added.errors);
    }
    let added = dailies.run(LIMIT, &["folders", "add", folder]).await.unwrap();
    assert_eq!(added.code(), Some(0), "{}", added.errors);
    watched.stage.strike().await.unwrap();
}

async fn targets(team: &TeamApi) -> Vec<UploadTarget> {
    team.call(Query, "projects:listUploadTargets", json!({})).await.unwrap()
}

async fn titles_in(team: &TeamApi, project: &str) -> Vec<String> {
    let options = json!({ "numItems": 100, "cursor": null });
    let args = json!({ "projectId": project, "paginationOpts": options });
    let page: VideoPage = team.call(Query, "videos:list", args).await.unwrap();
    let mut titles: Vec<_> = page.page.into_iter().map(|video| video.title).collect();
    titles.sort();
    titles
}
