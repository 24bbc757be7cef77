//! The Uploads API and chunked sessions, with a network that breaks between their requests.

use std::path::PathBuf;
use std::time::Duration;

use dailies_api::videos::VideoStatus;
use dailies_engine::transfer::{Phase, UploadId};
use dailies_engine::view::UploadView;
use e2e::Uploader;
use e2e::clips::{MIB, Take};
use e2e::conformance::{AtServer, Kind, Side};
use e2e::hash;
use e2e::proxy::{Fault, Rule, What};

const LIMIT: Duration = Duration::from_secs(120);
const FORM: &str = "/api/client/v1/uploads";

/// An engine at a server, behind these rules.
async fn stand(kind: Kind, rules: impl IntoIterator<Item = Rule>) -> (AtServer, Uploader) {
    let side = AtServer::new(kind).await.unwrap();
    side.api.obey(rules);
    let uploader =
        Uploader::with(&side.path("profile"), side.team(), side.protocol()).await.unwrap();
    (side, uploader)
}

async fn add(side: &AtServer, uploader: &Uploader, file: PathBuf) -> UploadId {
    uploader.add_to(file, Some(side.project())).await.unwrap()
}

/// Sends a file past these rules, and asserts that it is there once.
async fn sent_past(kind: Kind, rules: impl IntoIterator<Item = Rule>) -> AtServer {
    let (side, uploader) = stand(kind, rules).await;
    let file = side.file().unwrap();
    let id = add(&side, &uploader, file.clone()).await;
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(side.api.unused().is_empty(), "never happened: {:?}", side.api.unused());
    side.holds_just(&file).await.unwrap();
    uploader.stop().await;
    side
}

/// How often something was asked.
fn asked(side: &AtServer, what: &str) -> usize {
    side.api.exchanges().iter().filter(|exchange| exchange.asked == what).count()
}

#[tokio::test]
async fn a_form_whose_answer_is_lost_is_found_and_not_sent_again() {
    let lost = Rule::new(What::Sent(FORM), 1, Fault::SwallowAnswer);
    let side = sent_past(Kind::Form, [lost]).await;
    assert_eq!(asked(&side, "POST /api/client/v1/uploads"), 1);
    Box::new(side).strike().await.unwrap();
}

#[tokio::test]
async fn a_form_that_breaks_off_is_sent_again() {
    let cut = |after, reset| Rule::new(What::Sent(FORM), 1, Fault::Cut { after, reset });
    let stall = Fault::Stall { after: 3 * MIB, lasting: Duration::from_secs(3) };
    let rules = [cut(0, true), cut(9 * MIB, false), Rule::new(What::Sent(FORM), 1, stall)];
    let side = sent_past(Kind::Form, rules).await;
    assert_eq!(asked(&side, "POST /api/client/v1/uploads"), 4);
    Box::new(side).strike().await.unwrap();
}

#[tokio::test]
async fn a_form_meets_a_hotel_and_a_busy_server() {
    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: "busy".into() };
    let rules = [
        Rule::new(What::Sent(FORM), 1, Fault::captive_portal()),
        Rule::new(What::Sent(FORM), 1, busy.clone()),
        Rule::new(What::Asked(FORM), 1, Fault::captive_portal()),
        Rule::new(What::Asked(FORM), 1, busy),
    ];
    Box::new(sent_past(Kind::Form, rules).await).strike().await.unwrap();
}

/// Cameras give the same names again and again.
#[tokio::test]
async fn of_two_files_with_one_name_both_arrive() {
    let (side, uploader) = stand(Kind::Form, []).await;
    let mut files = Vec::new();
    for (folder, take) in [("a", Take::One), ("b", Take::Two)] {
        std::fs::create_dir(side.path(folder)).unwrap();
        files.push(side.stage.clip(&format!("{folder}/C0001.MP4"), 12, take).unwrap());
    }
    // Both begin before either is there; the second breaks off, and finds the first one's name.
    side.api.limit(8 * MIB);
    let first = add(&side, &uploader, files[0].clone()).await;
    let began = |count| {
        move |seen: &[e2e::proxy::Exchange]| {
            seen.iter().filter(|exchange| exchange.asked.starts_with("POST ")).count() == count
        }
    };
    side.api.until(LIMIT, began(1)).await.unwrap();
    side.api.obey([Rule::new(What::Sent(FORM), 1, Fault::Cut { after: 11 * MIB, reset: true })]);
    let second = add(&side, &uploader, files[1].clone()).await;
    side.api.until(LIMIT, began(2)).await.unwrap();
    uploader.until_ready(first, LIMIT).await.unwrap();
    let view = uploader.until_ready(second, LIMIT).await.unwrap();
    assert_ne!(uploader.view(first).await.unwrap().video_id, view.video_id);
    assert!(side.api.unused().is_empty());

    let videos = side.stage.team.videos().await.unwrap();
    assert_eq!(videos.len(), 2, "{videos:#?}");
    let mut there = Vec::new();
    for video in videos {
        assert_eq!(video.status, VideoStatus::Ready);
        there.push(side.stage.team.original_hash(&video.id).await.unwrap());
    }
    for file in files {
        assert!(there.contains(&hash::of_file(&file).unwrap()), "{}", file.display());
    }
    uploader.stop().await;
    Box::new(side).strike().await.unwrap();
}

