//! From an original's picture to one that every browser shows: upright, square pixels, progressive,
//! a steady rate, ordinary colours, not too large.

use super::probe::{Transfer, VideoStream};

/// Heights of renditions that are made below an original's own.
const LADDER: [u32; 5] = [360, 480, 720, 1080, 1440];
/// The first rendition is no higher: it has to be there soon.
const FIRST: u32 = 720;
/// White of SDR in nits, when it stands among HDR (ITU-R BT.2408).
const WHITE: u32 = 203;
/// The brightest that is told apart, in multiples of [`WHITE`]: about 2,000 nits.
const BRIGHTEST: u32 = 10;

/// Height of the smallest 16:9 frame, lying or upright, that the picture fits into.
pub(super) fn height((width, height): (u32, u32)) -> u32 {
    let (long, short) = (width.max(height), width.min(height));
    short.max((long * 9).div_ceil(16))
}

/// Height of the first rendition, where it has to be encoded.
pub(super) fn first_height(shown: (u32, u32), most: u32) -> u32 {
    height(shown).min(most).min(FIRST)
}

/// Heights of the renditions that a picture deserves besides its first one, the lowest first.
///
/// `encoded` is the height of the first one, or `None` where that is the original's own packets, of
/// `average` bits per second. Never above the original, and none that is hardly smaller.
pub(super) fn ladder(shown: (u32, u32), most: u32, encoded: Option<u32>, average: u64) -> Vec<u32> {
    let own = height(shown);
    let top = own.min(most);
    let clearly_below = |low: u32, high: u32| low * 6 < high * 5;
    let mut heights: Vec<u32> = LADDER
        .into_iter()
        .filter(|step| clearly_below(*step, top))
        .filter(|step| Some(*step) != encoded)
        .collect();
    let top_is_missing = match encoded {
        Some(first) => clearly_below(first, top),
        // What a camera writes may be too much for most connections.
        None => clearly_below(top, own) || average > 2 * bit_rate(top),
    };
    if top_is_missing && !heights.contains(&top) {
        heights.push(top);
    }
    heights
}

/// Most bits per second of an encoded picture.
pub(super) fn bit_rate(height: u32) -> u64 {
    match height {
        ..=240 => 600_000,
        241..=360 => 1_000_000,
        361..=480 => 1_800_000,
        481..=720 => 4_000_000,
        721..=1080 => 7_000_000,
        1081..=1440 => 14_000_000,
        _ => 24_000_000,
    }
}

/// The picture's size inside a 16:9 frame of `height`, even as H.264 needs it, never enlarged.
pub(super) fn size((width, height): (u32, u32), frame: u32) -> (u32, u32) {
    let (long, short) = (f64::from(width.max(height)), f64::from(width.min(height)));
    let scale = (f64::from(frame) / short).min(f64::from(frame) * 16.0 / 9.0 / long).min(1.0);
    let even = |side: u32| {
        let side = f64::from(side) * scale;
        let half = if scale < 1.0 { (side / 2.0).round() } else { (side / 2.0).floor() };
        (half as u32 * 2).max(2)
    };
    (even(width), even(height))
}

/// The filter that brings the picture into a 16:9 frame of `height`. FFmpeg has turned it before.
pub(super) fn filter(video: &VideoStream, height: u32, map_tones: bool) -> String {
    let interlaced = if video.interlaced { "yadif=deint=interlaced," } else { "" };
    let scaled = scaled(video, height, map_tones);
    format!("{interlaced}fps={},{scaled},format=yuv420p", video.rate.text)
}

/// The same for one frame, in the colours of JPEG.
pub(super) fn still(video: &VideoStream, height: u32) -> String {
    format!("{},format=yuvj420p", scaled(video, height, true))
}

fn scaled(video: &VideoStream, height: u32, map_tones: bool) -> String {
    let (width, height) = size(video.shown, height);
    let curve = match video.transfer {
        Transfer::Pq if map_tones => "smpte2084",
        Transfer::Hlg if map_tones => "arib-std-b67",
        Transfer::Pq | Transfer::Hlg | Transfer::Standard => {
            return format!("scale={width}:{height},setsar=1");
        }
    };
    format!(
        "zscale=w={width}:h={height}:tin={curve}:pin=bt2020:min=bt2020nc:t=linear:npl={WHITE},\
         format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0:peak={BRIGHTEST},\
         zscale=t=bt709:m=bt709:r=tv,setsar=1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_ends_at_the_original_and_has_no_step_twice() {
        let hd = (1920, 1080);
        assert_eq!(ladder(hd, 1080, None, 5_000_000), [360, 480, 720], "copied");
        assert_eq!(ladder(hd, 1080, None, 50_000_000), [360, 480, 720, 1080], "copied, too dense");
        assert_eq!(ladder(hd, 1080, Some(720), 0), [360, 480, 1080], "encoded");
        assert_eq!(ladder(hd, 480, Some(480), 0), [360], "no more is wanted");
        assert_eq!(ladder((3840, 2160), 1080, None, 0), [360, 480, 720, 1080]);
        assert_eq!(ladder((3840, 2160), 2160, Some(720), 0), [360, 480, 1080, 1440, 2160]);
        assert_eq!(ladder((1080, 1920), 1080, Some(720), 0), [360, 480, 1080], "upright");
        assert_eq!(ladder((901, 1603), 1080, Some(720), 0), [360, 480, 902]);
        assert_eq!(ladder((1334, 750), 1080, Some(720), 0), [360, 480], "hardly more");
        assert_eq!(ladder((640, 360), 1080, None, 9_000_000), [360]);
        assert_eq!(ladder((321, 181), 1080, Some(181), 0), [0_u32; 0]);
    }

    #[test]
    fn sizes_are_even_and_keep_the_shape() {
        for (shown, height, expected) in [
            ((1920, 1080), 720, (1280, 720)),
            ((901, 1603), 720, (720, 1280)),
            ((1280, 720), 480, (854, 480)),
            ((321, 181), 720, (320, 180)),
            ((2560, 1080), 720, (1280, 540)),
            ((1440, 1080), 720, (960, 720)),
            ((8000, 20), 360, (640, 2)),
            ((1, 1), 360, (2, 2)),
        ] {
            assert_eq!(size(shown, height), expected, "{shown:?} in {height}");
        }
    }
}
