//! The least that a file's way into a sink costs on this machine: parts are read and written to a few
//! connections, without an HTTP library, TLS, a queue, or anything that outlives a cut. What other programs take
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
    /// What is sent.
    file: PathBuf,
    /// Reads every part once before, for the CRC-64/NVME that a presigned address has in it.
    #[arg(long)]
    checksum: bool,
    /// Has the kernel send the file's pages, without a copy of them in this process. Linux only.
    #[arg(long)]
    sendfile: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let size = arguments.file.metadata().context("no such file")?.len();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let sending: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| send(&arguments, size, &next))).collect();
        for sender in sending {
            sender.join().map_err(|_| anyhow::anyhow!("a connection's thread broke"))??;
        }
        Ok(())
    })
}

/// Sends the parts that no other connection has taken.
fn send(arguments: &Arguments, size: u64, next: &AtomicU64) -> Result<()> {
    let Arguments { sink, file, checksum, sendfile } = arguments;
    let host = &sink[url::Position::BeforeHost..url::Position::AfterPort];
    let mut stream = TcpStream::connect(host).with_context(|| format!("nobody at {host}"))?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut file = File::open(file)?;
    let mut slice = vec![0; SLICE];
    loop {
        let part = next.fetch_add(1, Relaxed);
        let offset = part * PART;
        if offset >= size {
            return Ok(());
        }
        let length = PART.min(size - offset);
        let mut sum = Digest::new(CrcAlgorithm::Crc64Nvme);
        if *checksum {
            read(&mut file, offset, length, &mut slice, |bytes| {
                sum.update(bytes);
                Ok(())
            })?;
        }
        let sum = sum.finalize();
        write!(
            stream,
            "PUT /floor/file?partNumber={part}&sum={sum:x} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n"
        )?;
        if *sendfile {
            hand_over(&file, offset, length, &stream)?;
        } else {
            read(&mut file, offset, length, &mut slice, |bytes| Ok(stream.write_all(bytes)?))?;
        }
        answered(&mut answers)?;
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

/// Waits for a good answer without a body.
fn answered(answers: &mut BufReader<TcpStream>) -> Result<()> {
    let mut line = String::new();
    ensure!(answers.read_line(&mut line)? > 0, "the sink hung up");
    if !line.starts_with("HTTP/1.1 200") {
        bail!("the sink says {line}");
    }
    while line.trim() != "" {
        line.clear();
        answers.read_line(&mut line)?;
    }
    Ok(())
}
