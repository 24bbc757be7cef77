//! An original on its way to a file here: beside its place until all of it is there.
//!
//! The half-made file is known again, after a crash too, by what it holds: it begins with the bytes that
//! its row says are surely on disk. Any other file, and what lies under its name then, is left alone.

use std::fs::{self, File};
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE,
};
use reqwest::{Response, StatusCode};
use tempfile::TempPath;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::kept::{Kept, Trouble, unless};
use crate::error::Code;
use crate::net::{SignedUrl, is_portal, refused, transport};
use crate::source::{Crc64, Digest, same_file};
use crate::store::{Arrived, Stands, sync_folder};
use crate::team::Team;
use crate::transfer::Failure;

/// How often bytes are looked for that do not come.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes that are written, or read again, at once.
const WRITTEN: usize = 1 << 20;
/// So many bytes, or so much time, are lost at most in a crash.
const UNSURE: u64 = 32 << 20;
const UNSURE_FOR: Duration = Duration::from_secs(2);
/// Names that are tried where others are taken.
const NAMES: u32 = 1000;

/// What a team says of an original.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// Bytes.
    pub(super) size: Option<u64>,
    pub(super) checksum: Option<Crc64>,
}

/// As much of an original as has arrived, in a file beside its place.
pub(super) struct Original {
    path: PathBuf,
    out: BufWriter<tokio::fs::File>,
    arrived: u64,
    sum: Digest,
    /// The storage's name for this very content: what is asked for later is the rest of it, or all.
    tag: Option<String>,
    /// Bytes that the row says are on disk, and when it was told.
    sure: u64,
    made_sure: Instant,
}

impl Original {
    /// The half-made file of a download as it was left, or a new one.
    pub(super) async fn open(
        kept: &mut Kept,
        size: Option<u64>,
        stop: &CancellationToken,
    ) -> Result<Self, Trouble> {
        let folder = folder_of(&kept.row.wanted.place);
        let missing = size.map(|size| size.saturating_sub(kept.row.arrived.bytes));
        let looked = folder.clone();
        blocking(move || {
            let free = fs4::available_space(&looked)?;
            if missing.is_some_and(|missing| missing > free) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        })
        .await?;
        if let Some(left) = Self::take_up(kept, stop).await? {
            return Ok(left);
        }
        let path = folder.join(format!(".dailies-{}.part", Ulid::new()));
        let half = path.clone();
        kept.change(|row| {
            (row.half, row.arrived) = (Some(half), Arrived::NOTHING);
            row.stands = Stands::Arriving;
        })
        .await?;
        let new = path.clone();
        let open = move || File::options().read(true).write(true).create_new(true).open(new);
        let file = tokio::fs::File::from_std(blocking(open).await?);
        Ok(Self::of(path, file, Arrived::NOTHING, Crc64::digest()))
    }

    /// The half-made file as it was left; `None` where it is gone, or another file lies there.
    pub(super) async fn take_up(
        kept: &Kept,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Trouble> {
        let Some(path) = kept.row.half.clone() else { return Ok(None) };
        let (opened, arrived) = (path.clone(), kept.row.arrived.clone());
        let Some(file) = blocking(move || open_itself(&opened, arrived.bytes)).await? else {
            return Ok(None);
        };
        let (mut file, mut sum) = (tokio::fs::File::from_std(file), Crc64::digest());
        let (mut buffer, mut rest) = (vec![0; WRITTEN], kept.row.arrived.bytes);
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(WRITTEN).min(WRITTEN);
            match unless(stop, file.read(&mut buffer[..most])).await?? {
                0 => return Ok(None),
                read => {
                    sum.update(&buffer[..read]);
                    rest -= read as u64;
                }
            }
        }
        let arrived = kept.row.arrived.clone();
        if sum.finish() != arrived.checksum {
            tracing::warn!(path = %path.display(), "another file lies where a download grew");
            return Ok(None);
        }
        // What lies behind may be anything, after a crash of the system.
        file.set_len(arrived.bytes).await?;
        file.seek(SeekFrom::Start(arrived.bytes)).await?;
        Ok(Some(Self::of(path, file, arrived, sum)))
    }

    fn of(path: PathBuf, file: tokio::fs::File, arrived: Arrived, sum: Digest) -> Self {
        Self {
            path,
            out: BufWriter::with_capacity(WRITTEN, file),
            arrived: arrived.bytes,
            sum,
            tag: arrived.tag,
            sure: arrived.bytes,
            made_sure: Instant::now(),
        }
    }

