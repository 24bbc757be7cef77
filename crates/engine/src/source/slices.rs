//! Buffers for reading, used again: a fresh one for each read would cost a page fault every 4 KiB.

use std::sync::{Arc, Mutex, PoisonError};

/// Bytes read at a time: enough that waking the other side is not what takes the time.
const SLICE: usize = 1 << 20;

/// A pool of buffers. Clones share it.
#[derive(Clone, Debug)]
pub struct Slices {
    idle: Arc<Mutex<Vec<Box<[u8]>>>>,
    kept: usize,
}

impl Slices {
    /// A pool that keeps at most `kept` idle buffers of 1 MiB.
    #[must_use]
    pub fn new(kept: usize) -> Self {
        Self { idle: Arc::default(), kept }
    }

    /// An idle buffer, or a new one: how many are out is bounded by those who read.
    pub(crate) fn take(&self) -> Slice {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let buffer = idle.unwrap_or_else(|| vec![0; SLICE].into_boxed_slice());
        Slice { buffer, filled: 0, home: self.clone() }
    }
}

/// A buffer on loan; it goes home when it is dropped, wherever that is.
#[derive(Debug)]
pub(crate) struct Slice {
    buffer: Box<[u8]>,
    filled: usize,
    home: Slices,
}

impl Slice {
    /// Bytes it can hold.
    pub(crate) fn room(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Room for `length` bytes to be read into; more than there is gives what there is.
    pub(crate) fn reset(&mut self, length: u64) -> &mut [u8] {
        self.filled = usize::try_from(length).map_or(SLICE, |length| length.min(SLICE));
        &mut self.buffer[..self.filled]
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.home.kept {
            idle.push(buffer);
        }
    }
}
