//! The main job: a file goes up through the real program to the real server, and plays.

use std::time::{Duration, Instant};

use dailies_api::videos::Video;
use e2e::clips::{self, Take};
use e2e::hls::{self, Addresses};
use e2e::{Dailies, Stage, TeamApi};
use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn three_hundred_megabytes_go_up_and_play_with_a_token_only() {
    let stage = Stage::with_parts(8 << 20).await.unwrap();
    let file = clips::clip(300, Take::One).unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    assert!(size > 290 * clips::MIB, "FFmpeg made {size} bytes");

    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let began = Instant::now();
    let path = file.to_str().unwrap();
    let done = dailies.run(LIMIT, &["upload", path, "--wait", "ready"]).await.unwrap();
    let took = began.elapsed();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    println!("{size} bytes were ready after {took:?}");
    says_what_happened(&done.events, path, size);

    let video_id = stage.one_whole_video(&file).await.unwrap();
    assert_eq!(done.event("ready").unwrap()["videoId"], video_id);
    let parts = stage.server.log.stored_parts();
    assert_eq!(parts.len() as u64, size.div_ceil(8 << 20), "each part was sent once");
    assert!(parts.iter().all(|part| !part.was_held));

    let video = stage.team.only_video().await.unwrap();
    plays_with_its_token_only(&stage.team, &video).await;
    let watch_url = done.event("ready").unwrap()["watchUrl"].as_str().unwrap();
    assert_eq!(watch_url, stage.team.watch_page(&video));
    let page = stage.team.http.get(watch_url).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    stage.strike().await.unwrap();
}

/// The events are ordered, and no byte is confirmed too early or twice.
fn says_what_happened(events: &[Value], path: &str, size: u64) {
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names.first(), Some(&"added"));
    assert_eq!(names[names.len() - 2..], ["uploaded", "ready"]);
    let mut confirmed = 0;
    for event in events {
        assert_eq!(event["path"], path);
        assert_eq!(event["uploadId"], events[0]["uploadId"]);
        if event["event"] == "progress" {
            let now = event["confirmedBytes"].as_u64().unwrap();
            let in_flight = event["inFlightBytes"].as_u64().unwrap();
            assert_eq!(event["totalBytes"], size);
            assert!(now >= confirmed, "{confirmed} bytes were confirmed, then {now}");
            assert!(now + in_flight <= size, "{now} confirmed and {in_flight} in flight");
            confirmed = now;
        }
    }
    assert_eq!(confirmed, size, "at the end everything is confirmed");
}

async fn plays_with_its_token_only(team: &TeamApi, video: &Video) {
    let session = team.playback(&video.id).await.unwrap();
    let master = Url::parse(session.url.as_deref().unwrap()).unwrap();
    let poster = Url::parse(session.poster_url.as_deref().unwrap()).unwrap();
    let found = Addresses::of(&team.http, master.as_str()).await.unwrap();
    assert!(found.playlists.len() >= 2, "{found:?}");
    assert_eq!(found.maps.len(), 1);
    assert!(found.segments.len() > 2, "{found:?}");

    // The image's token is for images only, and the other way round.
    let (for_video, for_image) = (hls::token(&master).unwrap(), hls::token(&poster).unwrap());
    let mut forged = for_video.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    // The last letter of a base64 signature may hold padding bits only; the one before does not.
    let before = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.extend([before, last]);

    for url in found.all() {
        assert_eq!(status(team, url).await, StatusCode::OK, "{}", url.path());
        for wrong in [hls::without_token(url), hls::with_token(url, &forged)] {
            assert_eq!(status(team, &wrong).await, StatusCode::FORBIDDEN, "{}", url.path());
        }
    }
    assert_eq!(status(team, &hls::with_token(&master, &for_image)).await, StatusCode::FORBIDDEN);

    let image = team.http.get(poster.clone()).send().await.unwrap();
    assert_eq!(image.status(), StatusCode::OK);
    assert_eq!(image.headers()["content-type"], "image/jpeg");
    assert!(image.bytes().await.unwrap().starts_with(&[0xFF, 0xD8]), "a JPEG");
    for wrong in [
        hls::without_token(&poster),
        hls::with_token(&poster, &forged),
        hls::with_token(&poster, &for_video),
    ] {
        assert_eq!(status(team, &wrong).await, StatusCode::FORBIDDEN, "{}", wrong.path());
    }
}

async fn status(team: &TeamApi, url: &Url) -> StatusCode {
    let answer = team.http.get(url.clone()).send().await.unwrap();
    let status = answer.status();
    answer.bytes().await.unwrap();
    status
}
