//! What kind of video a file is: by its first bytes, then by its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that tell the containers apart.
const HEAD: u64 = 64;

/// The media type of a file, as the team API wants it; a guess by name where the content says
/// nothing, and `application/octet-stream` where that says nothing either. Blocks.
#[must_use]
pub fn content_type(path: &Path) -> &'static str {
    let mut head = Vec::new();
    // An unreadable file is reported by whoever reads it for its content.
    let _ = File::open(path).map(|file| file.take(HEAD).read_to_end(&mut head));
    by_content(&head).or_else(|| by_name(path)).unwrap_or("application/octet-stream")
}

fn by_content(head: &[u8]) -> Option<&'static str> {
    // ISO base media: <https://www.rfc-editor.org/rfc/rfc4337>; the brand follows the box's name.
    if head.get(4..8) == Some(b"ftyp") {
        let quicktime = head.get(8..12) == Some(b"qt  ");
        return Some(if quicktime { "video/quicktime" } else { "video/mp4" });
    }
    // QuickTime files from before `ftyp` start with one of these boxes.
    if matches!(head.get(4..8), Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip")) {
        return Some("video/quicktime");
    }
    // EBML: <https://www.rfc-editor.org/rfc/rfc8794>; the DocType lies within the first bytes.
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        let webm = head.windows(4).any(|word| word == b"webm");
        return Some(if webm { "video/webm" } else { "video/x-matroska" });
    }
    None
}

fn by_name(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => Some("video/mp4"),
        "mov" | "qt" => Some("video/quicktime"),
        "webm" => Some("video/webm"),
        "mkv" => Some("video/x-matroska"),
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
        assert_eq!(file("f.txt", b"hello"), "application/octet-stream");
    }
}
