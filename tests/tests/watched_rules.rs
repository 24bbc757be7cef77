//! What somebody may want of a watched folder, by the real program and a real server.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::Dailies;
use e2e::watched::{Watched, begun, ends_well, numbered_clip, of};

const LIMIT: Duration = Duration::from_secs(60);

/// A team server that is away at the start is waited for, one that was never reached, too; what
/// comes meanwhile goes up as soon as it answers. One that refuses the key is not waited for.
#[tokio::test]
async fn a_team_that_is_away_is_waited_for() {
    let mut watched = Watched::set().await.unwrap();
    std::fs::write(watched.path("before.mp4"), numbered_clip(0).unwrap()).unwrap();
    watched.stage.server.kill().await.unwrap();
    let team = |state: &'static str| {
        move |event: &serde_json::Value| event["event"] == "team" && event["state"] == state
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