    /// Bytes that are here.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Fetches what is missing, and tells how much of how much is here as often as anything comes,
    /// and while nothing does.
    pub(super) async fn fetch(
        &mut self,
        team: &Team,
        kept: &mut Kept,
        stop: &CancellationToken,
        mut tell: impl FnMut(u64, Option<u64>),
    ) -> Result<(), Trouble> {
        let clients = team.client().clients();
        let payload = clients.payload();
        let original = unless(stop, team.download_of(&kept.row.wanted.video_id)).await??;
        let url = SignedUrl::from_answer(&original.url, team.client().base())
            .map_err(|refusal| named(&refusal.to_string()))?;
        let mut request = clients.control().get(url.expose().clone());
        if let Some(tag) = self.tag.as_ref().filter(|_| self.arrived > 0) {
            request = request.header(RANGE, format!("bytes={}-", self.arrived));
            request = request.header(IF_RANGE, tag);
        }
        let request = request.build().map_err(transport)?;
        let asking = timeout(clients.options.answer, payload.send(request));
        let mut answer = unless(stop, asking).await?.map_err(|_| Failure::Stalled)??;
        let total = self.accept(&answer, kept).await?;
        if !answer.status().is_success() {
            return Err(refused(answer).await.into());
        }
        let mut since = Instant::now();
        loop {
            match unless(stop, timeout(LOOK, answer.chunk())).await? {
                Ok(Ok(Some(bytes))) => {
                    self.take(&bytes).await?;
                    since = Instant::now();
                }
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(transport(error).into()),
                Err(_) if since.elapsed() >= clients.options.stall => {
                    return Err(Failure::Stalled.into());
                }
                Err(_) => {}
            }
            tell(self.arrived, total);
            let unsure = self.arrived - self.sure;
            if unsure >= UNSURE || (unsure > 0 && self.made_sure.elapsed() >= UNSURE_FOR) {
                self.make_sure(kept).await?;
                // The disk's time is not the network's.
                since = Instant::now();
            }
        }
        match total {
            Some(total) if self.arrived < total => {
                Err(Failure::Transport("it ended early".into()).into())
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that what is here is on disk, and writes that down.
    pub(super) async fn make_sure(&mut self, kept: &mut Kept) -> Result<(), Trouble> {
        if self.arrived > self.sure {
            self.out.flush().await?;
            self.out.get_ref().sync_data().await?;
            let (bytes, checksum) = (self.arrived, self.sum.finish());
            let arrived = Arrived { bytes, checksum, tag: self.tag.clone() };
            kept.change(|row| row.arrived = arrived).await?;
            self.sure = self.arrived;
        }
        self.made_sure = Instant::now();
        Ok(())
    }

    /// Compares what is here with what the team says: whether there was a checksum to compare. What
    /// differs is thrown away.
    pub(super) async fn compare(&mut self, whole: Whole, kept: &mut Kept) -> Result<bool, Trouble> {
        let same_size = whole.size.is_none_or(|size| size == self.arrived);
        let same_sum = whole.checksum.is_none_or(|checksum| checksum == self.sum.finish());
        if same_size && same_sum {
            return Ok(whole.checksum.is_some());
        }
        self.restart(kept).await?;
        Err(Failure::PartDamaged.into())
    }

    /// Puts the file in its place, or beside it under another name if something else has come there
    /// that nobody said was to be replaced.
    pub(super) async fn keep(mut self, kept: &mut Kept, verified: bool) -> Result<(), Trouble> {
        self.make_sure(kept).await?;
        self.out.get_ref().sync_all().await?;
        kept.change(|row| row.stands = Stands::Placing { verified }).await?;
        let (half, wanted) = (self.path, kept.row.wanted.clone());
        let file = self.out.into_inner().into_std().await;
        let put = blocking(move || {
            if same_file(&file, &half).is_err() {
                return Ok(None);
            }
            let place = put(&half, wanted.place, wanted.replaces)?;
            // Not every file system can.
            if let Err(error) = sync_folder(&place) {
                tracing::debug!(%error, "a folder was not synced");
            }
            Ok(Some(place))
        });
        // Somebody has taken it away.
        let place = put.await?.ok_or(Failure::PartDamaged)?;
        kept.is_done(place, verified).await
    }

    /// Finds a whole file that a crash cut off while it got its name; whether it had it already.
    pub(super) async fn was_put(kept: &mut Kept, verified: bool) -> Result<bool, Trouble> {
        let (half, arrived) = (kept.row.half.clone(), kept.row.arrived.clone());
        let wanted = kept.row.wanted.clone();
        let look = move || placed(half.as_deref(), &wanted.place, wanted.replaces, &arrived);
        match blocking(look).await? {
            Some(place) => kept.is_done(place, verified).await.map(|()| true),
            None => kept.change(|row| row.stands = Stands::Arriving).await.map(|()| false),
        }
    }

    /// Removes the half-made file of a download that nobody wants any more.
    pub(super) async fn remove(self) -> Result<(), Trouble> {
        let file = self.out.into_inner().into_std().await;
        blocking(move || match same_file(&file, &self.path) {
            Ok(()) => fs::remove_file(&self.path),
            // Where its folder is gone, too, nothing is known.
            Err(_) => fs::metadata(folder_of(&self.path)).map(drop),
        })
        .await
    }

    /// Takes the head of an answer: the size of the whole, where it says it.
    async fn accept(&mut self, answer: &Response, kept: &mut Kept) -> Result<Option<u64>, Trouble> {
        if is_portal(answer) {
            return Err(Failure::Portal.into());
        }
        let headers = answer.headers();
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (first, total) = range(headers).unwrap_or((0, None));
                if first == self.arrived {
                    return Ok(total);
                }
                self.restart(kept).await?;
                Err(Failure::UnexpectedAnswer("the storage sent another range".into()).into())
            }
            // The content is another one, or the storage knows no ranges.
            StatusCode::OK => {
                self.restart(kept).await?;
                // A weak tag names no bytes (RFC 9110, 8.8.3).
                let strong = |tag: &&str| tag.starts_with('"');
                self.tag = text(headers, ETAG).filter(strong).map(str::to_owned);
                Ok(text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok()))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.restart(kept).await?;
                Err(Failure::UnexpectedAnswer("the original is shorter than it was".into()).into())
            }
            _ => Ok(None),
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.out.write_all(bytes).await?;
        self.sum.update(bytes);
        self.arrived += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is here. The row says so first: what a crash leaves of it is nothing's beginning.
    async fn restart(&mut self, kept: &mut Kept) -> Result<(), Trouble> {
        kept.change(|row| row.arrived = Arrived::NOTHING).await?;
        self.out.seek(SeekFrom::Start(0)).await?;
        self.out.get_mut().set_len(0).await?;
        (self.arrived, self.sum, self.tag, self.sure) = (0, Crc64::digest(), None, 0);
        Ok(())
    }
}

fn folder_of(place: &Path) -> PathBuf {
    place.parent().unwrap_or(Path::new(".")).to_owned()
}

/// Opens a file of at least so many bytes; `None` where there is none. A link may lead anywhere.
/// Blocks.
fn open_itself(path: &Path, least: u64) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() >= least => {
            File::options().read(true).write(true).open(path).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Where its folder is gone, too, nothing is known.
            fs::metadata(folder_of(path)).map(|_| None)
        }
        other => other.map(|_| None),
    }
}

