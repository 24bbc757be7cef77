//! Whether the container in a file is finished, as far as the file itself can tell.

use std::io::{self, Read, Seek, SeekFrom};

use crate::source::packet_length;

/// Boxes that are walked at the most: a day of fragments.
const MOST_BOXES: usize = 400_000;

/// How far a file's container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Everything that it announces is there.
    Complete,
    /// It can be played, but does not say where it ends: a recorder may go on writing.
    OpenEnded,
    /// Something is missing that it announces, or that no player can do without.
    Incomplete,
    /// It says nothing about it.
    Untold,
}

/// Looks at a file of `size` bytes. Reads heads only, no picture. Blocks.
///
/// # Errors
/// Where the file cannot be read; one that ends while it is read is [`Container::Incomplete`].
pub fn inspect(file: &mut (impl Read + Seek), size: u64) -> io::Result<Container> {
    let Some(head) = read_at::<4>(file, 0, size)? else { return Ok(Container::Incomplete) };
    if head == EBML {
        return matroska(file, size);
    }
    match packet_length(file, size)? {
        // It ends wherever its recorder does.
        Some(_) => Ok(Container::OpenEnded),
        None => boxes(file, size),
    }
}

/// ISO base media and QuickTime: boxes one after the other, each with its length before it.
/// ISO/IEC 14496-12, section 4.2.
fn boxes(file: &mut (impl Read + Seek), size: u64) -> io::Result<Container> {
    let (mut at, mut movie, mut media, mut fragments, mut index) = (0, false, false, false, false);
    for nth in 0..MOST_BOXES {
        if at == size {
            return Ok(match (movie, media, fragments) {
                // The index of a fragmented file is written when there are no more fragments.
                (true, _, true) if index => Container::Complete,
                (true, _, true) => Container::OpenEnded,
                (true, true, false) => Container::Complete,
                _ => Container::Incomplete,
            });
        }
        let Some((kind, length)) = next_box(file, at, size)? else {
            return Ok(match (movie, media) {
                // Some programs leave a few bytes after the last box.
                (true, true) => Container::Untold,
                // It does not even begin like one.
                _ if nth == 0 && size >= 8 => Container::Untold,
                _ => Container::Incomplete,
            });
        };
        match &kind {
            b"moov" => movie = true,
            b"mdat" => media = true,
            b"moof" => fragments = true,
            b"mfra" => index = true,
            _ => {}
        }
        at = match length {
            Some(length) => match at.checked_add(length) {
                Some(end) if end <= size => end,
                _ => return Ok(Container::Incomplete),
            },
            // Up to the end, wherever that will be.
            None if movie => return Ok(Container::OpenEnded),
            None => return Ok(Container::Incomplete),
        };
    }
    Ok(Container::OpenEnded)
}

/// A box's kind and length; no length for one that reaches to the end of the file, `None` where
/// there is no box.
pub(super) fn next_box(
    file: &mut (impl Read + Seek),
    at: u64,
    size: u64,
) -> io::Result<Option<([u8; 4], Option<u64>)>> {
    let Some(head) = read_at::<8>(file, at, size)? else { return Ok(None) };
    let [a, b, c, d, kind @ ..] = head;
    if !kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9)) {
        return Ok(None);
    }
    let length = match u32::from_be_bytes([a, b, c, d]) {
        0 => None,
        1 => match read_at::<8>(file, at + 8, size)?.map(u64::from_be_bytes) {
            Some(length) if length >= 16 => Some(length),
            _ => return Ok(None),
        },
        length if length >= 8 => Some(length.into()),
        _ => return Ok(None),
    };
    Ok(Some((kind, length)))
}

pub(super) const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
pub(super) const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];

/// Matroska and WebM: a header and a segment, whose length is unknown while it is recorded.
/// RFC 8794, section 5; RFC 9559, section 4.5.
fn matroska(file: &mut (impl Read + Seek), size: u64) -> io::Result<Container> {
    let Some((length, start)) = ebml_length(file, 4, size)? else {
        return Ok(Container::Incomplete);
    };
    let segment = length.and_then(|length| start.checked_add(length));
    let Some(segment) = segment else { return Ok(Container::Incomplete) };
    if read_at::<4>(file, segment, size)? != Some(SEGMENT) {
        return Ok(Container::Incomplete);
    }
    Ok(match ebml_length(file, segment + 4, size)? {
        None => Container::Incomplete,
        Some((None, _)) => Container::OpenEnded,
        Some((Some(length), start)) => match start.checked_add(length) {
            Some(end) if end == size => Container::Complete,
            Some(end) if end < size => Container::Untold,
            _ => Container::Incomplete,
        },
    })
}

/// An element's length, which may be unknown, and where its content starts.
pub(super) fn ebml_length(
    file: &mut (impl Read + Seek),
    at: u64,
    size: u64,
) -> io::Result<Option<(Option<u64>, u64)>> {
    let Some([first]) = read_at::<1>(file, at, size)? else { return Ok(None) };
    let more = first.leading_zeros();
    if more > 7 {
        return Ok(None);
    }
    let mut length = u64::from(first) & ((0x80 >> more) - 1);
    let mut all_ones = (0x80_u64 >> more) - 1;
    for nth in 1..=u64::from(more) {
        let Some([byte]) = read_at::<1>(file, at + nth, size)? else { return Ok(None) };
        length = length << 8 | u64::from(byte);
        all_ones = all_ones << 8 | 0xff;
    }
    let length = (length != all_ones).then_some(length);
    Ok(Some((length, at + 1 + u64::from(more))))
}

