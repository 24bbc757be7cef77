//! The least that a file's way into a sink costs on this machine, or that of many small ones with their way to the team:
//! bytes are read and written to a few connections, without an HTTP library, TLS, or anything that outlives a cut; of many small ones, on demand with
//! the smallest queue that survives a crash. What other programs take beyond it is what they do besides. No part of the product.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use crc_fast::{CrcAlgorithm, Digest};
use dailies_database::{Database, DatabaseError, M, Migrations};
use serde_json::{Value, json};
use url::Url;

/// Bytes of a part, and of what is read and written at once.
const PART: u64 = 8 << 20;
const SLICE: usize = 512 << 10;

/// Sends a file as cheaply as can be.
#[derive(Parser)]
struct Arguments {
    /// The sink's address.
    sink: Url,
    /// What is sent: one file in parts; several whole, each of them registered and finished with the team.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Reads every part once before, for the CRC-64/NVME that a presigned address has in it.
    #[arg(long)]
    checksum: bool,
    /// Has the kernel send the file's pages, without a copy of them in this process. Linux only.
    #[arg(long)]
    sendfile: bool,
    /// Connections, each with a thread.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Writes to a database in this folder how far each of several files is, four times: before it is registered, before its bytes go, before it
    /// is finished, and when it is.
    #[arg(long)]
    queue: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let queue = arguments.queue.as_ref().map(|_| Queue::of(&arguments)).transpose()?;
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let sending: Vec<_> = (0..arguments.connections)
            .map(|_| scope.spawn(|| send(&arguments, queue.as_ref(), &next)))
            .collect();
        for sender in sending {
            sender.join().map_err(|_| anyhow::anyhow!("a connection's thread broke"))??;
        }
        Ok(())
    })
}

/// Sends what no other connection has taken.
fn send(arguments: &Arguments, queue: Option<&Queue>, next: &AtomicU64) -> Result<()> {
    let mut connection = Connection::open(arguments)?;
    let next = || next.fetch_add(1, Relaxed);
    if let [file] = &arguments.files[..] {
        let file = &mut File::open(file)?;
        let size = file.metadata()?.len();
        loop {
            let part = next();
            let offset = part * PART;
            if offset >= size {
                return Ok(());
            }
            let length = PART.min(size - offset);
            connection.put(file, offset, length, arguments, &format!("partNumber={part}"))?;
        }
    }
    loop {
        let number = next();
        let Some(file) = arguments.files.get(usize::try_from(number)?) else { return Ok(()) };
        let step =
            |step, known: &Value| queue.map_or(Ok(()), |queue| queue.step(number, step, known));
        let file = &mut File::open(file)?;
        let size = file.metadata()?.len();
        step("registers", &Value::Null)?;
        let created = connection.call("videos:create", &json!({ "fileSize": size }))?;
        let video = json!({ "videoId": created["value"] });
        let opened = connection.call("videoActions:initiateVideoUpload", &video)?;
        step("sends", &json!({ "video": video, "opened": opened }))?;
        connection.put(file, 0, size, arguments, "whole")?;
        step("finishes", &video)?;
        connection.call("videoActions:markUploadComplete", &video)?;
        step("done", &video)?;
    }
}

/// The smallest queue: a row for each file.
struct Queue {
    database: Database,
    runtime: tokio::runtime::Runtime,
}

impl Queue {
    /// Has all files in it, on disk.
    fn of(arguments: &Arguments) -> Result<Self> {
        let folder = arguments.queue.as_deref().context("no folder for a queue")?;
        let table =
            "CREATE TABLE files (number INTEGER PRIMARY KEY, path TEXT, step TEXT, known TEXT)";
        let migrations = Migrations::new(vec![M::up(table)]);
        let database = Database::open_unchecked(&folder.join("queue.sqlite3"), &migrations)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let queue = Self { database, runtime };
        let paths = arguments.files.iter().map(|path| path.to_string_lossy().into_owned());
        let rows: Vec<_> = (0_i64..).zip(paths).collect();
        queue.runtime.block_on(queue.database.write(move |connection| {
            let mut add =
                connection.prepare_cached("INSERT INTO files VALUES (?1, ?2, 'waits', '')")?;
            rows.iter().try_for_each(|row| add.execute(row.clone()).map(drop))?;
            Ok::<_, DatabaseError>(())
        }))?;
        Ok(queue)
    }

