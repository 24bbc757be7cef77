//! Buffers for reading, used again: a fresh one for each read would cost a page fault every 4 KiB.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes read at a time: enough that waking the other side is not what takes the time.
const SLICE: usize = 512 << 10;
/// Bytes read at a time where many read: each is slow then, and memory is what is short.
const SMALL_SLICE: usize = 64 << 10;
/// Buffers of full size at the most, for whatever they are: 15 MiB. They stay: what is freed and taken anew by
/// many threads, the system's allocator spreads over half as much again.
const ALL: usize = 30;
/// Of these, some are for those who read and pass on at once. The others may have bytes that wait to be
/// sent: not all that lanes carry, but much of it.
const KEPT: usize = 22;

/// A pool of buffers. Clones share it.
#[derive(Clone, Debug)]
pub struct Slices {
    pool: Arc<Mutex<Pool>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Box<[u8]>>,
    /// Buffers of full size that are on loan to be read into and passed on.
    out: usize,
    /// Those whose bytes wait to be sent.
    kept: usize,
}

impl Slices {
    /// A pool of at most `most` buffers of half a MiB.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { pool: Arc::default(), most }
    }

    /// A buffer of full size, or a small one where all of those are on loan: how many are out is
    /// bounded by those who read.
    pub(crate) fn take(&self) -> Slice {
        let mut pool = self.lock();
        let large = pool.out < self.most && pool.out + pool.kept < ALL;
        pool.out += usize::from(large);
        let idle = if large { pool.idle.pop() } else { None };
        drop(pool);
        let size = if large { SLICE } else { SMALL_SLICE };
        let buffer = idle.unwrap_or_else(|| vec![0; size].into_boxed_slice());
        Slice { buffer, filled: 0, kept: false, home: self.clone() }
    }

    /// A buffer of full size for bytes that wait to be sent, unless enough of them do.
    pub(crate) fn keep(&self) -> Option<Slice> {
        let mut pool = self.lock();
        if pool.out + pool.kept >= KEPT {
            return None;
        }
        pool.kept += 1;
        let idle = pool.idle.pop();
        drop(pool);
        let buffer = idle.unwrap_or_else(|| vec![0; SLICE].into_boxed_slice());
        Some(Slice { buffer, filled: 0, kept: true, home: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer on loan; it goes home when it is dropped, wherever that is.
#[derive(Debug)]
pub(crate) struct Slice {
    buffer: Box<[u8]>,
    filled: usize,
    /// Its bytes wait to be sent.
    kept: bool,
    home: Slices,
}

impl Slice {
    /// Bytes it can hold.
    pub(crate) fn room(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Room for `length` bytes to be read into; more than there is gives what there is.
    pub(crate) fn reset(&mut self, length: u64) -> &mut [u8] {
        let room = self.buffer.len();
        self.filled = usize::try_from(length).map_or(room, |length| length.min(room));
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
        if buffer.len() < SLICE {
            return;
        }
        let mut pool = self.home.lock();
        *if self.kept { &mut pool.kept } else { &mut pool.out } -= 1;
        pool.idle.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_long_as_there_is_room() {
        let slices = Slices::new(20);
        let kept: Vec<_> = std::iter::from_fn(|| slices.keep()).collect();
        assert_eq!(kept.len(), KEPT);
        let read: Vec<_> = (0..20).map(|_| slices.take()).collect();
        let large = read.iter().filter(|slice| slice.room() == SLICE as u64).count();
        assert_eq!(large, ALL - KEPT, "whoever reads has his own");
        drop((read, kept));
        assert!(slices.keep().is_some());
    }

    #[test]
    fn many_that_read_get_small_buffers() {
        let slices = Slices::new(2);
        let large = [slices.take(), slices.take()];
        assert_eq!(large.each_ref().map(Slice::room), [SLICE as u64; 2]);
        let mut small = slices.take();
        assert_eq!(small.room(), SMALL_SLICE as u64);
        assert_eq!(small.reset(SLICE as u64).len(), SMALL_SLICE);
        drop((large, small));
        assert_eq!(slices.take().room(), SLICE as u64);
        assert_eq!(slices.lock().idle.len(), 2, "small ones are not kept");
    }
}