/// Blocks.
fn put(half: &Path, place: PathBuf, replaces: bool) -> io::Result<PathBuf> {
    let mut file = TempPath::try_from_path(half)?;
    // Where it cannot be put, it is what arrived.
    file.disable_cleanup(true);
    if replaces {
        file.persist(&place)?;
        return Ok(place);
    }
    for number in 1..=NAMES {
        let free = numbered(&place, number);
        match file.persist_noclobber(&free) {
            Ok(()) => return Ok(free),
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => file = taken.path,
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Where a crash has left a whole file, if it had its name already. Where it had both names, it loses
/// the first. Blocks.
fn placed(
    half: Option<&Path>,
    place: &Path,
    replaces: bool,
    arrived: &Arrived,
) -> io::Result<Option<PathBuf>> {
    fs::metadata(folder_of(place))?;
    let half = half.filter(|half| half.exists());
    for number in 1..=(if replaces { 1 } else { NAMES }) {
        let name = numbered(place, number);
        match fs::symlink_metadata(&name) {
            Ok(metadata) if !metadata.is_file() || metadata.len() != arrived.bytes => {}
            Ok(_) => match half {
                Some(half) if cfg!(unix) && same_file(&File::open(half)?, &name).is_ok() => {
                    fs::remove_file(half)?;
                    return Ok(Some(name));
                }
                // It has not its name yet, or this is another file.
                Some(_) => {}
                None if sum_of(&name)? == arrived.checksum => return Ok(Some(name)),
                None => {}
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Blocks.
fn sum_of(path: &Path) -> io::Result<Crc64> {
    let (mut file, mut sum, mut buffer) = (File::open(path)?, Crc64::digest(), vec![0; WRITTEN]);
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(sum.finish()),
            read => sum.update(&buffer[..read]),
        }
    }
}

/// `reel.mov`, `reel (2).mov`, …
fn numbered(place: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return place.to_owned();
    }
    let mut name = place.file_stem().unwrap_or_default().to_owned();
    name.push(format!(" ({number})"));
    if let Some(extension) = place.extension() {
        name.push(".");
        name.push(extension);
    }
    place.with_file_name(name)
}

/// First byte and size of the whole of `bytes 5-9/10` (RFC 9110, 14.4).
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (bytes, whole) = text(headers, CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    Some((bytes.split_once('-')?.0.parse().ok()?, whole.parse().ok()))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn named(refusal: &str) -> Failure {
    let reason = format!("the team server named {refusal}");
    Failure::Refused { code: Code::StorageRefused, reason }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    Ok(spawn_blocking(work).await.map_err(io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_file(folder: &Path, text: &str) -> PathBuf {
        let file = folder.join(".dailies-half.part");
        fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn nothing_is_replaced_that_nobody_spoke_of() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("reel 1.tar.mov");
        fs::write(&place, "mine").unwrap();
        let second = put(&a_file(folder.path(), "b"), place.clone(), false).unwrap();
        assert_eq!(second.file_name().unwrap(), "reel 1.tar (2).mov");
        let third = put(&a_file(folder.path(), "c"), place.clone(), false).unwrap();
        assert_eq!(third.file_name().unwrap(), "reel 1.tar (3).mov");
        assert_eq!(fs::read_to_string(&place).unwrap(), "mine");
        assert_eq!(fs::read_to_string(second).unwrap(), "b");

        assert_eq!(put(&a_file(folder.path(), "d"), place.clone(), true).unwrap(), place);
        assert_eq!(fs::read_to_string(&place).unwrap(), "d");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
    }

    #[test]
    fn what_cannot_be_put_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let half = a_file(folder.path(), "b");
        put(&half, folder.path().join("gone/reel.mov"), false).unwrap_err();
        put(&half, folder.path().join("gone/reel.mov"), true).unwrap_err();
        assert_eq!(fs::read_to_string(half).unwrap(), "b");
    }

    /// A crash may come before a whole file has its name, after, or, where the system gives a second
    /// name first, in between.
    #[test]
    fn a_whole_file_is_found_whichever_name_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("reel.mov");
        let arrived = Arrived { bytes: 4, checksum: Crc64::of(b"reel"), tag: None };
        let half = a_file(folder.path(), "reel");
        let look = |replaces| placed(Some(half.as_path()), &place, replaces, &arrived).unwrap();
        assert_eq!(look(false), None, "it has none yet");
        // The same content under that name is somebody's own while the half-made file is there.
        fs::write(&place, "reel").unwrap();
        assert_eq!(look(false), None);
        assert_eq!(fs::read_to_string(&half).unwrap(), "reel");
        fs::write(&place, "mine").unwrap();
        let second = put(&half, place.clone(), false).unwrap();
        assert_eq!(look(false), Some(second.clone()));
        assert_eq!(look(true), None, "it was to be under the first");
        if cfg!(unix) {
            fs::hard_link(&second, &half).unwrap();
            assert_eq!(look(false), Some(second.clone()));
            assert!(!half.exists() && second.exists(), "one name is enough");
        }
        fs::remove_file(&second).unwrap();
        assert_eq!(look(false), None, "it is nowhere");
        assert!(placed(None, &folder.path().join("gone/reel.mov"), false, &arrived).is_err());
    }

    #[test]
    fn a_half_made_file_is_no_link_and_no_shorter_than_what_arrived() {
        let folder = tempfile::tempdir().unwrap();
        let half = a_file(folder.path(), "half");
        assert!(open_itself(&half, 4).unwrap().is_some());
        assert!(open_itself(&half, 5).unwrap().is_none());
        assert!(open_itself(&folder.path().join("none"), 0).unwrap().is_none());
        let gone = open_itself(&folder.path().join("gone/none"), 0).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound, "nothing is concluded from that");
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&half, &link).unwrap();
            assert!(open_itself(&link, 0).unwrap().is_none());
        }
    }

    #[test]
    fn names_are_numbered_before_their_ending() {
        assert_eq!(numbered(Path::new("/a/reel"), 2), Path::new("/a/reel (2)"));
        assert_eq!(numbered(Path::new("/a/.reel"), 2), Path::new("/a/.reel (2)"));
    }

    #[test]
    fn a_range_says_where_it_begins() {
        let range_of = |text: &str| {
            let headers = HeaderMap::from_iter([(CONTENT_RANGE, text.parse().unwrap())]);
            range(&headers)
        };
        assert_eq!(range_of("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range_of("bytes 5-9/*"), Some((5, None)));
        assert_eq!(range_of("bytes */10"), None);
        assert_eq!(range_of("5-9/10"), None);
    }
}
