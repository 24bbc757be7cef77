//! How much of a file that grows is final: of containers that can be played while they are written,
//! what lies behind cannot change any more, but for the head, which recorders write anew at the end.

use std::io::{self, Read, Seek};

use crate::source::packet_length;
use crate::watch::container::{EBML, SEGMENT, ebml_length, next_box, read_at};

/// Boxes before which a fragmented file must have shown that it is one.
const HEAD_BOXES: usize = 16;
/// A cluster of a segment: RFC 9559, section 5.1.3.
const CLUSTER: u32 = 0x1f43_b675;
/// Names of a segment's own children have four bytes, those of a cluster's children less: RFC 9559,
/// section 27.1. One of four ends a cluster of unknown length. Voids and checksums may be anywhere.
const LEAST_OF_SEGMENT: u32 = 0x1000_0000;

/// What becomes of the head of a file that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is final like all that lies behind.
    Stays,
    /// Recorders write it anew at the end.
    WrittenAnew,
}

/// A file that is valid while it grows, and how far it was found final.
#[derive(Clone, Copy, Debug)]
pub struct Growing {
    form: Form,
    /// Where the first element begins that is not known to be whole.
    at: u64,
    /// Up to here nothing changes any more, but for the head.
    sealed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Matroska and WebM with a segment of unknown length.
    Segment {
        /// In a cluster whose length is not known either, and may be written into it at its end.
        in_cluster: bool,
    },
    /// Fragmented MP4.
    Fragments,
    /// MPEG-TS, in packets of so many bytes.
    Packets(u64),
}

impl Growing {
    /// Looks at a file of `size` bytes; `None` for one that is not valid while it grows, or that does
    /// not grow any more. Blocks.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn find(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Self>> {
        let found = match read_at::<4>(file, 0, size)? {
            Some(EBML) => segment(file, size)?.map(|at| (Form::Segment { in_cluster: false }, at)),
            Some(_) if is_fragmented(file, size)? => Some((Form::Fragments, 0)),
            Some(_) => packet_length(file, size)?.map(|length| (Form::Packets(length), 0)),
            None => None,
        };
        Ok(found.map(|(form, at)| Self { form, at, sealed: 0 }))
    }

    /// What becomes of its head.
    #[must_use]
    pub fn head(&self) -> Head {
        match self.form {
            Form::Segment { .. } => Head::WrittenAnew,
            Form::Fragments | Form::Packets(_) => Head::Stays,
        }
    }

    /// Bytes from the start that are final by now, but for the head. Reads only what came since it
    /// was asked last. Blocks.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn sealed(&mut self, file: &mut (impl Read + Seek), size: u64) -> io::Result<u64> {
        match self.form {
            Form::Segment { mut in_cluster } => {
                while self.element(file, size, &mut in_cluster)? {}
                self.form = Form::Segment { in_cluster };
            }
            Form::Fragments => {
                while let Some((_, Some(length))) = next_box(file, self.at, size)?
                    && let Some(end) = self.at.checked_add(length)
                    && end <= size
                {
                    (self.at, self.sealed) = (end, end);
                }
            }
            // Nobody goes back to a packet: it was made to be broadcast.
            Form::Packets(length) => self.sealed = size / length * length,
        }
        Ok(self.sealed)
    }

    /// Passes one element, if it is whole.
    fn element(
        &mut self,
        file: &mut (impl Read + Seek),
        size: u64,
        in_cluster: &mut bool,
    ) -> io::Result<bool> {
        let Some((name, after)) = element_name(file, self.at, size)? else { return Ok(false) };
        let Some((length, content)) = ebml_length(file, after, size)? else { return Ok(false) };
        if name >= LEAST_OF_SEGMENT {
            // Whatever was open before is whole: nobody goes back there.
            (self.sealed, *in_cluster) = (self.at, false);
        }
        match length {
            None if name == CLUSTER => {
                (self.at, *in_cluster) = (content, true);
                Ok(true)
            }
            None => Ok(false),
            Some(length) => match content.checked_add(length) {
                Some(end) if end <= size => {
                    self.at = end;
                    if !*in_cluster {
                        self.sealed = end;
                    }
                    Ok(true)
                }
                _ => Ok(false),
            },
        }
    }
}

