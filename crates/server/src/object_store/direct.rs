//! Writing and reading past the system's page cache, where the file system allows it.
//!
//! An original is written once and hardly ever read soon after. Kept in the cache, each of its pages
//! would be found, cleared, copied into and written out later; on the computers this was measured on,
//! that took ten times the CPU of letting the disk read our memory (docs/benchmarks.md). It is also
//! what makes the cache forget what others need.

use std::fs::File;
use std::io;

use bytes::Bytes;

use super::block::{ALIGNMENT, BLOCK, Block};
use super::positioned;

/// A file that is written in blocks, one after the other, of which only the last may be short.
#[derive(Debug)]
pub(super) struct DirectFile {
    file: File,
    /// Whether the cache is passed by at present.
    direct: bool,
}

impl DirectFile {
    /// Nobody else may write by the same handle.
    pub(super) fn new(file: File) -> Self {
        let direct = set_direct(&file, true).is_ok();
        Self { file, direct }
    }

    /// Writes all of a block at `offset`.
    pub(super) fn write_all_at(&mut self, block: &Block, offset: u64) -> io::Result<()> {
        let whole = if offset.is_multiple_of(ALIGNMENT as u64) {
            block.len() / ALIGNMENT * ALIGNMENT
        } else {
            0
        };
        let mut done = 0;
        if self.direct && whole > 0 {
            match positioned::write_all_at(&self.file, &block[..whole], offset) {
                Ok(()) => done = whole,
                // This file system wants it otherwise. What it may have written is written again.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                Err(error) => return Err(error),
            }
        }
        if done == block.len() {
            return Ok(());
        }
        self.pass_through_cache()?;
        positioned::write_all_at(&self.file, &block[done..], offset + done as u64)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn pass_through_cache(&mut self) -> io::Result<()> {
        if self.direct {
            set_direct(&self.file, false)?;
            self.direct = false;
        }
        Ok(())
    }
}

/// The bytes of `range` of a file that was opened for this, by nobody else: as many as fit one block,
/// and none past the end. `None` where the file system does not allow it.
pub(super) fn read(file: &File, start: u64, length: u64) -> io::Result<Option<Bytes>> {
    let before = start % ALIGNMENT as u64;
    let mut block = Block::new();
    match block.fill(start - before, |room, offset| positioned::read_at(file, room, offset)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
        Err(error) => return Err(error),
    }
    let from = usize::try_from(before).map_err(io::Error::other)?;
    let until = usize::try_from(length).unwrap_or(BLOCK).saturating_add(from).min(block.len());
    Ok(Some(Bytes::from_owner(block).slice(from.min(until)..until)))
}

/// Linux lets the flag be set on an open file; `EINVAL` where its file system knows no such thing.
#[cfg(target_os = "linux")]
pub(super) fn set_direct(file: &File, direct: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set_direct(_: &File, direct: bool) -> io::Result<()> {
    if direct { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `bytes` as blocks from `offset` on, and reads them back through the cache.
    fn written(offset: u64, bytes: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("file");
        let mut file = DirectFile::new(File::create(&path).expect("a new file"));
        let mut rest = Bytes::copy_from_slice(bytes);
        let mut at = offset;
        while !rest.is_empty() {
            let mut block = Block::new();
            block.take_from(&mut rest);
            file.write_all_at(&block, at).expect("room on the disk");
            at += block.len() as u64;
        }
        file.sync().expect("a file that can be synced");
        let read = std::fs::read(&path).expect("it is there");
        let offset = usize::try_from(offset).expect("a small offset");
        read[offset.min(read.len())..].to_vec()
    }

    #[test]
    fn any_length_at_any_offset_is_written_whole() {
        let bytes: Vec<u8> =
            (0..3_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for length in [0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, (2 << 20) + 12_345] {
            for offset in [0, 1, 4096, 5 << 20, (1 << 20) - 1] {
                let got = written(offset, &bytes[..length]);
                assert!(got == bytes[..length], "{length} bytes at {offset}");
            }
        }
    }
}
