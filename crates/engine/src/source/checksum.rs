//! CRC-64/NVME: the checksum that S3 computes for whole objects, and that parts add up to.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm::Crc64Nvme;

/// The checksum of some bytes. On the wire: base64 of its eight big-endian bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crc64(u64);

impl Crc64 {
    /// Of no bytes.
    pub const EMPTY: Self = Self(0);

    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(crc_fast::checksum(Crc64Nvme, bytes))
    }

    /// Of these bytes followed by `length` others with the checksum `next`.
    #[must_use]
    pub fn then(self, next: Self, length: u64) -> Self {
        Self(dailies_api::crc64::joined(self.0, next.0, length))
    }

    /// As S3 writes it.
    #[must_use]
    pub fn to_wire(self) -> String {
        STANDARD.encode(self.0.to_be_bytes())
    }

    /// As S3 writes it, `None` for anything else.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?.try_into().ok()?;
        Some(Self(u64::from_be_bytes(bytes)))
    }

    /// For a database's column, which is signed.
    #[must_use]
    pub fn to_column(self) -> i64 {
        self.0.cast_signed()
    }

    /// From a database's column.
    #[must_use]
    pub fn from_column(column: i64) -> Self {
        Self(column.cast_unsigned())
    }

    /// Starts a computation over bytes that come one slice after the other.
    pub(crate) fn digest() -> Digest {
        Digest(crc_fast::Digest::new(Crc64Nvme))
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64({:016x})", self.0)
    }
}

/// A checksum under way.
pub(crate) struct Digest(crc_fast::Digest);

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(&self) -> Crc64 {
        Crc64(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_checksum_that_others_mean() {
        // The catalogue's check value: <https://reveng.sourceforge.io/crc-catalogue/all.htm>.
        assert_eq!(Crc64::of(b"123456789"), Crc64(0xae8b_1486_0a79_9888));
        assert_eq!(Crc64::of(b"123456789").to_wire(), "rosUhgp5mIg=");
        assert_eq!(Crc64::from_wire("rosUhgp5mIg="), Some(Crc64::of(b"123456789")));
        assert_eq!(Crc64::from_wire("AAAA"), None);
    }

    #[test]
    fn parts_add_up() {
        let whole = Crc64::of(b"123456789");
        assert_eq!(Crc64::of(b"1234").then(Crc64::of(b"56789"), 5), whole);
        assert_eq!(Crc64::EMPTY.then(whole, 9), whole);
        assert_eq!(Crc64::EMPTY, Crc64::of(b""));
    }
}
