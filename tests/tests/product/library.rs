//! The team's library, as somebody looks through it: videos page by page, played as long as they may
//! be, shared, and taken home.

use std::time::Duration;

use dailies_api::convex::FunctionKind::{Action, Mutation, Query};
use dailies_api::share_links::{IssuedGrant, LinkState, LinkStatus};
use dailies_engine::EngineHandle;
use dailies_engine::error::Code;
use dailies_engine::library::{
    DownloadState, DownloadView, Downloads, LibraryView, NewShareLink, ProjectView, VideoState,
};
use dailies_engine::transfer::HoldKind;
use dailies_engine::view::{PlaybackForm, UploadView};
use e2e::clips::{MIB, Take};
use e2e::proxy::{End, Exchange, Fault, Rule, What};
use e2e::{Stage, Uploader, clips, hash};
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);
/// Where they lie in the storage.
const ORIGINALS: &str = "/originals/";

async fn projects(engine: &EngineHandle) -> Vec<ProjectView> {
    match engine.library().await.unwrap() {
        LibraryView::Projects { projects } => projects,
        LibraryView::Unlisted => panic!("a server of this kind lists its projects"),
    }
}

/// Waits until the only download stands so.
async fn until(downloads: &Downloads, enough: impl Fn(DownloadState) -> bool) -> DownloadView {
    let mut views = downloads.views();
    let there = views.wait_for(|all| all.len() == 1 && enough(all[0].state));
    let there = tokio::time::timeout(LIMIT, there).await;
    let view = there.map(|all| all.unwrap()[0].clone());
    view.unwrap_or_else(|_| panic!("it stands at {:?}", downloads.views().borrow()))
}

fn is_done(state: DownloadState) -> bool {
    matches!(state, DownloadState::Done { .. })
}

fn ended(state: DownloadState) -> bool {
    is_done(state) || matches!(state, DownloadState::Failed { .. })
}

/// Whether it asks for an original, and not for the way to the storage.
fn is_of(asked: &Exchange) -> bool {
    asked.asked.strip_prefix("GET ").is_some_and(|path| path.starts_with(ORIGINALS))
}

/// What was asked for of originals, after so many requests.
fn originals(stage: &Stage, before: usize) -> Vec<Exchange> {
    stage.proxy.exchanges().split_off(before).into_iter().filter(is_of).collect()
}

