//! Images, as a page or a player meets them.

use std::path::{Path, PathBuf};
use std::process::Command;

use dailies_api::mux::Asset;
use http::StatusCode;
use serde_json::{Value, json};

use super::stand::Stand;

/// Four seconds of red, four of blue: two segments.
fn clip(folder: &Path) -> PathBuf {
    let path = folder.join("colours.mp4");
    let graph = "color=red:size=320x180:rate=10:duration=4[a];\
                 color=blue:size=320x180:rate=10:duration=4[b];[a][b]concat";
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", graph])
        .args("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10".split(' '))
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

struct Picture {
    media_type: String,
    bytes: Vec<u8>,
    width: u64,
    height: u64,
    frames: u64,
    codec: String,
}

impl Picture {
    /// The mean colour of an area.
    fn colour(&self, x: u64, y: u64, width: u64, height: u64) -> &'static str {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image");
        std::fs::write(&file, &self.bytes).unwrap();
        let filter = format!("crop={width}:{height}:{x}:{y},scale=1:1:flags=area,format=rgb24");
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&file)
            .args(["-vf", &filter, "-frames:v", "1", "-f", "rawvideo", "-"])
            .output()
            .unwrap();
        match output.stdout[..] {
            [200..=255, 0..60, 0..60] => "red",
            [0..60, 0..60, 200..=255] => "blue",
            [0..40, 0..40, 0..40] => "black",
            _ => "other",
        }
    }
}

async fn fetch(stand: &Stand, path: &str, token: Option<&str>) -> Picture {
    let answer = stand.get(&stand.address(path, token)).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.text().await.unwrap());
    let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(answer.headers().contains_key("etag"), "{path}");
    let bytes = answer.bytes().await.unwrap().to_vec();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image");
    std::fs::write(&file, &bytes).unwrap();
    let output = Command::new("ffprobe")
        .args("-v quiet -print_format json -count_frames -show_streams".split(' '))
        .arg(&file)
        .output()
        .unwrap();
    let probed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = &probed["streams"][0];
    Picture {
        media_type,
        bytes,
        width: stream["width"].as_u64().unwrap_or(0),
        height: stream["height"].as_u64().unwrap_or(0),
        frames: stream["nb_read_frames"].as_str().map_or(0, |text| text.parse().unwrap()),
        codec: stream["codec_name"].as_str().unwrap_or_default().to_owned(),
    }
}

