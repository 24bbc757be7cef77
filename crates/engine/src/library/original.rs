//! An original on its way to a file here: beside its place until all of it is there.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE,
};
use reqwest::{Response, StatusCode};
use tempfile::NamedTempFile;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::Code;
use crate::net::{SignedUrl, is_portal, refused, transport};
use crate::source::{Crc64, Digest};
use crate::team::Team;
use crate::transfer::Failure;

/// How often bytes are looked for that do not come.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes that are written at once.
const WRITTEN: usize = 1 << 20;
/// Names that are tried where others are taken.
const NAMES: u32 = 1000;

/// What a team says of an original.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// Bytes.
    pub(super) size: Option<u64>,
    pub(super) checksum: Option<Crc64>,
}

/// As much of an original as has arrived, in a file that goes with this unless it is kept.
pub(super) struct Original {
    file: NamedTempFile,
    out: BufWriter<tokio::fs::File>,
    arrived: u64,
    sum: Digest,
    /// The storage's name for this very content: what is asked for later is the rest of it, or all.
    tag: Option<String>,
}

impl Original {
    /// Of nothing yet.
    pub(super) async fn begin(place: &Path, whole: Whole) -> Result<Self, Failure> {
        let folder = place.parent().unwrap_or(Path::new(".")).to_owned();
        let file = blocking(move || {
            let free = fs4::available_space(&folder)?;
            if whole.size.is_some_and(|size| size > free) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            beside(&folder)
        })
        .await?;
        let out = tokio::fs::File::from_std(file.reopen().map_err(stored)?);
        let out = BufWriter::with_capacity(WRITTEN, out);
        Ok(Self { file, out, arrived: 0, sum: Crc64::digest(), tag: None })
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
        video_id: &str,
        mut tell: impl FnMut(u64, Option<u64>),
    ) -> Result<(), Failure> {
        let clients = team.client().clients();
        let payload = clients.payload();
        let original = team.download_of(video_id).await?;
        let url = SignedUrl::from_answer(&original.url, team.client().base())
            .map_err(|refusal| named(&refusal.to_string()))?;
        let mut request = clients.control().get(url.expose().clone());
        if let Some(tag) = self.tag.as_ref().filter(|_| self.arrived > 0) {
            request = request.header(RANGE, format!("bytes={}-", self.arrived));
            request = request.header(IF_RANGE, tag);
        }
        let request = request.build().map_err(transport)?;
        let asking = timeout(clients.options.answer, payload.send(request));
        let mut answer = asking.await.map_err(|_| Failure::Stalled)??;
        let total = self.accept(&answer).await?;
        if !answer.status().is_success() {
            return Err(refused(answer).await);
        }
        let mut since = Instant::now();
        loop {
            match timeout(LOOK, answer.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    self.take(&bytes).await?;
                    since = Instant::now();
                }
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(transport(error)),
                Err(_) if since.elapsed() >= clients.options.stall => return Err(Failure::Stalled),
                Err(_) => {}
            }
            tell(self.arrived, total);
        }
        match total {
            Some(total) if self.arrived < total => Err(Failure::Transport("it ended early".into())),
            _ => Ok(()),
        }
    }

    /// Compares what is here with what the team says: whether there was a checksum to compare. What
    /// differs is thrown away.
    pub(super) async fn compare(&mut self, whole: Whole) -> Result<bool, Failure> {
        let same_size = whole.size.is_none_or(|size| size == self.arrived);
        let same_sum = whole.checksum.is_none_or(|checksum| checksum == self.sum.finish());
        if same_size && same_sum {
            return Ok(whole.checksum.is_some());
        }
        self.restart().await?;
        Err(Failure::PartDamaged)
    }

    /// Puts the file in its place, or beside it under another name if something else has come there
    /// that nobody said was to be `replaced`.
    pub(super) async fn keep(mut self, place: PathBuf, replaced: bool) -> Result<PathBuf, Failure> {
        self.out.flush().await.map_err(stored)?;
        blocking(move || {
            self.file.as_file().sync_all()?;
            put(self.file, place, replaced)
        })
        .await
    }

    /// Takes the head of an answer: the size of the whole, where it says it.
    async fn accept(&mut self, answer: &Response) -> Result<Option<u64>, Failure> {
        if is_portal(answer) {
            return Err(Failure::Portal);
        }
        let headers = answer.headers();
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (first, total) = range(headers).unwrap_or((0, None));
                if first == self.arrived {
                    return Ok(total);
                }
                self.restart().await?;
                Err(Failure::UnexpectedAnswer("the storage sent another range".into()))
            }
            // The content is another one, or the storage knows no ranges.
            StatusCode::OK => {
                self.restart().await?;
                // A weak tag names no bytes (RFC 9110, 8.8.3).
                let strong = |tag: &&str| tag.starts_with('"');
                self.tag = text(headers, ETAG).filter(strong).map(str::to_owned);
                Ok(text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok()))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.restart().await?;
                Err(Failure::UnexpectedAnswer("the original is shorter than it was".into()))
            }
            _ => Ok(None),
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).await.map_err(stored)?;
        self.sum.update(bytes);
        self.arrived += bytes.len() as u64;
        Ok(())
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        self.out.seek(SeekFrom::Start(0)).await.map_err(stored)?;
        self.out.get_mut().set_len(0).await.map_err(stored)?;
        (self.arrived, self.sum, self.tag) = (0, Crc64::digest(), None);
        Ok(())
    }
}

/// A file with the rights that any other program would give it.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dailies-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Blocks.
fn put(mut file: NamedTempFile, place: PathBuf, replaced: bool) -> io::Result<PathBuf> {
    if replaced {
        file.persist(&place)?;
        return Ok(place);
    }
    for number in 1..=NAMES {
        let free = numbered(&place, number);
        match file.persist_noclobber(&free) {
            Ok(_) => return Ok(free),
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => file = taken.file,
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
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

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn stored(error: impl ToString) -> Failure {
    Failure::LocalStorage(error.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(stored)?.map_err(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_file(folder: &Path, text: &str) -> NamedTempFile {
        let file = beside(folder).unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn nothing_is_replaced_that_nobody_spoke_of() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("reel 1.tar.mov");
        std::fs::write(&place, "mine").unwrap();
        let second = put(a_file(folder.path(), "b"), place.clone(), false).unwrap();
        assert_eq!(second.file_name().unwrap(), "reel 1.tar (2).mov");
        let third = put(a_file(folder.path(), "c"), place.clone(), false).unwrap();
        assert_eq!(third.file_name().unwrap(), "reel 1.tar (3).mov");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(second).unwrap(), "b");

        assert_eq!(put(a_file(folder.path(), "d"), place.clone(), true).unwrap(), place);
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "d");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
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
