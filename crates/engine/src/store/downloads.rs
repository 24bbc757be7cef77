//! The table of originals that somebody takes home.

use std::path::PathBuf;

use dailies_database::DatabaseError;
use rusqlite::{Connection, Row, named_params};

use crate::error::Code;
use crate::library::DownloadId;
use crate::source::Crc64;
use crate::store::Store;
use crate::store::columns::{bytes_path, name, named, path_bytes, unreadable};

/// A download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its name.
    pub id: DownloadId,
    /// What is to be taken home, and to where.
    pub wanted: Wanted,
    /// Bytes of the whole, where they are known.
    pub size: Option<u64>,
    /// Where it stands.
    pub stands: Stands,
    /// The half-made file, from before it is made.
    pub half: Option<PathBuf>,
    /// What is surely on disk of it.
    pub arrived: Arrived,
}

/// What somebody wants to take home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The team server's address.
    pub server: String,
    /// The team's name for the video.
    pub video_id: String,
    /// What people call it.
    pub title: String,
    /// Where the file is to be; where it is, once it is done.
    pub place: PathBuf,
    /// A file was there, and whoever chose the place was asked.
    pub replaces: bool,
}

/// Where a download stands, as far as that outlives the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Its bytes are not all there.
    Arriving,
    /// They are, and the file gets its name.
    Placing {
        /// Its checksum is the one that the team says.
        verified: bool,
    },
    /// It is in its place.
    Done {
        /// As before.
        verified: bool,
    },
    /// Somebody has to do something.
    Failed {
        /// Why.
        code: Code,
    },
    /// Nobody wants it any more, and its half-made file is removed.
    Ending,
}

/// The beginning of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// So many bytes.
    pub bytes: u64,
    /// Of them.
    pub checksum: Crc64,
    /// The storage's name for the content that they are of.
    pub tag: Option<String>,
}

impl Arrived {
    /// Nothing yet.
    pub const NOTHING: Self = Self { bytes: 0, checksum: Crc64::EMPTY, tag: None };
}

const COLUMNS: &str = "id, server, video_id, title, place, replaces, size, stands, code, verified, \
                       half, arrived, crc64, tag";