fn files(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_long_project_is_read_page_by_page_and_searched_to_its_end() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let engine = &uploader.engine;
    let team_id = &stage.server.credentials.team_id;
    let inner = json!({ "teamId": team_id, "name": "Day 1",
        "parentId": stage.server.credentials.project_id });
    let inner: String = stage.team.call(Mutation, "projects:create", inner).await.unwrap();
    let listed = projects(engine).await;
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].depth, listed[1].depth), (0, 1));
    assert_eq!((&*listed[1].id, &*listed[1].name, listed[1].may_share), (&*inner, "Day 1", true));

    for number in 0..230 {
        let title = format!("take {number:03}{}", if number == 3 { " Überfahrt" } else { "" });
        let args = json!({ "projectId": inner, "title": title });
        let _: String = stage.team.call(Mutation, "videos:create", args).await.unwrap();
    }
    let (mut cursor, mut pages, mut titles) = (None, Vec::new(), Vec::new());
    loop {
        let page = engine.videos(&inner, "", cursor).await.unwrap();
        pages.push(page.videos.len());
        titles.extend(page.videos.into_iter().map(|video| video.title));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, [100, 100, 30]);
    assert_eq!((&*titles[0], &*titles[229]), ("take 229", "take 000"), "the newest first");

    let found = engine.videos(&inner, "ÜBERFAHRT take", None).await.unwrap();
    assert_eq!(found.next, None, "all of it was looked through");
    assert_eq!(found.videos.len(), 1);
    assert_eq!(
        (&*found.videos[0].title, found.videos[0].state),
        ("take 003 Überfahrt", VideoState::Uploading)
    );
    assert_eq!(engine.videos("no such", "", None).await.unwrap_err().code, Code::NotFound);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_video_is_played_with_pictures_of_its_time_line_and_its_original_until_then() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let engine = &uploader.engine;

    // What is no video is never more than its original.
    let noise = stage.path("noise.mp4");
    std::fs::write(&noise, vec![7; 3 << 20]).unwrap();
    let upload = uploader.add(noise.clone()).await.unwrap();
    let asks = |view: &UploadView| view.hold.kind() == HoldKind::NeedsUser || view.hold.is_end();
    let failed = uploader.until(upload, LIMIT, asks).await.unwrap();
    let video_id = failed.video_id.unwrap();
    let view = engine.playback_or_original(&video_id).await.unwrap();
    assert_eq!(view.form, PlaybackForm::Original);
    let here = hash::of_file(&noise).unwrap();
    assert_eq!(hash::of_url(&stage.team.http, &view.url).await.unwrap(), here);
    assert_eq!(engine.playback(&video_id).await.err().unwrap().code, Code::WrongState);

    let upload = uploader.add(clips::to_watch().unwrap()).await.unwrap();
    let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
    let view = engine.playback_or_original(&video_id).await.unwrap();
    assert_eq!(view.form, PlaybackForm::Stream);
    assert!(engine.poster(&video_id).await.unwrap().is_some());
    let storyboard = view.storyboard_url.unwrap();
    let told = stage.team.http.get(&storyboard).send().await.unwrap();
    assert_eq!(told.status(), StatusCode::OK);
    let told: Value = told.json().await.unwrap();
    let tiles = told["tiles"].as_array().unwrap().len();
    assert!((20..=21).contains(&tiles), "one a second: {told}");
    let image = url::Url::parse(&storyboard).unwrap().join(told["url"].as_str().unwrap()).unwrap();
    assert_eq!(stage.team.http.get(image).send().await.unwrap().status(), StatusCode::OK);

    // One whose bytes are not there plays not at all.
    let args = json!({ "projectId": stage.server.credentials.project_id, "title": "nothing yet" });
    let nothing: String = stage.team.call(Mutation, "videos:create", args).await.unwrap();
    let refused = engine.playback_or_original(&nothing).await.err().unwrap();
    assert_eq!(refused.code, Code::WrongState);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_link_opens_what_somebody_shared_until_it_is_taken_back() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let engine = &uploader.engine;
    let upload = uploader.add(stage.clip("reel.mp4", 1, Take::One).unwrap()).await.unwrap();
    let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
    assert!(engine.share_links(&video_id).await.unwrap().is_empty());

    let password = Some("harbour".into());
    let wanted = NewShareLink { expires_in_days: Some(7), allow_download: true, password };
    let page = engine.share(&video_id, wanted).await.unwrap();
    let page = page.expose_secret();
    assert!(page.starts_with(&format!("{}/share/", stage.server.credentials.url)), "a page");
    assert_eq!(stage.team.http.get(page).send().await.unwrap().status(), StatusCode::OK);

    let links = engine.share_links(&video_id).await.unwrap();
    let [link] = &links[..] else { panic!("one link was made: {links:?}") };
    assert!(link.allow_download && link.has_password && !link.is_expired);
    let lives = link.expires_at.unwrap().0 - link.created_at.0;
    assert_eq!(lives, 7 * 24 * 60 * 60 * 1000);
    assert_eq!(engine.share_page(&video_id, &link.id).await.unwrap().expose_secret(), page);
    let views = serde_json::to_string(&links).unwrap();
    let token = page.rsplit('/').next().unwrap().to_owned();
    assert!(!views.contains(&token), "what opens the video is not among what is shown of it");

    let state: LinkState =
        stage.team.call(Query, "shareLinks:getByToken", json!({ "token": token })).await.unwrap();
    assert_eq!(state.status, LinkStatus::RequiresPassword);
    let args = json!({ "token": token, "password": "harbour" });
    let grant: IssuedGrant =
        stage.team.call(Mutation, "shareLinks:issueAccessGrant", args).await.unwrap();
    assert!(grant.ok);
    let args = json!({ "grantToken": grant.grant_token });
    let path = "videoActions:getSharedPlaybackSession";
    let opened: Value = stage.team.call(Action, path, args.clone()).await.unwrap();
    assert!(opened["url"].is_string());

    engine.revoke(link.id.clone()).await.unwrap();
    let opened: Value = stage.team.call(Action, path, args).await.unwrap();
    assert!(opened.is_null(), "its grants went with it");
    let gone = engine.share_page(&video_id, &link.id).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
    assert_eq!(engine.revoke(link.id.clone()).await.unwrap_err().code, Code::NotFound);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// Cut, damaged, expired: the file that is there in the end is the original, and nothing is beside it.
