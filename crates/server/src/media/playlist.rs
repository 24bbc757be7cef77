//! HLS playlists as text: measuring what FFmpeg wrote, the master playlist, tokens in addresses.
//!
//! Source: RFC 8216 (HTTP Live Streaming), sections 4.3.2 to 4.3.4.

use std::io;
use std::path::Path;

use super::ffmpeg::{MAP, RENDITION, is_part_name};

/// Bits per second that most connections carry.
const EASY: u64 = 5_000_000;

/// What the media playlist and its files say of themselves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    /// Seconds.
    pub(super) duration: f64,
    /// Seconds of the longest segment.
    pub(super) longest: f64,
    /// Bits per second of the densest segment.
    pub(super) peak: u64,
    /// Bits per second over all.
    pub(super) average: u64,
    /// Picture size and the RFC 6381 name of its codec, where the initialisation section says.
    pub(super) picture: Option<Picture>,
}

/// What the initialisation section says of an H.264 picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: u16,
    pub(super) height: u16,
    /// For instance `avc1.64001f`.
    pub(super) codec: String,
}

impl Measured {
    /// Reads the rendition in `folder`.
    ///
    /// # Errors
    /// A file that the playlist names is missing, or the playlist is not whole.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let playlist = std::fs::read_to_string(folder.join(RENDITION))?;
        if !playlist.trim_end().ends_with("#EXT-X-ENDLIST") {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the playlist has no end"));
        }
        let picture = picture(&std::fs::read(folder.join(MAP))?);
        let (mut duration, mut longest, mut peak, mut bytes) = (0.0, 0.0_f64, 0.0_f64, 0_u64);
        let mut seconds = 0.0;
        for line in playlist.lines() {
            if let Some(information) = line.strip_prefix("#EXTINF:") {
                seconds = information.trim_end_matches(',').parse().unwrap_or(0.0);
            } else if is_part_name(line) {
                let size = std::fs::metadata(folder.join(line))?.len();
                duration += seconds;
                longest = longest.max(seconds);
                bytes += size;
                // A last segment of a few frames says nothing about the rate.
                if seconds >= 0.5 {
                    peak = peak.max(rate(size, seconds));
                }
            }
        }
        let average = if duration > 0.0 { rate(bytes, duration) } else { 0.0 };
        Ok(Self {
            duration,
            longest,
            peak: peak.max(average) as u64,
            average: average as u64,
            picture,
        })
    }

    /// The attributes of this rendition in a master playlist. `sound` is the AAC profile, where
    /// there is sound; `rate` are the frames per second.
    pub(super) fn variant(&self, sound: Option<&str>, rate: Option<f64>) -> String {
        let mut attributes =
            format!("BANDWIDTH={},AVERAGE-BANDWIDTH={}", self.peak.max(1), self.average.max(1));
        if let Some(Picture { width, height, codec }) = &self.picture {
            let sound = match sound {
                None => "",
                Some("HE-AAC") => ",mp4a.40.5",
                Some("HE-AACv2") => ",mp4a.40.29",
                Some(_) => ",mp4a.40.2",
            };
            attributes.push_str(&format!(",RESOLUTION={width}x{height},CODECS=\"{codec}{sound}\""));
        }
        if let Some(rate) = rate {
            attributes.push_str(&format!(",FRAME-RATE={rate:.3}"));
        }
        attributes
    }
}

/// A master playlist of `variants`: their attributes, and the addresses of their playlists.
///
/// Some players start with the one that is listed first, so that is the best of those that most
/// connections carry; the others follow, the best first.
pub(super) fn master(mut variants: Vec<(String, String)>) -> String {
    let rate = |(attributes, _): &(String, String)| bandwidth(attributes);
    variants.sort_by_key(|variant| std::cmp::Reverse(rate(variant)));
    if let Some(easy) = variants.iter().position(|variant| rate(variant) <= EASY) {
        variants[..=easy].rotate_right(1);
    }
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for (attributes, address) in variants {
        text.push_str(&format!("#EXT-X-STREAM-INF:{attributes}\n{address}\n"));
    }
    text
}

/// The variants of a master playlist, as [`master`] takes them.
pub(super) fn variants(master: &str) -> Vec<(String, String)> {
    let mut lines = master.lines();
    let mut variants = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(attributes) = line.strip_prefix("#EXT-X-STREAM-INF:")
            && let Some(address) = lines.next()
        {
            variants.push((attributes.to_owned(), address.to_owned()));
        }
    }
    variants
}

/// The playlist's segments: seconds where each starts, and its file name.
pub(super) fn segments(playlist: &str) -> Vec<(f64, String)> {
    let (mut start, mut seconds) = (0.0, 0.0);
    let mut segments = Vec::new();
    for line in playlist.lines() {
        if let Some(information) = line.strip_prefix("#EXTINF:") {
            seconds = information.trim_end_matches(',').parse().unwrap_or(0.0);
        } else if is_part_name(line) {
            segments.push((start, line.to_owned()));
            start += seconds;
        }
    }
    segments
}

