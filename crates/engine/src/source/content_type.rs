//! What kind of video a file is: by its first bytes, then by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::source::transport_stream;

/// Bytes that tell the containers apart.
const HEAD: u64 = transport_stream::HEAD as u64;
/// Those in which EBML names its document's type.
const DOC_TYPE: usize = 64;
/// What is in the container of an MP4 and is no video, by its major brand, as registered at
/// <https://mp4ra.org/registered-types/brands>: pictures (HEIF, AVIF, Canon's raw ones) and sound.
const NO_VIDEOS: [&[u8]; 13] = [
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"crx ",
    b"M4A ", b"M4B ", b"M4P ",
];
/// A box of QuickTime's that is not the pictures themselves is shorter. Text that has a box's name
/// in this place has letters before it, which say more.
const LONGEST_BOX: u32 = 1 << 29;

/// The media type of a file, as the team API wants it; a guess by name where the content says
/// nothing, and `application/octet-stream` where that says nothing either. Blocks.
#[must_use]
pub fn content_type(path: &Path) -> &'static str {
    let mut head = Vec::new();
    // An unreadable file is reported by whoever reads it for its content.
    let _ = File::open(path).map(|file| file.take(HEAD).read_to_end(&mut head));
    by_content(&head).or_else(|| by_name(path)).unwrap_or("application/octet-stream")
}

/// The media type of a video, by its first bytes alone; `None` for anything else. Blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn video_type(file: &mut impl Read) -> io::Result<Option<&'static str>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(by_content(&head))
}

fn by_content(head: &[u8]) -> Option<&'static str> {
    // ISO base media: <https://www.rfc-editor.org/rfc/rfc4337>; the brand follows the box's name.
    if head.get(4..8) == Some(b"ftyp") {
        let brand = head.get(8..12)?;
        if NO_VIDEOS.contains(&brand) {
            return None;
        }
        return Some(if brand == b"qt  " { "video/quicktime" } else { "video/mp4" });
    }
    // QuickTime files from before `ftyp` start with one of these boxes.
    if let Some((length, kind)) = head.get(..8)?.split_first_chunk() {
        let is_short = u32::from_be_bytes(*length) < LONGEST_BOX;
        if kind == b"mdat" || (is_short && matches!(kind, b"moov" | b"wide" | b"free" | b"skip")) {
            return Some("video/quicktime");
        }
    }
    // EBML: <https://www.rfc-editor.org/rfc/rfc8794>; the DocType lies within the first bytes.
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        let webm = head.windows(4).take(DOC_TYPE).any(|word| word == b"webm");
        return Some(if webm { "video/webm" } else { "video/x-matroska" });
    }
    // <https://www.rfc-editor.org/rfc/rfc3555>, section 4.2.2.
    transport_stream::packet_length_in(head).map(|_| "video/mp2t")
}

fn by_name(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => Some("video/mp4"),
        "mov" | "qt" => Some("video/quicktime"),
        "webm" => Some("video/webm"),
        "mkv" => Some("video/x-matroska"),
        // Other programs call their source code .ts and .mts: there only the content says it.
        "m2ts" | "m2t" => Some("video/mp2t"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_wins_over_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            content_type(&path)
        };
        assert_eq!(file("a.mp4", b"\0\0\0\x14ftypqt  "), "video/quicktime");
        assert_eq!(file("b.mov", b"\0\0\0\x20ftypisom"), "video/mp4");
        assert_eq!(file("c", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"), "video/webm");
        assert_eq!(file("d.webm", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska"), "video/x-matroska");
        assert_eq!(file("e.MKV", b""), "video/x-matroska");
        assert_eq!(file("f.ts", &transport_stream::tests::packets(188, 0, 5)), "video/mp2t");
        assert_eq!(file("f.M2TS", b""), "video/mp2t");
        assert_eq!(file("f.ts", b"export const hello = 1;"), "application/octet-stream");
        assert_eq!(file("f.txt", b"hello"), "application/octet-stream");
        assert_eq!(file("g.heic", b"\0\0\0\x20ftypheic"), "application/octet-stream");
    }

    #[test]
    fn only_videos_are_videos_by_their_content() {
        let of = |content: &[u8]| video_type(&mut &content[..]).unwrap();
        assert_eq!(of(b"\0\0\0\x20ftypisom"), Some("video/mp4"));
        assert_eq!(of(b"\0\0\0\x08wide\0\0\0\0mdat"), Some("video/quicktime"));
        assert_eq!(of(b"\x40\0\0\0mdat"), Some("video/quicktime"));
        assert_eq!(of(b"the free software of"), None);
        assert_eq!(of(b"\0\0\0\x20ftypM4A "), None);
        assert_eq!(of(b"\0\0\0\x20ftyp"), None);
        assert_eq!(of(b""), None);
    }
}