#[tokio::test]
async fn an_original_comes_whole_through_a_bad_network_and_replaces_nothing() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let file = stage.clip("reel.mp4", 24, Take::One).unwrap();
    let upload = uploader.add(file.clone()).await.unwrap();
    let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
    let here = hash::of_file(&file).unwrap();
    let (home, asked) = (stage.path("home"), What::Asked(ORIGINALS));
    std::fs::create_dir(&home).unwrap();

    let downloads = Downloads::open(uploader.engine.clone()).await;
    let offer = downloads.offer(&video_id).await.unwrap();
    assert_eq!(offer.name(), "reel.mp4");
    let before = stage.proxy.exchanges().len();
    stage.proxy.obey([
        Rule::new(asked.clone(), 1, Fault::CutAnswer { after: 5 << 20 }),
        Rule::new(asked.clone(), 1, Fault::expired()),
        Rule::new(asked.clone(), 1, Fault::CutAnswer { after: 3 << 20 }),
    ]);
    let place = home.join("reel.mp4");
    let id = downloads.begin(offer, place.clone()).await.unwrap();
    // Something else has come to its place since somebody was asked.
    std::fs::write(&place, "mine").unwrap();
    let done = until(&downloads, ended).await;
    assert_eq!(done.state, DownloadState::Done { verified: true });
    assert_eq!(done.arrived_bytes, here.bytes);
    assert!(stage.proxy.unused().is_empty(), "each fault happened");
    let asked = originals(&stage, before);
    let from: Vec<_> = asked.iter().map(|one| one.from).collect();
    let (cut, again) = (Some(5 * MIB), Some(8 * MIB));
    assert_eq!(from, [None, cut, cut, again], "it went on from where it was cut");
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
    assert_eq!(files(&home), ["reel (2).mp4", "reel.mp4"]);
    assert_eq!(hash::of_file(&downloads.path_of(id).unwrap()).unwrap(), here);
    downloads.remove(id).await.unwrap();
    assert_eq!(files(&home), ["reel (2).mp4", "reel.mp4"], "what is there stays");

    // A bit that changes on the way is found, and all of it is fetched once more. This time somebody
    // wants what is there replaced.
    let flipped = Fault::FlipAnswer { at: 9 << 20 };
    stage.proxy.obey([Rule::new(What::Asked(ORIGINALS), 1, flipped)]);
    let offer = downloads.offer(&video_id).await.unwrap();
    let id = downloads.begin(offer, place.clone()).await.unwrap();
    let done = until(&downloads, ended).await;
    assert_eq!(done.state, DownloadState::Done { verified: true });
    assert_eq!(downloads.path_of(id).unwrap(), place);
    assert_eq!(hash::of_file(&place).unwrap(), here);
    assert_eq!(files(&home), ["reel (2).mp4", "reel.mp4"]);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// The rest of a file is asked for only if it is still that file: other bytes lay there when the first
