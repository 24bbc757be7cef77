//! A file that is written to, replaced or removed while it goes up. What the team gets is one
//! version of it, whole, or nothing.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use dailies_api::videos::VideoStatus;
use dailies_engine::Profile;
use dailies_engine::error::Code;
use dailies_engine::transfer::{Hold, Phase, UploadId};
use e2e::clips::{self, MIB, Take};
use e2e::{Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(60);

/// An upload of which some parts are there and some are not.
struct Half {
    stage: Stage,
    uploader: Uploader,
    file: PathBuf,
    id: UploadId,
}

impl Half {
    async fn sent() -> Self {
        let stage = Stage::set().await.unwrap();
        let file = stage.clip("rushes.mp4", 48, Take::One).unwrap();
        stage.proxy.limit(16 * MIB);
        let uploader =
            Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
        let id = uploader.add(file.clone()).await.unwrap();
        let some = |confirmed| (5 * MIB..30 * MIB).contains(&confirmed);
        uploader.until(id, LIMIT, |view| some(view.progress.confirmed_bytes)).await.unwrap();
        Self { stage, uploader, file, id }
    }

    /// The upload says that its file has changed, and nothing of the old version is left.
    async fn stops(&self) {
        let changed = Hold::NeedsUser { code: Code::SourceChanged };
        let view = self.uploader.until(self.id, LIMIT, |view| view.hold == changed).await.unwrap();
        assert!(view.phase < Phase::Processing, "{view:#?}");
        self.stage
            .server
            .log
            .until(LIMIT, |log| !log.events("upload_aborted").is_empty())
            .await
            .unwrap();
        self.nothing_is_there().await;
    }

    /// No object, and no video that could ever be played.
    async fn nothing_is_there(&self) {
        self.stage.storage.nothing_open().await.unwrap();
        assert_eq!(self.stage.storage.objects().await.unwrap(), [""; 0]);
        assert!(self.stage.server.log.events("object_stored").is_empty());
        for video in self.stage.team.videos().await.unwrap() {
            assert!(
                matches!(video.status, VideoStatus::Uploading | VideoStatus::Failed),
                "{video:#?}"
            );
        }
    }

    /// Somebody wants the new version: it goes up as one new video.
    async fn goes_up_as_it_is_now(self) {
        let Self { stage, uploader, file, id } = self;
        stage.proxy.unlimit();
        uploader.engine.set_first(vec![id], true).await.unwrap();
        uploader.engine.retry(vec![id]).await.unwrap();
        let uploads = uploader.views().await.unwrap();
        let again: Vec<_> = uploads.iter().filter(|upload| upload.id != id).collect();
        assert_eq!(again.len(), 1, "{uploads:#?}");
        assert!(goes_first(&stage.path("profile"), again[0].id), "as the one before it did");
        let view = uploader.until_ready(again[0].id, LIMIT).await.unwrap();

        let videos = stage.team.videos().await.unwrap();
        let ready: Vec<_> =
            videos.iter().filter(|video| video.status == VideoStatus::Ready).collect();
        assert_eq!(ready.len(), 1, "{videos:#?}");
        assert_eq!(Some(&ready[0].id), view.video_id.as_ref());
        stage.whole(&ready[0].id, &file).await.unwrap();
        assert_eq!(stage.storage.objects().await.unwrap().len(), 1);
        uploader.stop().await;
        stage.strike().await.unwrap();
    }
}

fn goes_first(profile: &Path, id: UploadId) -> bool {
    let queue = rusqlite::Connection::open(Profile::queue(profile)).unwrap();
    let sql = "SELECT first FROM uploads WHERE id = ?1";
    queue.query_row(sql, [id.to_string()], |row| row.get(0)).unwrap()
}

/// Writes another version into the same file.
fn rewrite(file: &Path, take: Take) {
    let new = std::fs::read(clips::clip(48, take).unwrap()).unwrap();
    let mut to = std::fs::File::options().write(true).truncate(true).open(file).unwrap();
    to.write_all(&new).unwrap();
    to.sync_all().unwrap();
}

#[tokio::test]
async fn truncated_and_rewritten() {
    let half = Half::sent().await;
    rewrite(&half.file, Take::Two);
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}

/// Writes over some bytes at each of these places.
fn edit(file: &Path, places: impl IntoIterator<Item = u64>) {
    let mut edit = std::fs::File::options().write(true).open(file).unwrap();
    for place in places {
        edit.seek(SeekFrom::Start(place)).unwrap();
        edit.write_all(&[0x55; 64 << 10]).unwrap();
    }
}

/// The same bytes at the head and the tail, the same length: what was sent tells.
#[tokio::test]
async fn edited_where_it_was_sent() {
    let half = Half::sent().await;
    edit(&half.file, (0..6).map(|part| part * 5 * MIB + 2 * MIB));
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}

/// What went up belongs to the new version, too: the rest of it follows.
#[tokio::test]
async fn edited_where_nothing_was_sent_yet() {
    let Half { stage, uploader, file, id } = Half::sent().await;
    let length = std::fs::metadata(&file).unwrap().len();
    edit(&file, [length - MIB]);
    stage.proxy.unlimit();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// Copied back, backed up, or on a disk that rounds: other times are no other version.
#[tokio::test]
async fn given_another_time() {
    let Half { stage, uploader, file, id } = Half::sent().await;
    let before = stage.server.log.stored_parts().len();
    std::fs::File::options().append(true).open(&file).unwrap().set_modified(UNIX_EPOCH).unwrap();
    stage.proxy.unlimit();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    let again = stage.server.log.stored_parts().split_off(before);
    let again = again.iter().filter(|part| part.was_held).count();
    assert!(again <= e2e::quick().lanes, "{again} parts came again");
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn appended_to() {
    let half = Half::sent().await;
    let mut end = std::fs::File::options().append(true).open(&half.file).unwrap();
    // A box that players skip: the file stays a playable one.
    end.write_all(&[0, 0, 0, 16]).unwrap();
    end.write_all(b"free\0\0\0\0\0\0\0\0").unwrap();
    drop(end);
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}

#[tokio::test]
async fn replaced_by_a_rename() {
    let half = Half::sent().await;
    let other = half.stage.clip("other.mp4", 48, Take::Two).unwrap();
    std::fs::rename(other, &half.file).unwrap();
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}

/// A deleted file is waited for; if the same comes back, it goes on where it was.
#[tokio::test]
async fn taken_away_and_brought_back() {
    let half = Half::sent().await;
    let away = half.stage.path("elsewhere.mp4");
    std::fs::rename(&half.file, &away).unwrap();
    let missing = |hold: Hold| hold == Hold::SourceMissing;
    half.uploader.until(half.id, LIMIT, |view| missing(view.hold)).await.unwrap();
    assert!(half.stage.server.log.events("object_stored").is_empty());
    let before = half.stage.server.log.stored_parts();
    assert!(!before.is_empty());

    std::fs::rename(&away, &half.file).unwrap();
    half.stage.proxy.unlimit();
    half.uploader.until_ready(half.id, LIMIT).await.unwrap();
    half.stage.one_whole_video(&half.file).await.unwrap();
    // A part whose last bytes were on their way when its sender stopped may arrive after what the
    // storage holds was asked for, and then goes up once more. One that was there may not.
    let again: Vec<_> = half.stage.server.log.stored_parts().split_off(before.len());
    let again: Vec<_> = again.iter().filter(|part| part.was_held).collect();
    assert!(again.len() <= e2e::quick().lanes, "{again:?}");
    assert!(again.iter().all(|part| before.iter().all(|b| b.number != part.number)), "{again:?}");
    half.uploader.stop().await;
    half.stage.strike().await.unwrap();
}

/// Another file under the old name is not the one that was missing.
#[tokio::test]
async fn deleted_and_written_anew() {
    let half = Half::sent().await;
    std::fs::remove_file(&half.file).unwrap();
    let missing = |hold: Hold| hold == Hold::SourceMissing;
    let view = half.uploader.until(half.id, LIMIT, |view| missing(view.hold)).await.unwrap();
    assert!(view.phase < Phase::Processing);
    let new = half.stage.clip("new.mp4", 48, Take::Two).unwrap();
    std::fs::rename(new, &half.file).unwrap();
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}

/// The last moment at which a change can do harm: every part is there, the object not yet made.
#[tokio::test]
async fn changed_after_the_last_part() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 48, Take::One).unwrap();
    let api = e2e::FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let complete = e2e::proxy::What::Function("videoActions:completeMultipartUpload");
    let cut = e2e::proxy::Fault::Cut { after: 0, reset: true };
    // The object cannot be made before the file has changed.
    api.obey([e2e::proxy::Rule::new(complete, 1000, cut)]);
    let credentials = &stage.server.credentials;
    let profile = stage.path("profile");
    let uploader = Uploader::by_way_of(&profile, credentials, &api.url()).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    let refused = |call: &e2e::proxy::Exchange| {
        call.function.as_deref().is_some_and(|name| name == "videoActions:completeMultipartUpload")
            && call.end.is_some()
    };
    api.until(LIMIT, |calls| calls.iter().any(refused)).await.unwrap();
    rewrite(&file, Take::Two);
    api.behave();
    let half = Half { stage, uploader, file, id };
    half.stops().await;
    half.goes_up_as_it_is_now().await;
}