/// Where the content begins of a segment whose length is unknown.
fn segment(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u64>> {
    let Some((Some(length), start)) = ebml_length(file, 4, size)? else { return Ok(None) };
    let Some(at) = start.checked_add(length) else { return Ok(None) };
    if read_at::<4>(file, at, size)? != Some(SEGMENT) {
        return Ok(None);
    }
    Ok(match ebml_length(file, at + 4, size)? {
        Some((None, content)) => Some(content),
        _ => None,
    })
}

/// Whether a movie box and a first fragment come before everything else that is large.
fn is_fragmented(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let (mut at, mut movie) = (0, false);
    for _ in 0..HEAD_BOXES {
        let Some((kind, Some(length))) = next_box(file, at, size)? else { return Ok(false) };
        match &kind {
            b"moov" => movie = true,
            b"moof" => return Ok(movie),
            b"mdat" => return Ok(false),
            _ => {}
        }
        let Some(end) = at.checked_add(length) else { return Ok(false) };
        at = end;
    }
    Ok(false)
}

/// An element's name, and where it ends. RFC 8794, section 5.
fn element_name(
    file: &mut (impl Read + Seek),
    at: u64,
    size: u64,
) -> io::Result<Option<(u32, u64)>> {
    let Some([first]) = read_at::<1>(file, at, size)? else { return Ok(None) };
    let more = first.leading_zeros();
    if more > 3 {
        return Ok(None);
    }
    let mut name = u32::from(first);
    for nth in 1..=u64::from(more) {
        let Some([byte]) = read_at::<1>(file, at + nth, size)? else { return Ok(None) };
        name = name << 8 | u32::from(byte);
    }
    Ok(Some((name, at + 1 + u64::from(more))))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::source::tests::packets;
    use crate::watch::container::tests::{atom, mkv};

    fn cluster(length: Option<usize>, content: &[u8]) -> Vec<u8> {
        let length = match length {
            Some(length) => (length as u64 | 1 << 56).to_be_bytes(),
            None => [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        };
        [&CLUSTER.to_be_bytes()[..], &length, content].concat()
    }

    fn block(length: u8) -> Vec<u8> {
        [&[0xa3, 0x80 | length], &vec![9; length.into()][..]].concat()
    }

    fn sealed(bytes: &[u8]) -> Option<u64> {
        let size = bytes.len() as u64;
        let mut file = Cursor::new(bytes);
        let mut growing = Growing::find(&mut file, size).unwrap()?;
        Some(growing.sealed(&mut file, size).unwrap())
    }

    #[test]
    fn a_segment_is_final_up_to_its_last_whole_cluster() {
        let blocks = [block(40), block(50)].concat();
        let one = cluster(Some(blocks.len()), &blocks);
        let head = mkv(None, &[]).len();
        let two = mkv(None, &[one.clone(), one.clone()].concat());
        assert_eq!(sealed(&two), Some(two.len() as u64));
        assert_eq!(sealed(&two[..two.len() - 1]), Some((head + one.len()) as u64));
        assert_eq!(sealed(&mkv(Some(one.len()), &one)), None, "it does not grow any more");
    }

    /// Some recorders write a cluster's length into it at its end.
    #[test]
    fn a_cluster_of_unknown_length_is_final_once_the_next_one_begins() {
        let blocks = [block(40), block(50)].concat();
        let open = cluster(None, &blocks);
        let head = mkv(None, &[]).len() as u64;
        assert_eq!(sealed(&mkv(None, &open)), Some(head));
        let two = mkv(None, &[open.clone(), open.clone()].concat());
        assert_eq!(sealed(&two), Some(head + open.len() as u64));
    }

    #[test]
    fn packets_are_final_once_they_are_whole() {
        for (length, at) in [(188, 0), (192, 4)] {
            let bytes = packets(length, at, 9);
            assert_eq!(sealed(&bytes), Some(bytes.len() as u64));
            assert_eq!(sealed(&bytes[..bytes.len() - 1]), Some(8 * length as u64));
        }
    }

    #[test]
    fn only_a_segments_head_is_written_anew() {
        let head = |bytes: &[u8]| {
            let found = Growing::find(&mut Cursor::new(bytes), bytes.len() as u64).unwrap();
            found.map(|growing| growing.head())
        };
        assert_eq!(head(&mkv(None, &[])), Some(Head::WrittenAnew));
        assert_eq!(head(&packets(188, 0, 9)), Some(Head::Stays));
        let fragments = [atom(b"moov", b"mvex"), atom(b"moof", &[1; 20])].concat();
        assert_eq!(head(&fragments), Some(Head::Stays));
    }

    #[test]
    fn fragments_are_final_and_ordinary_files_are_not() {
        let head = [atom(b"ftyp", b"iso5"), atom(b"moov", b"mvex")].concat();
        let fragment = [atom(b"moof", &[1; 20]), atom(b"mdat", &[2; 90])].concat();
        let two = [head.clone(), fragment.clone(), fragment.clone()].concat();
        assert_eq!(sealed(&two), Some(two.len() as u64));
        assert_eq!(sealed(&two[..two.len() - 1]), Some(two.len() as u64 - 98));
        let ordinary = [atom(b"ftyp", b"isom"), atom(b"mdat", &[2; 90]), head].concat();
        assert_eq!(sealed(&ordinary), None);
        assert_eq!(sealed(&[0; 4096]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), ebml: bool) {
            sealed(&if ebml { mkv(None, &bytes) } else { bytes });
        }

        /// What is final once stays final, and it does not matter when it is asked.
        #[test]
        fn what_is_final_only_grows(
            clusters in prop::collection::vec((any::<bool>(), 1_u8..100), 1..8),
            mut cuts in prop::collection::vec(0_usize..1000, 1..8),
        ) {
            let all = clusters.into_iter().map(|(known, length)| {
                let block = block(length);
                cluster(known.then_some(block.len()), &block)
            });
            let whole = mkv(None, &all.collect::<Vec<_>>().concat());
            let head = mkv(None, &[]).len();
            let mut file = Cursor::new(&whole);
            let mut growing = Growing::find(&mut file, head as u64).unwrap().unwrap();
            cuts.sort_unstable();
            let mut before = 0;
            for cut in cuts {
                let size = head + cut % (whole.len() - head + 1);
                let now = growing.sealed(&mut file, size as u64).unwrap();
                prop_assert!(now >= before && now <= whole.len() as u64);
                before = now;
            }
            let end = growing.sealed(&mut file, whole.len() as u64).unwrap();
            prop_assert_eq!(Some(end), sealed(&whole));
        }
    }
}