/// The documented endpoint counts confirmations, and takes a second completion for a failure.
#[tokio::test]
async fn what_a_session_has_heard_it_is_not_told_twice() {
    let lost = |path| Rule::new(What::Sent(path), 1, Fault::SwallowAnswer);
    let rules = [
        lost("/videoUpload/getChunkUploadUrl"),
        lost("/videoUpload/confirmChunkUpload"),
        lost("/videoUpload/completeVideoUpload"),
        lost("/videoUpload/getUploadProgress"),
    ];
    let side = sent_past(Kind::Chunked, rules).await;
    assert_eq!(asked(&side, "POST /videoUpload/confirmChunkUpload"), 5, "there are five chunks");
    assert_eq!(asked(&side, "POST /videoUpload/completeVideoUpload"), 1);
    Box::new(side).strike().await.unwrap();
}

#[tokio::test]
async fn a_session_meets_a_hotel_and_a_busy_server() {
    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: "busy".into() };
    let methods = [
        "/videoUpload/initializeVideoUpload",
        "/videoUpload/getChunkUploadUrl",
        "/videoUpload/confirmChunkUpload",
        "/videoUpload/completeVideoUpload",
        "/videoUpload/getUploadProgress",
    ];
    let faults = [Fault::captive_portal(), busy];
    let rules = methods
        .into_iter()
        .flat_map(|method| faults.clone().map(|fault| Rule::new(What::Sent(method), 1, fault)));
    Box::new(sent_past(Kind::Chunked, rules).await).strike().await.unwrap();
}

/// Of the one session that there is.
fn let_its_day_be_over(side: &AtServer) {
    let database = side.stage.path("server").join("team.db");
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let over = "UPDATE chunk_sessions SET expires_at = 1";
    assert_eq!(connection.execute(over, ()).unwrap(), 1);
}

#[tokio::test]
async fn what_is_lost_before_it_is_put_together_goes_up_once_more() {
    const COMPLETE: &str = "/videoUpload/completeVideoUpload";
    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: "busy".into() };
    let (side, uploader) = stand(Kind::Chunked, [Rule::new(What::Sent(COMPLETE), 3, busy)]).await;
    let file = side.file().unwrap();
    let id = add(&side, &uploader, file.clone()).await;
    let whole = |view: &UploadView| view.phase == Phase::Finishing;
    uploader.until(id, LIMIT, whole).await.unwrap();
    uploader.engine.pause(vec![id]).await.unwrap();
    uploader.until(id, LIMIT, |view| !view.active).await.unwrap();
    let_its_day_be_over(&side);
    uploader.engine.resume(vec![id]).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert_eq!(asked(&side, "POST /videoUpload/initializeVideoUpload"), 2);
    // What the first session had has ended without a file.
    let wanted = hash::of_file(&file).unwrap();
    let mut whole = 0;
    for video in side.stage.team.videos().await.unwrap() {
        let there = side.stage.team.original_hash(&video.id).await;
        whole += usize::from(there.is_ok_and(|there| there == wanted));
    }
    assert_eq!(whole, 1);
    uploader.stop().await;
    Box::new(side).strike().await.unwrap();
}

/// How far it is, a session says also after its day is over: only its chunks are refused.
#[tokio::test]
async fn a_session_whose_day_is_over_is_followed_by_another() {
    let (side, uploader) = stand(Kind::Chunked, []).await;
    let file = side.file().unwrap();
    side.stage.proxy.limit(2 * MIB);
    let id = add(&side, &uploader, file.clone()).await;
    let some = |view: &UploadView| view.progress.confirmed_bytes >= side.part_size();
    uploader.until(id, LIMIT, some).await.unwrap();
    uploader.engine.pause(vec![id]).await.unwrap();
    uploader.until(id, LIMIT, |view| !view.active).await.unwrap();
    let_its_day_be_over(&side);
    side.stage.proxy.unlimit();
    uploader.engine.resume(vec![id]).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert_eq!(asked(&side, "POST /videoUpload/initializeVideoUpload"), 2);
    assert_eq!(asked(&side, "POST /videoUpload/completeVideoUpload"), 1);
    uploader.stop().await;
    Box::new(side).strike().await.unwrap();
}
