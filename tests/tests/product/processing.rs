//! What becomes of videos after their upload.

use std::io::Write as _;
use std::time::{Duration, Instant};

use e2e::clips::Take;
use e2e::proxy::What;
use e2e::{FaultProxy, Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(180);
const FILES: usize = 24;
/// Between two questions to a team, at the least.
const PAUSE: Duration = Duration::from_millis(250);

/// Each by itself, they would be asked about some three hundred times.
#[tokio::test]
async fn many_videos_in_work_are_asked_about_together() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let folder = stage.path("profile");
    let uploader =
        Uploader::by_way_of(&folder, &stage.server.credentials, &api.url()).await.unwrap();
    let files = (0..FILES).map(|number| {
        let path = stage.clip(&format!("{number}.mp4"), 1, Take::One).unwrap();
        // A box that nobody reads: the same picture in another file.
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"\0\0\0\x10free").unwrap();
        file.write_all(&(number as u64).to_be_bytes()).unwrap();
        path
    });
    let added = uploader.engine.add(files.collect(), None).await.unwrap();
    assert_eq!(added.uploads.len(), FILES);
    let begun = Instant::now();
    for upload in added.uploads {
        uploader.until_ready(upload.id, LIMIT).await.unwrap();
    }
    let most = usize::try_from(begun.elapsed().as_millis() / PAUSE.as_millis()).unwrap() + 1;

    let seen = api.exchanges();
    let asked = |what| seen.iter().filter(|one| What::Function(what).fits(one)).count();
    let (pages, alone) = (asked("videos:list"), asked("videos:get"));
    println!("{pages} pages and {alone} videos were asked for in {:?}", begun.elapsed());
    assert!(pages + alone < FILES * 4, "{pages} pages and {alone} videos were asked for");
    assert!(pages + alone <= most, "{pages} pages and {alone} videos, more than {most}");
    uploader.stop().await;
    stage.strike().await.unwrap();
}