/// ones came.
#[tokio::test]
async fn what_is_another_file_by_now_comes_from_its_start() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let file = stage.clip("reel.mp4", 6, Take::One).unwrap();
    let upload = uploader.add(file.clone()).await.unwrap();
    let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
    let key = stage.storage.objects().await.unwrap().remove(0);
    let original = stage.storage.get(&key).await.unwrap();
    stage.storage.put(&key, vec![7; original.len()]).await.unwrap();

    let before = stage.proxy.exchanges().len();
    let cut = Fault::CutAnswer { after: 4 << 20 };
    let asked = What::Asked(ORIGINALS);
    stage.proxy.obey([
        Rule::new(asked.clone(), 1, cut),
        Rule::new(asked, usize::MAX, Fault::internal_error()),
    ]);
    let downloads = Downloads::open(uploader.engine.clone()).await;
    let offer = downloads.offer(&video_id).await.unwrap();
    let place = stage.path("home.mp4");
    downloads.begin(offer, place.clone()).await.unwrap();
    let tried_again =
        |seen: &[Exchange]| seen[before..].iter().filter(|one| is_of(one)).count() > 1;
    stage.proxy.until(LIMIT, tried_again).await.unwrap();
    stage.storage.put(&key, original).await.unwrap();
    stage.proxy.behave();
    let done = until(&downloads, ended).await;
    assert_eq!(done.state, DownloadState::Done { verified: true });
    assert_eq!(hash::of_file(&place).unwrap(), hash::of_file(&file).unwrap());
    let ends: Vec<_> =
        originals(&stage, before).iter().filter_map(|one| one.end.map(|(_, end)| end)).collect();
    let answers: Vec<_> = ends.iter().filter(|end| **end != End::Faulted).collect();
    assert_eq!(answers, [&End::Answered(200)], "all of it, and in one answer: {ends:?}");
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_download_waits_for_the_network_and_leaves_nothing_when_it_is_stopped() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let file = stage.clip("reel.mp4", 6, Take::One).unwrap();
    let upload = uploader.add(file.clone()).await.unwrap();
    let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
    let home = stage.path("home");
    std::fs::create_dir(&home).unwrap();
    let downloads = Downloads::open(uploader.engine.clone()).await;

    stage.proxy.go_down().await;
    let offer = downloads.offer(&video_id).await.unwrap();
    let id = downloads.begin(offer, home.join("reel.mp4")).await.unwrap();
    until(&downloads, |state| state == DownloadState::Offline).await;
    assert_eq!(files(&home).len(), 1, "it is beside its place");
    assert_eq!(downloads.path_of(id).unwrap_err().code, Code::WrongState);
    assert_eq!(downloads.again(id).unwrap_err().code, Code::WrongState);
    stage.proxy.come_up().unwrap();
    until(&downloads, is_done).await;
    assert_eq!(hash::of_file(&home.join("reel.mp4")).unwrap(), hash::of_file(&file).unwrap());
    downloads.remove(id).await.unwrap();

    stage.proxy.go_down().await;
    let offer = downloads.offer(&video_id).await.unwrap();
    let id = downloads.begin(offer, home.join("other.mp4")).await.unwrap();
    until(&downloads, |state| state == DownloadState::Offline).await;
    downloads.remove(id).await.unwrap();
    downloads.stop().await;
    assert_eq!(files(&home), ["reel.mp4"]);

    // Where its folder is not there, somebody is asked; it goes on when they say so.
    stage.proxy.come_up().unwrap();
    let downloads = Downloads::open(uploader.engine.clone()).await;
    let offer = downloads.offer(&video_id).await.unwrap();
    let id = downloads.begin(offer, stage.path("not there/reel.mp4")).await.unwrap();
    let failed = until(&downloads, ended).await;
    assert_eq!(failed.state, DownloadState::Failed { code: Code::FolderMissing });
    std::fs::create_dir(stage.path("not there")).unwrap();
    downloads.again(id).unwrap();
    until(&downloads, is_done).await;
    uploader.stop().await;
    stage.strike().await.unwrap();
}
