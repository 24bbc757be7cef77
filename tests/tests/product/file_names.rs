//! Files are found by the bytes of their names, whatever those are, and never renamed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use dailies_engine::preferences::{OnDuplicate, Preferences};
use e2e::clips::Take;
use e2e::{Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn any_name_goes_up_and_comes_back_after_a_restart() {
    let mut longest = vec![b'n'; 251];
    longest.extend(b".mp4");
    let names: [&[u8]; 8] = [
        b"clip-\xff\xfe.mp4",
        b"two\nlines\t.mp4",
        "\u{202e}4pm.sehsur.mp4".as_bytes(),
        "e\u{301}.mp4".as_bytes(),
        "\u{e9}.mp4".as_bytes(),
        b" .mp4",
        b"-rf 100% \"quoted\" \\ ?&#=.mp4",
        &longest,
    ];
    let stage = Stage::set().await.unwrap();
    let profile = stage.path("profile");
    let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
    let prefers = Preferences { duplicates: OnDuplicate::Send, ..Preferences::default() };
    uploader.engine.prefer(prefers).await.unwrap();
    std::fs::create_dir(stage.path("card")).unwrap();
    let clip = stage.clip("a.mp4", 8, Take::One).unwrap();
    let files = names.map(|name| stage.path("card").join(OsStr::from_bytes(name)));
    for file in &files {
        std::fs::copy(&clip, file).unwrap();
    }
    let added = uploader.engine.add(vec![stage.path("card")], None).await.unwrap();
    assert_eq!(added.uploads.len(), names.len(), "{:?}", added.refused);
    uploader.stop().await;
    let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
    let mut found = Vec::new();
    for upload in added.uploads {
        let view = uploader.until_ready(upload.id, LIMIT).await.unwrap();
        let path = uploader.engine.path_of(upload.id).await.unwrap();
        stage.whole(&view.video_id.unwrap(), &path).await.unwrap();
        found.push(path);
    }
    found.sort();
    let mut files = files.to_vec();
    files.sort();
    assert_eq!(found, files, "each under its own name");
    assert_eq!(std::fs::read_dir(stage.path("card")).unwrap().count(), names.len());
    uploader.stop().await;
    stage.strike().await.unwrap();
}