impl Store {
    /// Every download, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn downloads(&self) -> Result<Vec<Download>, DatabaseError> {
        self.read(|c| {
            let sql = format!("SELECT {COLUMNS} FROM downloads ORDER BY id");
            let mut statement = c.prepare_cached(&sql)?;
            let rows = statement.query_map([], read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Takes a new download in.
    ///
    /// # Errors
    /// Of the database; while the disk has room only for what is under way, too.
    pub async fn insert_download(
        &self,
        wanted: Wanted,
        size: Option<u64>,
    ) -> Result<Download, DatabaseError> {
        self.has_room()?;
        self.write(move |c| {
            let sql = "SELECT coalesce(max(id), 0) + 1 FROM downloads";
            let download = Download {
                id: DownloadId(c.query_row(sql, [], |row| row.get(0))?),
                wanted: wanted.clone(),
                size,
                stands: Stands::Arriving,
                half: None,
                arrived: Arrived::NOTHING,
            };
            keep(c, &download)?;
            Ok(download)
        })
        .await
    }

    /// Writes a download down as it is now; one that [ends](Self::end_download) goes on ending.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep_download(&self, download: Download) -> Result<(), DatabaseError> {
        self.write(move |c| keep(c, &download)).await
    }

    /// Writes down that nobody wants a download any more. One that is done meanwhile is forgotten.
    ///
    /// # Errors
    /// Of the database.
    pub async fn end_download(&self, id: DownloadId) -> Result<(), DatabaseError> {
        self.write(move |c| {
            c.execute("DELETE FROM downloads WHERE id = ?1 AND stands = 'done'", [id.0])?;
            c.execute(
                "UPDATE downloads SET stands = 'ending', code = NULL, verified = NULL WHERE id = ?1",
                [id.0],
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets a download.
    ///
    /// # Errors
    /// Of the database.
    pub async fn forget_download(&self, id: DownloadId) -> Result<(), DatabaseError> {
        self.write(move |c| {
            c.execute("DELETE FROM downloads WHERE id = ?1", [id.0])?;
            Ok(())
        })
        .await
    }
}

fn keep(connection: &Connection, download: &Download) -> Result<(), DatabaseError> {
    let Download { id, wanted, size, stands, half, arrived } = download;
    let (stands, code, verified) = match stands {
        Stands::Arriving => ("arriving", None, None),
        Stands::Placing { verified } => ("placing", None, Some(*verified)),
        Stands::Done { verified } => ("done", None, Some(*verified)),
        Stands::Failed { code } => ("failed", Some(name(code)?), None),
        Stands::Ending => ("ending", None, None),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO downloads (id, server, video_id, title, place, replaces, size, stands, code,
             verified, half, arrived, crc64, tag)
         VALUES (:id, :server, :video_id, :title, :place, :replaces, :size, :stands, :code,
             :verified, :half, :arrived, :crc64, :tag)
         ON CONFLICT (id) DO UPDATE SET place = excluded.place, size = excluded.size,
             stands = excluded.stands, code = excluded.code, verified = excluded.verified,
             half = excluded.half, arrived = excluded.arrived, crc64 = excluded.crc64,
             tag = excluded.tag
         WHERE stands <> 'ending'",
    )?;
    statement.execute(named_params! {
        ":id": id.0,
        ":server": wanted.server,
        ":video_id": wanted.video_id,
        ":title": wanted.title,
        ":place": path_bytes(&wanted.place),
        ":replaces": wanted.replaces,
        ":size": size.map(u64::cast_signed),
        ":stands": stands,
        ":code": code,
        ":verified": verified,
        ":half": half.as_deref().map(path_bytes),
        ":arrived": arrived.bytes.cast_signed(),
        ":crc64": arrived.checksum.to_column(),
        ":tag": arrived.tag,
    })?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Download> {
    let verified = || row.get::<_, bool>(9);
    let stands = match row.get_ref(7)?.as_str()? {
        "arriving" => Stands::Arriving,
        "placing" => Stands::Placing { verified: verified()? },
        "done" => Stands::Done { verified: verified()? },
        "failed" => Stands::Failed { code: named(8, row.get(8)?)? },
        "ending" => Stands::Ending,
        _ => return Err(unreadable(7, "no such state")),
    };
    Ok(Download {
        id: DownloadId(row.get(0)?),
        wanted: Wanted {
            server: row.get(1)?,
            video_id: row.get(2)?,
            title: row.get(3)?,
            place: bytes_path(row.get(4)?),
            replaces: row.get(5)?,
        },
        size: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        stands,
        half: row.get::<_, Option<Vec<u8>>>(10)?.map(bytes_path),
        arrived: Arrived {
            bytes: row.get::<_, i64>(11)?.cast_unsigned(),
            checksum: Crc64::from_column(row.get(12)?),
            tag: row.get(13)?,
        },
    })
}

/// Removes rows that the table takes but that are no downloads. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM downloads"))?;
    let mut rows = statement.query([])?;
    let mut senseless = Vec::new();
    while let Some(row) = rows.next()? {
        if read(row).is_err() {
            senseless.push(row.get::<_, i64>(0)?);
        }
    }
    let mut remove = connection.prepare("DELETE FROM downloads WHERE id = ?1")?;
    for id in &senseless {
        remove.execute([id])?;
    }
    Ok(senseless.len())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn wanted(place: PathBuf) -> Wanted {
        let (server, video_id, title) = ("http://127.0.0.1:1/".into(), "v".into(), "reel".into());
        Wanted { server, video_id, title, place, replaces: true }
    }

    async fn only(store: &Store) -> Download {
        let mut all = store.downloads().await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[tokio::test]
    async fn a_download_survives_being_closed_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let place = folder.path().join("home/reel.mov");
        let mut store = Store::open(&path).unwrap();
        let mut row = store.insert_download(wanted(place), Some(u64::MAX >> 1)).await.unwrap();
        assert_eq!(only(&store).await, row);
        row.half = Some(folder.path().join("home/.half"));
        row.arrived =
            Arrived { bytes: 7, checksum: Crc64::of(b"7 bytes"), tag: Some("\"e\"".into()) };
        for stands in [
            Stands::Arriving,
            Stands::Placing { verified: true },
            Stands::Placing { verified: false },
            Stands::Failed { code: Code::LocalStorage },
            Stands::Done { verified: true },
        ] {
            row.stands = stands;
            store.keep_download(row.clone()).await.unwrap();
            store.close().await;
            store = Store::open(&path).unwrap();
            assert_eq!(only(&store).await, row);
        }
        let second = store.insert_download(row.wanted.clone(), None).await.unwrap();
        assert!(second.id > row.id);
        store.forget_download(second.id).await.unwrap();
        assert_eq!(only(&store).await, row);
    }

    /// What is still on its way to be written when somebody ends it brings it back no more.
    #[tokio::test]
    async fn one_that_ends_goes_on_ending() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue.db")).unwrap();
        let row = store.insert_download(wanted("/reel.mov".into()), None).await.unwrap();
        store.end_download(row.id).await.unwrap();
        store.keep_download(row.clone()).await.unwrap();
        assert_eq!(only(&store).await.stands, Stands::Ending);
        store.forget_download(row.id).await.unwrap();
        assert_eq!(store.downloads().await.unwrap(), []);

        let row = store.insert_download(row.wanted, None).await.unwrap();
        let (stands, arrived) =
            (Stands::Done { verified: true }, Arrived { bytes: 1, ..Arrived::NOTHING });
        store.keep_download(Download { stands, arrived, ..row.clone() }).await.unwrap();
        store.end_download(row.id).await.unwrap();
        assert_eq!(store.downloads().await.unwrap(), [], "there is nothing to be removed");
    }

    #[tokio::test]
    async fn bytes_that_lie_nowhere_are_refused_by_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue.db")).unwrap();
        let row = store.insert_download(wanted("/reel.mov".into()), None).await.unwrap();
        let arrived = Arrived { bytes: 1, ..Arrived::NOTHING };
        assert!(store.keep_download(Download { arrived, ..row.clone() }).await.is_err());
        let stands = Stands::Placing { verified: false };
        assert!(store.keep_download(Download { stands, ..row }).await.is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_place_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue.db")).unwrap();
        let place = Path::new(std::ffi::OsStr::from_bytes(b"/clip-\xff\xfe.mov")).to_owned();
        store.insert_download(wanted(place.clone()), None).await.unwrap();
        assert_eq!(only(&store).await.wanted.place, place);
    }

    /// Every released schema before this one goes on with no downloads, and takes some.
    #[tokio::test]
    async fn every_older_queue_takes_downloads() {
        for version in 1..crate::store::SCHEMAS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("queue.db");
            let mut old = Connection::open(&path).unwrap();
            crate::store::migrations().to_version(&mut old, version).unwrap();
            drop(old);
            let store = Store::open(&path).unwrap();
            assert_eq!(store.downloads().await.unwrap(), [], "schema {version}");
            let row = store.insert_download(wanted("/reel.mov".into()), None).await.unwrap();
            assert_eq!(only(&store).await, row, "schema {version}");
            store.close().await;
        }
    }

    #[tokio::test]
    async fn a_damaged_queue_keeps_its_downloads_and_what_makes_no_sense_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let store = Store::open(&path).unwrap();
        let row = store.insert_download(wanted("/reel.mov".into()), Some(1)).await.unwrap();
        store.insert_download(wanted("/other.mov".into()), Some(1)).await.unwrap();
        store.close().await;
        let broken = Connection::open(&path).unwrap();
        broken
            .execute("UPDATE downloads SET title = CAST(x'ff' AS TEXT) WHERE id = 2", [])
            .unwrap();
        drop(broken);
        let (store, rebuilt) = Store::rebuild(&path, crate::transfer::Timestamp(1)).unwrap();
        assert!(rebuilt.some_lost);
        assert_eq!(only(&store).await, row);
    }
}