    /// Returns once the step is on disk.
    fn step(&self, number: u64, step: &'static str, known: &Value) -> Result<()> {
        let (number, known) = (number.cast_signed(), known.to_string());
        let written = self.database.write(move |connection| {
            let sql = "UPDATE files SET step = ?2, known = ?3 WHERE number = ?1";
            connection.prepare_cached(sql)?.execute((number, step, known))?;
            Ok::<_, DatabaseError>(())
        });
        Ok(self.runtime.handle().block_on(written)?)
    }
}

/// A connection to the sink.
struct Connection {
    host: String,
    stream: TcpStream,
    answers: BufReader<TcpStream>,
    slice: Vec<u8>,
}

impl Connection {
    fn open(arguments: &Arguments) -> Result<Self> {
        let host = &arguments.sink[url::Position::BeforeHost..url::Position::AfterPort];
        let stream = TcpStream::connect(host).with_context(|| format!("nobody at {host}"))?;
        stream.set_nodelay(true)?;
        let answers = BufReader::new(stream.try_clone()?);
        Ok(Self { host: host.to_owned(), stream, answers, slice: vec![0; SLICE] })
    }

    /// Sends a range of a file.
    fn put(
        &mut self,
        file: &mut File,
        offset: u64,
        length: u64,
        how: &Arguments,
        query: &str,
    ) -> Result<()> {
        let Self { host, stream, answers, slice } = self;
        let mut sum = Digest::new(CrcAlgorithm::Crc64Nvme);
        if how.checksum {
            read(file, offset, length, slice, |bytes| {
                sum.update(bytes);
                Ok(())
            })?;
        }
        let sum = sum.finalize();
        let head = format!("PUT /floor/file?{query}&sum={sum:x} HTTP/1.1\r\nHost: {host}\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n")?;
        if how.sendfile {
            hand_over(file, offset, length, stream)?;
        } else {
            read(file, offset, length, slice, |bytes| Ok(stream.write_all(bytes)?))?;
        }
        answered(answers)?;
        Ok(())
    }

    /// Calls a function of the team's.
    fn call(&mut self, path: &str, args: &Value) -> Result<Value> {
        let body = json!({ "path": path, "args": args }).to_string();
        let head = format!("POST /api/mutation HTTP/1.1\r\nHost: {}\r\n", self.host);
        write!(self.stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
        Ok(serde_json::from_slice(&answered(&mut self.answers)?)?)
    }
}

/// Reads a range, slice by slice.
fn read(
    file: &mut File,
    offset: u64,
    length: u64,
    slice: &mut [u8],
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    let mut left = usize::try_from(length)?;
    while left > 0 {
        let bytes = &mut slice[..left.min(SLICE)];
        file.read_exact(bytes)?;
        take(bytes)?;
        left -= bytes.len();
    }
    Ok(())
}

/// Has the kernel send a range.
#[cfg(target_os = "linux")]
fn hand_over(file: &File, offset: u64, length: u64, stream: &TcpStream) -> Result<()> {
    let mut at = offset;
    while at < offset + length {
        let left = usize::try_from(offset + length - at)?;
        ensure!(
            rustix::fs::sendfile(stream, file, Some(&mut at), left)? > 0,
            "the file is shorter"
        );
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn hand_over(_: &File, _: u64, _: u64, _: &TcpStream) -> Result<()> {
    bail!("there is no sendfile here")
}

/// Waits for a good answer; its body.
fn answered(answers: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut line = String::new();
    ensure!(answers.read_line(&mut line)? > 0, "the sink hung up");
    if !line.starts_with("HTTP/1.1 200") {
        bail!("the sink says {line}");
    }
    let mut length = 0;
    while line.trim() != "" {
        line.clear();
        answers.read_line(&mut line)?;
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(body)
}
