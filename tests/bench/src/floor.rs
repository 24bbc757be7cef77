//! The least that a file's way into a sink costs on this machine, or that of many small ones with their way to the team:
//! bytes are read and written to a few connections, without an HTTP library, TLS, a queue, or anything that outlives a cut. What other programs take
//! beyond it is what they do besides. No part of the product.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use crc_fast::{CrcAlgorithm, Digest};
use serde_json::{Value, json};
use url::Url;

/// Bytes of a part, and of what is read and written at once.
const PART: u64 = 8 << 20;
const SLICE: usize = 512 << 10;
const CONNECTIONS: usize = 4;

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
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let sending: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| send(&arguments, &next))).collect();
        for sender in sending {
            sender.join().map_err(|_| anyhow::anyhow!("a connection's thread broke"))??;
        }
        Ok(())
    })
}

/// Sends what no other connection has taken.
fn send(arguments: &Arguments, next: &AtomicU64) -> Result<()> {
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
    while let Some(file) = arguments.files.get(usize::try_from(next())?) {
        let file = &mut File::open(file)?;
        let size = file.metadata()?.len();
        let created = connection.call("videos:create", &json!({ "fileSize": size }))?;
        let video = json!({ "videoId": created["value"] });
        connection.call("videoActions:initiateVideoUpload", &video)?;
        connection.put(file, 0, size, arguments, "whole")?;
        connection.call("videoActions:markUploadComplete", &video)?;
    }
    Ok(())
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
