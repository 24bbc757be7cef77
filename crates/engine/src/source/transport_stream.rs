//! MPEG-TS: packets of one length, each with the same byte at its start. ISO/IEC 13818-1, section
//! 2.4.3.2; recorders that note times put four bytes before each (Blu-ray and AVCHD).

use std::io::{self, Read, Seek, SeekFrom};

/// At the start of each packet.
const SYNC: u8 = 0x47;
/// Bits of the third byte after that, of which a packet has one at least: a payload, a field before it.
const HOLDS: u8 = 0x30;
/// A packet's length, and where in it the byte is: bare, and with a time before it.
const FORMS: [(usize, usize); 2] = [(188, 0), (192, 4)];
/// Packets in a row that show what it is: text has a letter in such places by accident.
const PACKETS: usize = 5;
/// Bytes of a file that show it.
pub(super) const HEAD: usize = 192 * PACKETS;

/// The length of the packets of a stream that begins so; `None` for anything else.
pub(super) fn packet_length_in(head: &[u8]) -> Option<usize> {
    let fits = |&(length, at): &(usize, usize)| {
        let mut packets = (0..PACKETS).map(|nth| head.get(nth * length + at..));
        packets.all(|packet| matches!(packet, Some([SYNC, _, _, holds, ..]) if holds & HOLDS != 0))
    };
    FORMS.into_iter().find(fits).map(|(length, _)| length)
}

/// The length of the packets of a stream in a file of `size` bytes; `None` for anything else. Blocks.
///
/// # Errors
/// Where the file cannot be read.
pub(crate) fn packet_length(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u64>> {
    let mut head = vec![0; HEAD.min(usize::try_from(size).unwrap_or(HEAD))];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut head) {
        Ok(()) => Ok(packet_length_in(&head).map(|length| length as u64)),
        // Whoever writes has begun anew.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use super::*;

    pub(crate) fn packets(length: usize, at: usize, count: usize) -> Vec<u8> {
        let mut packet = vec![0xab; length];
        packet[at] = SYNC;
        packet.repeat(count)
    }

    fn of(bytes: &[u8]) -> Option<u64> {
        packet_length(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    #[test]
    fn both_forms_are_known_and_nothing_else_is_one() {
        assert_eq!(of(&packets(188, 0, 5)), Some(188));
        assert_eq!(of(&packets(192, 4, 5)), Some(192));
        assert_eq!(of(&packets(188, 0, 4)), None, "too little to tell");
        assert_eq!(of(&packets(188, 1, 50)), None);
        assert_eq!(of(&b"G".repeat(2000)), None);
        assert_eq!(of(b""), None);
        // It has become shorter since its size was asked.
        assert_eq!(packet_length(&mut Cursor::new([SYNC; 10]), 4000).unwrap(), None);
    }
}
