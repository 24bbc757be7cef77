//! What is made of an original, as a player meets it.

use std::process::Command;

use dailies_api::mux::Asset;
use http::StatusCode;
use serde_json::Value;

use super::clips;
use super::stand::Stand;

#[tokio::test(flavor = "multi_thread")]
async fn h264_and_aac_are_copied_and_play() {
    let stand = Stand::start().await;
    let clip = clips::h264_aac(stand.folder.path());
    let asset = stand.ready(&clip).await;
    assert_eq!(asset.aspect_ratio.as_deref(), Some("16:9"));
    assert!((asset.duration.unwrap() - 12.0).abs() < 0.2, "{:?}", asset.duration);

    let token = stand.token(&Stand::claims(&asset, "v"));
    let master = stand.text(&stand.master(&asset, Some(&token))).await;
    assert!(master.contains("RESOLUTION=640x360,CODECS=\"avc1.42c0"), "{master}");
    assert!(master.contains(",mp4a.40.2\""), "{master}");
    let id = &asset.playback_ids[0].id;
    let media = stand.address(&format!("stream/{id}/rendition.m3u8"), Some(&token));
    let media = stand.text(&media).await;
    assert!(media.contains(&format!("#EXT-X-MAP:URI=\"init.mp4?token={token}\"")), "{media}");
    let segments: Vec<_> = media.lines().filter(|line| line.starts_with("segment-")).collect();
    assert_eq!(segments.len(), 3, "{media}");
    assert!(segments.iter().all(|line| line.ends_with(&format!("?token={token}"))), "{media}");

    // Copied: the packets are those of the original, and all of them.
    let played = packets(&stand.master(&asset, Some(&token)), "-allowed_extensions ALL");
    assert_eq!(played, packets(clip.to_str().unwrap(), ""));
    assert_eq!(played.len(), 360);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_video_is_copied_without_sound() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::h264_silent(stand.folder.path())).await;
    let token = stand.token(&Stand::claims(&asset, "v"));
    let master = stand.text(&stand.master(&asset, Some(&token))).await;
    assert!(master.contains("CODECS=\"avc1.42c0") && !master.contains("mp4a"), "{master}");
    assert_eq!(streams(&stand, &asset).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_browsers_do_not_play_is_transcoded() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::foreign(stand.folder.path())).await;
    let streams = streams(&stand, &asset);
    let [video, audio] = streams.as_slice() else { panic!("{streams:?}") };
    assert_eq!((&video["codec_name"], &audio["codec_name"]), (&"h264".into(), &"aac".into()));
    assert_eq!(video["pix_fmt"], "yuv420p");
    // 901×1603 fits 720×1280, and stays upright.
    assert_eq!((&video["width"], &video["height"]), (&720.into(), &1280.into()));
    assert!((asset.duration.unwrap() - 12.0).abs() < 0.3, "{:?}", asset.duration);

    let asset = stand.ready(&clips::vp9(stand.folder.path())).await;
    let [video] = &self::streams(&stand, &asset)[..] else { panic!("one stream") };
    assert_eq!((&video["codec_name"], &video["pix_fmt"]), (&"h264".into(), &"yuv420p".into()));
    assert_eq!(video["width"], 320, "nothing is made larger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_picture_is_turned_upright() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::turned(stand.folder.path())).await;
    assert_eq!(asset.aspect_ratio.as_deref(), Some("9:16"));
    let streams = streams(&stand, &asset);
    assert_eq!((&streams[0]["width"], &streams[0]["height"]), (&360.into(), &640.into()));
    assert_eq!(streams[1]["codec_name"], "aac");
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_come_with_the_right_headers() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clips::h264_aac(stand.folder.path())).await;
    let id = &asset.playback_ids[0].id;
    let video = stand.token(&Stand::claims(&asset, "v"));
    let image = stand.token(&Stand::claims(&asset, "t"));
    let cases = [
        (format!("stream/{id}.m3u8"), &video, "application/vnd.apple.mpegurl", "no-store"),
        (
            format!("stream/{id}/rendition.m3u8"),
            &video,
            "application/vnd.apple.mpegurl",
            "no-store",
        ),
        (format!("stream/{id}/init.mp4"), &video, "video/mp4", "private, max-age=86400, immutable"),
        (
            format!("stream/{id}/segment-00000.m4s"),
            &video,
            "video/iso.segment",
            "private, max-age=86400, immutable",
        ),
        (
            format!("image/{id}/thumbnail.jpg"),
            &image,
            "image/jpeg",
            "private, max-age=86400, immutable",
        ),
    ];
    for (path, token, media_type, caching) in cases {
        let address = stand.address(&path, Some(token));
        let answer = stand.http.get(&address).header("origin", "tauri://localhost");
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), media_type, "{path}");
        assert_eq!(header("cache-control"), caching, "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("access-control-allow-origin"), "*", "{path}");
        let length = answer.headers()["content-length"].clone();
        let body = answer.bytes().await.unwrap();
        assert_eq!(length.to_str().unwrap(), body.len().to_string(), "{path}");

        let head = stand.http.head(&address).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert_eq!(head.headers()["content-length"], length, "{path}");

        if caching != "no-store" {
            let part = stand.http.get(&address).header("range", "bytes=10-29").send();
            let part = part.await.unwrap();
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{path}");
            let range = format!("bytes 10-29/{}", body.len());
            assert_eq!(part.headers()["content-range"].to_str().unwrap(), range);
            let tag = part.headers()["etag"].to_str().unwrap().to_owned();
            assert_eq!(part.bytes().await.unwrap(), body[10..30], "{path}");
            for (name, value, status) in [
                ("if-none-match", tag.as_str(), StatusCode::NOT_MODIFIED),
                ("if-none-match", "\"other\"", StatusCode::PARTIAL_CONTENT),
                ("if-range", tag.as_str(), StatusCode::PARTIAL_CONTENT),
                ("if-range", "\"other\"", StatusCode::OK),
            ] {
                let request = stand.http.get(&address).header("range", "bytes=10-29");
                let answer = request.header(name, value).send().await.unwrap();
                assert_eq!(answer.status(), status, "{path}, {name} {value}");
                assert_eq!(answer.headers()["etag"], tag, "{path}");
            }
        }
        if media_type == "image/jpeg" {
            assert!(body.starts_with(&[0xff, 0xd8]) && body.len() > 2000, "a picture");
        }
    }
}

/// Sizes of all video packets, read as a player would.
fn packets(address: &str, options: &str) -> Vec<String> {
    let packets = ffprobe(address, &format!("{options} -select_streams v -show_packets"));
    let packets = packets["packets"].as_array().unwrap();
    packets.iter().map(|packet| packet["size"].to_string()).collect()
}

fn streams(stand: &Stand, asset: &Asset) -> Vec<Value> {
    let token = stand.token(&Stand::claims(asset, "v"));
    let address = stand.master(asset, Some(&token));
    let probed = ffprobe(&address, "-allowed_extensions ALL -show_streams");
    probed["streams"].as_array().unwrap().clone()
}

fn ffprobe(address: &str, options: &str) -> Value {
    let output = Command::new("ffprobe")
        .args("-v error -print_format json".split(' '))
        .args(options.split_ascii_whitespace())
        .arg(address)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
