//! Memory that a disk can read and write by itself, without the system's copy in between.

use std::io;
use std::ops::Deref;

use bytes::{Buf as _, Bytes};

/// What addresses, offsets and lengths are multiples of: a page, which every disk's sector divides.
pub(super) const ALIGNMENT: usize = 4096;
/// Bytes of a block. Smaller ones cost more turns of the disk, larger ones more memory per client.
pub(super) const BLOCK: usize = 1 << 20;

/// Up to [`BLOCK`] bytes that begin at a multiple of [`ALIGNMENT`].
#[derive(Debug)]
pub(super) struct Block {
    memory: Vec<u8>,
    /// Where the first aligned byte is.
    start: usize,
    filled: usize,
}

impl Block {
    pub(super) fn new() -> Self {
        let memory = vec![0; BLOCK + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        Self { memory, start, filled: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == BLOCK
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Fills it from `offset` on, as far as `read` can. Answers the error of the first read that fails.
    pub(super) fn fill(
        &mut self,
        mut offset: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<usize>,
    ) -> io::Result<()> {
        self.filled = 0;
        while self.filled < BLOCK {
            let room = &mut self.memory[self.start + self.filled..self.start + BLOCK];
            match read(room, offset) {
                Ok(0) => break,
                Ok(length) => {
                    self.filled += length;
                    offset += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            // What a disk reads by itself ends between two pages only at the end of the file.
            if !self.filled.is_multiple_of(ALIGNMENT) {
                break;
            }
        }
        Ok(())
    }

    /// Takes as much from the front of `bytes` as it has room for.
    pub(super) fn take_from(&mut self, bytes: &mut Bytes) {
        let length = bytes.len().min(BLOCK - self.filled);
        let from = self.start + self.filled;
        bytes.copy_to_slice(&mut self.memory[from..from + length]);
        self.filled += length;
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.filled]
    }
}