/// Width and height in a variant's attributes.
pub(super) fn resolution(attributes: &str) -> Option<(u32, u32)> {
    let (_, rest) = attributes.split_once("RESOLUTION=")?;
    let (width, height) = rest.split(',').next()?.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// Frames per second in a variant's attributes.
pub(super) fn frame_rate(attributes: &str) -> Option<f64> {
    let (_, rest) = attributes.split_once("FRAME-RATE=")?;
    rest.split(',').next()?.parse().ok().filter(|rate| *rate >= 1.0)
}

fn bandwidth(attributes: &str) -> u64 {
    let number = attributes.strip_prefix("BANDWIDTH=").unwrap_or(attributes);
    number.split(',').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The playlist with `folder` before and `?token=` behind every address in it.
///
/// `token` was verified, so it holds nothing but the letters of a JWT.
pub(super) fn addressed(playlist: &str, folder: &str, token: Option<&str>) -> String {
    let address = |name: &str| match token {
        Some(token) => format!("{folder}{name}?token={token}"),
        None => format!("{folder}{name}"),
    };
    let mut out = String::with_capacity(playlist.len() * 4);
    for line in playlist.lines() {
        match line.split_once("URI=\"") {
            Some((before, rest)) if line.starts_with('#') => {
                let (name, after) = rest.split_once('"').unwrap_or((rest, ""));
                out.push_str(&format!("{before}URI=\"{}\"{after}", address(name)));
            }
            _ if line.is_empty() || line.starts_with('#') => out.push_str(line),
            _ => out.push_str(&address(line)),
        }
        out.push('\n');
    }
    out
}

fn rate(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 * 8.0 / seconds
}

/// Reads `avc1` and `avcC` (ISO/IEC 14496-12, 12.1.3, and 14496-15, 5.3.3.1.2).
fn picture(section: &[u8]) -> Option<Picture> {
    let find = |bytes: &[u8], name: &[u8; 4]| {
        bytes.windows(4).rposition(|window| window == name).map(|at| at + 4)
    };
    let configuration = find(section, b"avcC")?;
    let [_version, profile, constraints, level] = *section.get(configuration..)?.first_chunk()?;
    let entry = find(&section[..configuration], b"avc1").or_else(|| {
        // The same with parameter sets in the stream.
        find(&section[..configuration], b"avc3")
    })?;
    let [w0, w1, h0, h1] = *section.get(entry + 24..)?.first_chunk()?;
    Some(Picture {
        width: u16::from_be_bytes([w0, w1]),
        height: u16::from_be_bytes([h0, h1]),
        codec: format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_carries_the_token() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.000000,\n\
                        segment-00000.m4s\n#EXT-X-ENDLIST\n";
        assert_eq!(
            addressed(playlist, "", Some("a.b.c")),
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4?token=a.b.c\"\n#EXTINF:4.000000,\n\
             segment-00000.m4s?token=a.b.c\n#EXT-X-ENDLIST\n"
        );
        assert_eq!(addressed("rendition.m3u8\n", "id/", None), "id/rendition.m3u8\n");
    }

    #[test]
    fn a_playlist_without_its_end_or_its_files_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write(MAP, "");
        write(RENDITION, "#EXTM3U\n#EXTINF:4.0,\nsegment-00000.m4s\n");
        assert!(Measured::read(folder.path()).is_err(), "no end");
        write(RENDITION, "#EXTM3U\n#EXTINF:4.0,\nsegment-00000.m4s\n#EXT-X-ENDLIST\n");
        assert!(Measured::read(folder.path()).is_err(), "no segment");
        write("segment-00000.m4s", "12345678");
        let measured = Measured::read(folder.path()).expect("whole");
        assert_eq!((measured.duration, measured.average), (4.0, 16));
    }

    #[test]
    fn a_player_starts_with_the_best_that_most_connections_carry() {
        let variant =
            |rate: u64| (format!("BANDWIDTH={rate},CODECS=\"a,b\""), format!("{rate}.m3u8"));
        let order = |rates: &[u64]| {
            let text = master(rates.iter().map(|rate| variant(*rate)).collect());
            let read = variants(&text);
            assert_eq!(master(read.clone()), text, "read as it was written");
            read.iter().map(|(attributes, _)| bandwidth(attributes)).collect::<Vec<_>>()
        };
        assert_eq!(
            order(&[1_000_000, 60_000_000, 4_000_000, 8_000_000, 2_000_000]),
            [4_000_000, 60_000_000, 8_000_000, 2_000_000, 1_000_000]
        );
        assert_eq!(order(&[9_000_000]), [9_000_000]);
        assert_eq!(order(&[9_000_000, 7_000_000]), [9_000_000, 7_000_000]);
        assert_eq!(order(&[1_000_000, 9_000_000]), [1_000_000, 9_000_000]);
    }
}
