//! Files whose content the project has already, and files that change: asked about, or not, as
//! somebody prefers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dailies_engine::error::Code;
use dailies_engine::preferences::{OnChange, OnDuplicate, Preferences};
use dailies_engine::transfer::{Event, Hold, Phase, Why};
use e2e::clips::{MIB, Take};
use e2e::{Dailies, Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(60);
const ASKS: Hold = Hold::NeedsUser { code: Code::Duplicate };

/// A file with the same head, tail and length, and something else in between.
fn look_alike(file: &Path, to: PathBuf) -> PathBuf {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&to, bytes).unwrap();
    to
}

#[tokio::test]
async fn what_the_team_has_is_asked_about_before_a_byte_is_sent() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let copy = stage.clip("copy of rushes.mp4", 24, Take::One).unwrap();
    let profile = stage.path("profile");
    let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
    let first = uploader.add(file.clone()).await.unwrap();
    uploader.until_ready(first, LIMIT).await.unwrap();
    let sent = stage.proxy.exchanges().len();

    let second = uploader.add(copy.clone()).await.unwrap();
    let view = uploader.until(second, LIMIT, |view| view.hold == ASKS).await.unwrap();
    assert_eq!(stage.proxy.exchanges().len(), sent, "a byte was sent");
    assert_eq!(stage.team.videos().await.unwrap().len(), 1, "the team was told");
    assert_eq!(view.video_id, None);
    let history = uploader.engine.history(second, None).await.unwrap();
    let why = Why::Duplicate { of: first };
    assert!(
        history.iter().any(|e| matches!(&e.event, Event::Failed { why: w, .. } if *w == why)),
        "{history:#?}"
    );
    // The question outlives a restart; the answer, too.
    uploader.stop().await;
    let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
    assert_eq!(uploader.view(second).await.unwrap().hold, ASKS);
    let refused = uploader.engine.send_anyway(vec![first]).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongState);
    uploader.engine.send_anyway(vec![second]).await.unwrap();
    uploader.until_ready(second, LIMIT).await.unwrap();
    assert_eq!(stage.team.videos().await.unwrap().len(), 2);

    let other = look_alike(&file, stage.path("take two.mp4"));
    let third = uploader.add(other.clone()).await.unwrap();
    uploader.until(third, LIMIT, |view| view.phase >= Phase::Processing).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// Both are in the queue before one of them has arrived.
#[tokio::test]
async fn of_two_that_are_added_together_one_is_sent() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let copy = stage.clip("copy of rushes.mp4", 24, Take::One).unwrap();
    let other = stage.clip("other.mp4", 8, Take::One).unwrap();
    stage.proxy.limit(16 * MIB);
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let added = uploader.engine.add(vec![file, copy, other], None).await.unwrap();
    let ids: Vec<_> = added.uploads.iter().map(|upload| upload.id).collect();
    uploader.until_ready(ids[2], LIMIT).await.unwrap();
    uploader.until(ids[1], LIMIT, |view| view.hold == ASKS).await.unwrap();
    uploader.until_ready(ids[0], LIMIT).await.unwrap();
    assert_eq!(stage.team.videos().await.unwrap().len(), 2);
    uploader.engine.cancel(vec![ids[1]]).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn who_prefers_it_is_not_asked() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let path = file.to_str().unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let upload = ["upload", path, "--wait", "ready"];
    assert_eq!(dailies.run(LIMIT, &upload).await.unwrap().code(), Some(0));
    let asked = dailies.run(LIMIT, &upload).await.unwrap();
    assert_eq!(asked.code(), Some(1), "{}\n{}", asked.out, asked.errors);
    let failed = asked.event("failed").unwrap();
    assert_eq!(failed["code"], "duplicate");
    let id = failed["uploadId"].as_str().unwrap();
    let other = Dailies::unconnected(dailies.profile().to_owned());
    assert_eq!(other.run(LIMIT, &["send-anyway", id]).await.unwrap().code(), Some(0));
    let done = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);

    let chosen = other.run(LIMIT, &["prefer", "--duplicates", "send"]).await.unwrap();
    assert_eq!(chosen.events[0]["duplicates"], "send", "{}", chosen.errors);
    assert_eq!(dailies.run(LIMIT, &upload).await.unwrap().code(), Some(0));
    assert_eq!(stage.team.videos().await.unwrap().len(), 3);
    stage.strike().await.unwrap();
}

/// Nobody is asked about a changed file, until it has changed again and again.
#[tokio::test]
async fn a_changed_file_starts_again_but_not_for_ever() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 48, Take::One).unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let prefers = Preferences { duplicates: OnDuplicate::Ask, changes: OnChange::StartAgain };
    uploader.engine.prefer(prefers).await.unwrap();
    stage.proxy.limit(16 * MIB);
    let mut id = uploader.add(file.clone()).await.unwrap();
    for change in 0..4 {
        let some = |confirmed| confirmed > 0;
        uploader.until(id, LIMIT, |view| some(view.progress.confirmed_bytes)).await.unwrap();
        let mut end = std::fs::File::options().append(true).open(&file).unwrap();
        // A box that players skip: the file stays a playable one.
        end.write_all(&[0, 0, 0, 16]).unwrap();
        end.write_all(b"free\0\0\0\0\0\0\0\0").unwrap();
        drop(end);
        if change == 3 {
            let asks = Hold::NeedsUser { code: Code::SourceChanged };
            uploader.until(id, LIMIT, |view| view.hold == asks).await.unwrap();
            break;
        }
        uploader.until(id, LIMIT, |view| view.hold == Hold::Cancelled).await.unwrap();
        let uploads = uploader.views().await.unwrap();
        let again = uploads.iter().find(|upload| upload.hold != Hold::Cancelled).unwrap();
        let history = uploader.engine.history(again.id, None).await.unwrap();
        assert_eq!(history[1].event, Event::StartedAgain { of: id });
        id = again.id;
    }
    // Somebody says that it is done with.
    stage.proxy.unlimit();
    uploader.engine.retry(vec![id]).await.unwrap();
    let uploads = uploader.views().await.unwrap();
    let last = uploads.iter().find(|upload| upload.hold != Hold::Cancelled).unwrap();
    let view = uploader.until_ready(last.id, LIMIT).await.unwrap();
    stage.whole(&view.video_id.unwrap(), &file).await.unwrap();
    assert_eq!(stage.storage.objects().await.unwrap().len(), 1);
    uploader.stop().await;
    stage.strike().await.unwrap();
}
