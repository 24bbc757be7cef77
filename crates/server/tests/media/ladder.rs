//! Renditions that are added to an asset that plays already.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use dailies_api::mux::{Asset, AssetStatus, ProgressState};
use dailies_server::media::Limits;
use http::{Method, StatusCode};

use super::stand::{PATIENCE, Stand};

/// 1280×720, two seconds, in what `options` say.
fn clip(folder: &Path, name: &str, options: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(
            "-nostdin -v error -y -f lavfi -i testsrc2=size=1280x720:rate=25:duration=2".split(' '),
        )
        .args("-f lavfi -i sine=duration=2".split(' '))
        .args(options.split_ascii_whitespace())
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

const COPIED: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac";
const ENCODED: &str = "-c:v mpeg4 -q:v 8 -c:a libmp3lame";

fn heights(variants: &[super::stand::Variant]) -> Vec<&str> {
    variants
        .iter()
        .map(|variant| {
            let (_, rest) = variant.attributes.split_once("RESOLUTION=").unwrap();
            rest.split(',').next().unwrap()
        })
        .collect()
}

/// Seconds at which picture and sound start.
fn starts(address: &str) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(
            "-v error -show_entries stream=start_time -of csv=p=0 -allowed_extensions ALL"
                .split(' '),
        )
        .arg(address)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers =
        text.split_whitespace().map(|number| number.trim_end_matches(',').parse().unwrap());
    numbers.collect()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_grows_under_a_video_that_plays() {
    let stand = Stand::start().await;
    let asset = stand.ready(&clip(stand.folder.path(), "copied.mp4", COPIED)).await;
    // What a player has that started at once.
    let before = stand.variants(&asset).await;
    let folder = stand.folder.path().join("assets").join(&asset.id);
    let held = files(&folder);
    let progress = asset.progress.unwrap();
    assert_eq!(progress.state, ProgressState::Transcoding, "{progress:?}");
    assert!(progress.progress < 100.0, "{progress:?}");
    let asked = stand.origin.asked.lock().unwrap().len();

    let asset = stand.completed(&asset.id).await;
    assert_eq!(asset.progress.unwrap().progress, 100.0);
    assert_eq!(stand.origin.asked.lock().unwrap().len(), asked, "the copy here is enough");
    let after = stand.variants(&asset).await;
    let mut sizes = heights(&after);
    sizes.sort_unstable();
    assert_eq!(sizes, ["1280x720", "640x360", "854x480"]);
    let named =
        |variant: &super::stand::Variant| variant.address.split('?').next().unwrap().to_owned();
    let now: Vec<_> = after.iter().map(named).collect();
    assert!(before.iter().all(|variant| now.contains(&named(variant))), "{now:?}");
    assert_eq!(files(&folder), held, "nothing that a player has was changed");
    let first = starts(&before[0].address);
    assert!(first.len() >= 2, "picture and sound: {first:?}");
    for variant in &after {
        for (start, expected) in starts(&variant.address).iter().zip(&first) {
            assert!((start - expected).abs() < 0.05, "{start} and {expected}: no seam");
        }
        assert!(variant.attributes.contains("mp4a.40.2"), "{}", variant.attributes);
        assert!(variant.attributes.contains("FRAME-RATE=25.000"), "{}", variant.attributes);
    }
    // Every file of it wants its token.
    let id = &asset.playback_ids[0].id;
    for file in ["rendition.m3u8", "init.mp4", "segment-00000.m4s"] {
        let path = format!("stream/{id}/360p/{file}");
        let token = stand.token(&Stand::claims(&asset, "v"));
        for (token, status) in [(Some(token), StatusCode::OK), (None, StatusCode::FORBIDDEN)] {
            let answer = stand.get(&stand.address(&path, token.as_deref())).await;
            assert_eq!(answer.status(), status, "{path}");
        }
    }
    let token = stand.token(&Stand::claims(&asset, "v"));
    for path in ["images/x.jpg", "360P/init.mp4", "0360p/init.mp4", "9p/init.mp4"] {
        let address = stand.address(&format!("stream/{id}/{path}"), Some(&token));
        assert_eq!(stand.get(&address).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rendition_is_larger_than_wanted() {
    let limits = Limits { max_height: 480, ..Limits::default() };
    let stand = Stand::with(limits).await;
    let asset = stand.ready(&clip(stand.folder.path(), "encoded.mkv", ENCODED)).await;
    let asset = stand.completed(&asset.id).await;
    let mut variants = stand.variants(&asset).await;
    variants.sort_by(|a, b| a.attributes.cmp(&b.attributes));
    let mut sizes = heights(&variants);
    sizes.sort_unstable();
    assert_eq!(sizes, ["640x360", "854x480"]);
}

/// The renditions of the only asset: height, state, failures.
fn steps(folder: &Path) -> Vec<(u32, String, u32)> {
    let database = rusqlite::Connection::open(folder.join("media.db")).unwrap();
    let sql = "SELECT height, state, failures FROM renditions ORDER BY height";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// As if the step of 480 lines were still to be made, from `input`.
fn unmake(folder: &Path, state: &str, input: Option<&str>) {
    let database = rusqlite::Connection::open(folder.join("media.db")).unwrap();
    let sql = "UPDATE renditions SET state = ?1, input = ?2, variant = NULL, bytes = NULL
               WHERE height = 480";
    assert_eq!(database.execute(sql, rusqlite::params![state, input]).unwrap(), 1);
}

async fn with_ladder(limits: Limits) -> (Stand, Asset) {
    let stand = Stand::with(limits).await;
    let asset = stand.ready(&clip(stand.folder.path(), "copied.mp4", COPIED)).await;
    let asset = stand.completed(&asset.id).await;
    (stand, asset)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_half_made_is_made_again_and_the_rest_is_kept() {
    let (mut stand, asset) = with_ladder(Limits::default()).await;
    let folder = stand.folder.path().join("assets").join(&asset.id);
    let kept = std::fs::metadata(folder.join("360p/init.mp4")).unwrap().modified().unwrap();
    stand
        .restart_after(|root| {
            unmake(root, "running", None);
            std::fs::write(folder.join("480p/segment-00000.m4s"), "half").unwrap();
            std::fs::write(folder.join("480p/segment-00099.m4s"), "of another try").unwrap();
        })
        .await;
    let asset = stand.completed(&asset.id).await;
    assert_eq!(stand.variants(&asset).await.len(), 3);
    assert!(std::fs::metadata(folder.join("480p/segment-00000.m4s")).unwrap().len() > 1000);
    assert!(!folder.join("480p/segment-00099.m4s").exists());
    let now = std::fs::metadata(folder.join("360p/init.mp4")).unwrap().modified().unwrap();
    assert_eq!(now, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_is_tried_again_a_few_times_and_harms_nothing() {
    let limits = Limits { retry: Duration::from_millis(20), ..Limits::default() };
    let (mut stand, asset) = with_ladder(limits).await;
    stand.origin.put("text.mp4", "Only words. ".repeat(5000));
    for (name, failures) in [("text.mp4", 4), ("gone.mp4", 5)] {
        let input = stand.input(name);
        stand.restart_after(|root| unmake(root, "pending", Some(&input))).await;
        let asset = stand.completed(&asset.id).await;
        assert_eq!(asset.status, AssetStatus::Ready);
        assert_eq!(stand.variants(&asset).await.len(), 2, "{name}");
        let failed = (480, "failed".to_owned(), failures);
        assert_eq!(steps(stand.folder.path())[1], failed, "{name}");
    }
    let text = stand.origin.asked.lock().unwrap().iter().filter(|name| *name == "text.mp4").count();
    assert!(text >= 4, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_asset_ends_its_step() {
    let (mut stand, asset) = with_ladder(Limits::default()).await;
    let input = stand.input("copied.mp4");
    stand.origin.hold();
    stand.origin.asked.lock().unwrap().clear();
    stand.restart_after(|root| unmake(root, "pending", Some(&input))).await;
    let work = stand.folder.path().join("work");
    let until = |empty: bool| {
        let work = work.clone();
        async move {
            while (std::fs::read_dir(&work).unwrap().count() == 0) != empty {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, until(false)).await.expect("the step runs");
    let answer = stand.api(Method::DELETE, &format!("/{}", asset.id), None).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    tokio::time::timeout(Duration::from_secs(10), until(true)).await.expect("the step ends");
    assert!(!stand.folder.path().join("assets").join(&asset.id).exists());
}