/// So many bytes from a place on; `None` past the end.
pub(super) fn read_at<const N: usize>(
    file: &mut (impl Read + Seek),
    at: u64,
    size: u64,
) -> io::Result<Option<[u8; N]>> {
    if at.checked_add(N as u64).is_none_or(|end| end > size) {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::source::tests::packets;

    pub(in crate::watch) fn atom(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes(), kind.as_slice(), content].concat()
    }

    pub(in crate::watch) fn mkv(segment: Option<usize>, content: &[u8]) -> Vec<u8> {
        let length = match segment {
            Some(length) => (length as u64 | 1 << 56).to_be_bytes(),
            None => [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        };
        [EBML.as_slice(), &[0x84], b"\x42\x82\x81m", &SEGMENT, &length, content].concat()
    }

    fn of(bytes: &[u8]) -> Container {
        inspect(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    #[test]
    fn an_mp4_is_complete_with_its_movie_box() {
        let (ftyp, moov) = (atom(b"ftyp", b"isom"), atom(b"moov", &[0; 40]));
        let mdat = atom(b"mdat", &[7; 300]);
        assert_eq!(of(&[ftyp.clone(), mdat.clone()].concat()), Container::Incomplete);
        let whole = [ftyp.clone(), mdat.clone(), moov.clone()].concat();
        assert_eq!(of(&whole), Container::Complete);
        assert_eq!(of(&[&whole[..], &[0; 4]].concat()), Container::Untold);
        let first = [ftyp.clone(), moov.clone(), mdat].concat();
        assert_eq!(of(&first), Container::Complete);
        // A large box has its length in eight bytes.
        let large = [&[0, 0, 0, 1], b"mdat".as_slice(), &40_u64.to_be_bytes(), &[7; 24]].concat();
        assert_eq!(of(&[moov.clone(), large.clone()].concat()), Container::Complete);
        assert_eq!(of(&[&moov, &large[..39]].concat()), Container::Incomplete);
        let endless = [&[0, 0, 0, 0], b"mdat".as_slice(), &[7; 24]].concat();
        assert_eq!(of(&[moov, endless.clone()].concat()), Container::OpenEnded);
        assert_eq!(of(&[ftyp, endless].concat()), Container::Incomplete);
    }

    #[test]
    fn fragments_end_with_an_index() {
        let head = [atom(b"ftyp", b"iso5"), atom(b"moov", b"mvex")].concat();
        let fragment = [atom(b"moof", &[1; 20]), atom(b"mdat", &[2; 90])].concat();
        let growing = [head, fragment.clone(), fragment].concat();
        assert_eq!(of(&growing), Container::OpenEnded);
        assert_eq!(of(&growing[..growing.len() - 1]), Container::Incomplete);
        assert_eq!(of(&[growing, atom(b"mfra", &[0; 8])].concat()), Container::Complete);
    }

    #[test]
    fn a_segment_of_known_length_is_complete() {
        assert_eq!(of(&mkv(Some(100), &[1; 100])), Container::Complete);
        assert_eq!(of(&mkv(Some(100), &[1; 99])), Container::Incomplete);
        assert_eq!(of(&mkv(Some(100), &[1; 101])), Container::Untold);
        assert_eq!(of(&mkv(None, &[1; 100])), Container::OpenEnded);
        assert_eq!(of(&EBML), Container::Incomplete);
    }

    #[test]
    fn other_things_say_nothing() {
        assert_eq!(of(b""), Container::Incomplete);
        assert_eq!(of(b"abc"), Container::Incomplete);
        assert_eq!(of(&[0; 4096]), Container::Untold);
        assert_eq!(of(b"RIFF\x10\0\0\0AVI LIST"), Container::Untold);
    }

    #[test]
    fn a_transport_stream_may_always_go_on() {
        let bytes = packets(188, 0, 9);
        assert_eq!(of(&bytes), Container::OpenEnded);
        assert_eq!(of(&bytes[..bytes.len() - 9]), Container::OpenEnded);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), ebml: bool) {
            of(&if ebml { [&EBML, &bytes[..]].concat() } else { bytes });
        }

        /// A file that is written from its beginning on is finished at its end and not before.
        #[test]
        fn a_part_of_a_file_is_never_complete(length in 1_usize..200, moov_first: bool, cut: usize) {
            let (moov, mdat) = (atom(b"moov", &[0; 30]), atom(b"mdat", &vec![1; length]));
            let ftyp = atom(b"ftyp", b"isom");
            let whole = if moov_first { [ftyp, moov, mdat] } else { [ftyp, mdat, moov] }.concat();
            prop_assert_eq!(of(&whole), Container::Complete);
            prop_assert_eq!(of(&whole[..cut % whole.len()]), Container::Incomplete);
        }
    }
}