async fn public(stand: &Stand) -> Asset {
    let clip = clip(stand.folder.path());
    stand.origin.put("colours.mp4", std::fs::read(clip).unwrap());
    let asset = stand.ask(&stand.input("colours.mp4"), "public").await;
    stand.settled(&asset.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_is_of_the_moment_and_the_size_that_was_asked_for() {
    let stand = Stand::start().await;
    let asset = public(&stand).await;
    let id = &asset.playback_ids[0].id;
    for (file, size, colour) in [
        ("thumbnail.jpg?time=1", (320, 180), "red"),
        ("thumbnail.jpg?time=3.8", (320, 180), "red"),
        ("thumbnail.jpg?time=4", (320, 180), "blue"),
        ("thumbnail.jpg?time=8", (320, 180), "blue"),
        ("thumbnail.jpg?width=160", (160, 90), "blue"),
        ("thumbnail.jpg?height=90&time=0", (160, 90), "red"),
        ("thumbnail.jpg?time=1&width=100&height=100", (100, 56), "red"),
        ("thumbnail.jpg?time=1&width=100&height=100&fit_mode=crop", (100, 100), "red"),
        ("thumbnail.jpg?time=1&width=100&height=100&fit_mode=smartcrop", (100, 100), "red"),
        ("thumbnail.jpg?time=1&width=100&height=100&fit_mode=stretch", (100, 100), "red"),
        ("thumbnail.jpg?time=1&width=100&height=100&fit_mode=pad", (100, 100), "black"),
        ("thumbnail.jpg?time=1&rotate=90&flip_h=true", (180, 320), "red"),
        ("thumbnail.png?time=5", (320, 180), "blue"),
        ("thumbnail.webp?time=1", (320, 180), "red"),
        ("thumbnail.webp", (320, 180), "blue"),
    ] {
        let picture = fetch(&stand, &format!("image/{id}/{file}"), None).await;
        assert_eq!((picture.width, picture.height), size, "{file}");
        // The upper left corner, where padding would be.
        assert_eq!(picture.colour(0, 0, 8, 8), colour, "{file}");
        let (kind, codec) = match &file[10..13] {
            "jpg" => ("image/jpeg", "mjpeg"),
            "png" => ("image/png", "png"),
            _ => ("image/webp", "webp"),
        };
        assert_eq!((picture.media_type.as_str(), picture.codec.as_str()), (kind, codec), "{file}");
    }
    for (file, status) in [
        ("thumbnail.jpg?time=-1", StatusCode::BAD_REQUEST),
        ("thumbnail.jpg?width=5000", StatusCode::BAD_REQUEST),
        ("thumbnail.jpg?fit_mode=;rm", StatusCode::BAD_REQUEST),
        ("animated.gif?start=5&end=1", StatusCode::BAD_REQUEST),
        ("thumbnail.jpg?time=500", StatusCode::NOT_FOUND),
        ("thumbnail.gif", StatusCode::NOT_FOUND),
        ("animated.jpg", StatusCode::NOT_FOUND),
        ("poster.jpg", StatusCode::NOT_FOUND),
        ("init.mp4", StatusCode::NOT_FOUND),
    ] {
        let address = stand.address(&format!("image/{id}/{file}"), None);
        assert_eq!(stand.get(&address).await.status(), status, "{file}");
    }
    let work = std::fs::read_dir(stand.folder.path().join("work")).unwrap().count();
    assert_eq!(work, 0, "nothing half made is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_made_once_and_the_oldest_go() {
    let stand = Stand::start().await;
    let asset = public(&stand).await;
    let id = &asset.playback_ids[0].id;
    let kept = stand.folder.path().join("assets").join(&asset.id).join("images");
    let path = format!("image/{id}/thumbnail.jpg?time=1&width=32");
    let made = fetch(&stand, &path, None).await;
    let only = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    // What is there is served, and not made anew.
    std::fs::copy(stand.folder.path().join("assets").join(&asset.id).join("poster.jpg"), &only)
        .unwrap();
    assert_eq!(fetch(&stand, &path, None).await.width, 320);
    for old in 0..127 {
        std::fs::write(kept.join(format!("{old}.jpg")), "").unwrap();
    }
    let file = std::fs::File::options().write(true).open(&only).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    fetch(&stand, &format!("image/{id}/thumbnail.jpg?time=2&width=32"), None).await;
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 128);
    assert!(!only.exists());
    assert_eq!(fetch(&stand, &path, None).await.bytes, made.bytes, "made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_signed_video_the_token_says_what_image_it_opens() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clip(stand.folder.path())).await;
    let id = &asset.playback_ids[0].id;
    let mut claims = Stand::claims(&asset, "t");
    claims["time"] = json!(5);
    claims["width"] = json!("160");
    let token = stand.token(&claims);
    let picture =
        fetch(&stand, &format!("image/{id}/thumbnail.png?time=1&width=16"), Some(&token)).await;
    assert_eq!((picture.width, picture.colour(0, 0, 8, 8)), (160, "blue"));
    // Each kind of image has its own audience.
    for (file, audience) in [
        ("thumbnail.jpg", "t"),
        ("animated.gif", "g"),
        ("animated.webp", "g"),
        ("storyboard.jpg", "s"),
        ("storyboard.vtt", "s"),
        ("storyboard.json", "s"),
    ] {
        for other in ["v", "t", "g", "s"] {
            let token = stand.token(&Stand::claims(&asset, other));
            let address = stand.address(&format!("image/{id}/{file}"), Some(&token));
            let status = stand.get(&address).await.status();
            let expected = if other == audience { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{file} with {other}");
        }
        let address = stand.address(&format!("image/{id}/{file}"), None);
        assert_eq!(stand.get(&address).await.status(), StatusCode::FORBIDDEN, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storyboard_shows_each_moment_where_it_says() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clip(stand.folder.path())).await;
    let id = &asset.playback_ids[0].id;
    let token = stand.token(&Stand::claims(&asset, "s"));
    let board = fetch(&stand, &format!("image/{id}/storyboard.jpg"), Some(&token)).await;
    assert_eq!((board.width, board.height), (5 * 284, 2 * 160));
    let text =
        stand.text(&stand.address(&format!("image/{id}/storyboard.vtt"), Some(&token))).await;
    let cues: Vec<_> = text.lines().filter(|line| line.contains("#xywh=")).collect();
    assert_eq!(cues.len(), 8, "{text}");
    for (second, cue) in cues.into_iter().enumerate() {
        let (image, place) = cue.split_once("#xywh=").unwrap();
        assert_eq!(image, format!("storyboard.jpg?token={token}"));
        let place: Vec<u64> = place.split(',').map(|number| number.parse().unwrap()).collect();
        let colour = board.colour(place[0], place[1], place[2], place[3]);
        assert_eq!(colour, if second < 4 { "red" } else { "blue" }, "second {second}");
    }
    let address = stand.address(&format!("image/{id}/storyboard.json"), Some(&token));
    let json: Value = stand.get(&address).await.json().await.unwrap();
    assert_eq!((&json["tile_width"], &json["tile_height"]), (&json!(284), &json!(160)));
    assert_eq!(json["tiles"].as_array().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moving_image_is_the_piece_that_was_asked_for() {
    let stand = Stand::start().await;
    let asset = public(&stand).await;
    let id = &asset.playback_ids[0].id;
    let path = format!("image/{id}/animated.gif?start=4.5&end=6.5&fps=5&width=160");
    let piece = fetch(&stand, &path, None).await;
    assert_eq!((piece.width, piece.height, piece.frames), (160, 90, 10));
    assert_eq!((piece.media_type.as_str(), piece.colour(0, 0, 8, 8)), ("image/gif", "blue"));
    let webp = fetch(&stand, &format!("image/{id}/animated.webp?width=160"), None).await;
    assert!(webp.bytes.starts_with(b"RIFF") && webp.bytes[8..].starts_with(b"WEBPVP8X"));
}
