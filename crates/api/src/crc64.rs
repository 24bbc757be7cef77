//! CRC-64/NVME, the checksum that S3 computes of whole objects: how those of parts add up.

/// The polynomial, its highest power in the lowest bit.
/// <https://reveng.sourceforge.io/crc-catalogue/all.htm>.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;
/// The polynomial 1, written so.
const ONE: u64 = 1 << 63;
/// By what a checksum is multiplied for each byte that follows: x to the 8th.
const BYTE: u64 = ONE >> 8;

/// The checksum of some bytes followed by `length` others with the checksum `next`.
///
/// In some microseconds. The usual way, by matrices as in zlib before 1.2.12, takes some hundred, and a
/// large file has thousands of parts.
#[must_use]
pub fn joined(first: u64, next: u64, length: u64) -> u64 {
    multiplied(first, power(BYTE, length)) ^ next
}

/// By squaring.
fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut power = ONE;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = multiplied(power, base);
        }
        base = multiplied(base, base);
        exponent >>= 1;
    }
    power
}

/// Modulo the polynomial.
fn multiplied(one: u64, mut other: u64) -> u64 {
    let mut product = 0;
    for bit in (0..u64::BITS).rev() {
        if one >> bit & 1 == 1 {
            product ^= other;
        }
        other = other >> 1 ^ if other & 1 == 1 { POLYNOMIAL } else { 0 };
    }
    product
}

#[cfg(test)]
mod tests {
    use crc_fast::CrcAlgorithm::Crc64Nvme;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_add_up() {
        let of = |bytes: &[u8]| crc_fast::checksum(Crc64Nvme, bytes);
        let whole = of(b"123456789");
        assert_eq!(whole, 0xae8b_1486_0a79_9888, "the catalogue's check value");
        assert_eq!(joined(of(b"1234"), of(b"56789"), 5), whole);
        assert_eq!(joined(of(b""), whole, 9), whole);
        assert_eq!(joined(whole, of(b""), 0), whole);
    }

    proptest! {
        #[test]
        fn it_is_what_the_usual_way_finds(first: u64, next: u64, length: u64) {
            let usual = crc_fast::checksum_combine(Crc64Nvme, first, next, length);
            prop_assert_eq!(joined(first, next, length), usual);
        }
    }
}
