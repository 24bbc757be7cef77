//! What an original is, by `ffprobe`.

use serde::Deserialize;

use super::failure::{Failure, FailureKind};
use super::{Ffmpeg, words};

/// What matters of an original.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    /// FFmpeg's name of the demuxer, for instance `mov,mp4,m4a,3gp,3g2,mj2`.
    pub(super) container: String,
    /// Seconds, where the container says.
    pub(super) duration: Option<f64>,
    /// Bytes, where the other side says.
    pub(super) size: Option<u64>,
    pub(super) video: VideoStream,
    pub(super) audio: Option<AudioStream>,
}

/// How brightness is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// As browsers show it.
    Standard,
    /// SMPTE ST 2084, of HDR10 and Dolby Vision.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

/// Frames per second.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rate {
    /// For FFmpeg, exact: `30000/1001`.
    pub(super) text: String,
    pub(super) value: f64,
}

/// The first stream of moving pictures.
#[derive(Clone, Debug)]
pub(super) struct VideoStream {
    pub(super) index: u32,
    pub(super) codec: String,
    pub(super) pixel_format: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Width and height as it is to be seen: turned, with square pixels.
    pub(super) shown: (u32, u32),
    /// Whether a player would have to turn it.
    pub(super) rotated: bool,
    pub(super) interlaced: bool,
    pub(super) transfer: Transfer,
    /// What it gets where it is encoded: one steady rate.
    pub(super) rate: Rate,
    /// Frames by seconds of what it has.
    pub(super) average_rate: Option<f64>,
    /// Frames that a decoder holds back to bring them in order.
    pub(super) held_back: u32,
    /// `16:9`, of the picture as it is shown.
    pub(super) aspect_ratio: Option<String>,
}

/// The stream of sound that is meant to be heard first.
#[derive(Clone, Debug)]
pub(super) struct AudioStream {
    pub(super) index: u32,
    pub(super) codec: String,
    pub(super) profile: Option<String>,
}

/// Most pixels of a picture: 8K, lying or upright, and some.
const MOST_PIXELS: u64 = 8192 * 5120;
/// FFmpeg's own check of every frame, since a stream may grow.
pub(super) const PIXEL_LIMIT: &str = "41943040";
/// Frames per second that are kept.
const MOST_FRAMES: f64 = 60.5;

/// Asks `ffprobe`.
pub(super) async fn probe(ffmpeg: &Ffmpeg) -> Result<Probe, Failure> {
    let mut arguments = words("-hide_banner -loglevel error");
    arguments.extend(words("-print_format json -show_format -show_streams"));
    arguments.extend(ffmpeg.original());
    let finished = ffmpeg.examine(arguments).await?;
    if !finished.success {
        return Err(Failure::from_stderr(&finished.stderr));
    }
    let answer: Answer = serde_json::from_slice(&finished.stdout).map_err(|_| {
        Failure::new(FailureKind::Internal, "FFmpeg described the file in a way not understood.")
    })?;
    understand(&answer)
}

fn understand(answer: &Answer) -> Result<Probe, Failure> {
    let of = |kind: &'static str| {
        answer
            .streams
            .iter()
            .filter(move |stream| stream.codec_type == kind && stream.disposition.attached_pic == 0)
    };
    let known = |stream: &&Stream| {
        stream.codec_name.as_deref().is_some_and(|codec| !matches!(codec, "none" | "unknown"))
    };
    let audio = || of("audio").filter(known);
    let sounds = audio().find(|stream| stream.disposition.default == 1).or_else(|| audio().next());
    let no_video = || {
        let message = match sounds {
            Some(_) => "The file holds sound, but no video.",
            None => "The file holds no video.",
        };
        Failure::new(FailureKind::Input, message)
    };
    let video = of("video").next().ok_or_else(no_video)?;
    // FFmpeg does not say it where it refused to decode.
    let (Some(width @ 1..), Some(height @ 1..)) = (video.width, video.height) else {
        let message = "The picture has no size, or is larger than 8K.";
        return Err(Failure::new(FailureKind::Input, message));
    };
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let message = format!("The picture is {width}\u{d7}{height}, which is larger than 8K.");
        return Err(Failure::new(FailureKind::Input, message));
    }
    let rotation = video.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
    let quarter_turned = (rotation.abs() % 180.0 - 90.0).abs() < 1.0;
    // Nobody sees pixels that are sixteen times as wide as they are high.
    let (across, down) = ratio(video.sample_aspect_ratio.as_deref())
        .filter(|(across, down)| across / down < 16 && down / across < 16)
        .unwrap_or((1, 1));
    let wide = (f64::from(width) * across as f64 / down as f64).round() as u32;
    let shown = if quarter_turned { (height, wide.max(1)) } else { (wide.max(1), height) };
    let shape = (u64::from(width) * across, u64::from(height) * down);
    let shape = if quarter_turned { (shape.1, shape.0) } else { shape };
    let interlaced = video
        .field_order
        .as_deref()
        .is_some_and(|order| !matches!(order, "progressive" | "unknown"));
    Ok(Probe {
        container: answer.format.format_name.clone(),
        duration: number(answer.format.duration.as_deref()).filter(|seconds| *seconds > 0.0),
        size: answer.format.size.as_deref().and_then(|size| size.parse().ok()),
        video: VideoStream {
            index: video.index,
            codec: video.codec_name.clone().unwrap_or_default(),
            pixel_format: video.pix_fmt.clone().unwrap_or_default(),
            width,
            height,
            shown,
            rotated: rotation != 0.0,
            interlaced,
            transfer: match video.color_transfer.as_deref() {
                Some("smpte2084") => Transfer::Pq,
                Some("arib-std-b67") => Transfer::Hlg,
                _ => Transfer::Standard,
            },
            rate: steady_rate(video, interlaced),
            average_rate: rate(video.avg_frame_rate.as_deref()).map(|rate| rate.value),
            held_back: video.has_b_frames,
            aspect_ratio: reduced(shape),
        },
        audio: sounds.map(|audio| AudioStream {
            index: audio.index,
            codec: audio.codec_name.clone().unwrap_or_default(),
            profile: audio.profile.clone(),
        }),
    })
}

/// The finest rate by which all frames were timed, unless that is a clock's and no camera's: screen
/// recordings count milliseconds.
fn steady_rate(video: &Stream, interlaced: bool) -> Rate {
    let average = rate(video.avg_frame_rate.as_deref());
    // Of fields, the finest rate is the double.
    let finest = if interlaced { None } else { rate(video.r_frame_rate.as_deref()) };
    let steady = finest.or_else(|| average.clone()).filter(|rate| rate.value <= MOST_FRAMES);
    steady.unwrap_or_else(|| {
        let frames = if average.is_some_and(|rate| rate.value > 31.0) { "60" } else { "30" };
        Rate { text: frames.to_owned(), value: if frames == "60" { 60.0 } else { 30.0 } }
    })
}

/// `30000/1001`; zeros mean that it is not known.
fn rate(text: Option<&str>) -> Option<Rate> {
    let (frames, seconds) = text?.split_once('/')?;
    let (frames, seconds) = (frames.parse::<u32>().ok()?, seconds.parse::<u32>().ok()?);
    if frames == 0 || seconds == 0 {
        return None;
    }
    let value = f64::from(frames) / f64::from(seconds);
    Some(Rate { text: format!("{frames}/{seconds}"), value })
}

fn number(text: Option<&str>) -> Option<f64> {
    text.and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite())
}

/// `4:3`; zeros mean that it is not known.
fn ratio(text: Option<&str>) -> Option<(u64, u64)> {
    let (across, down) = text?.split_once(':')?;
    Some((across.parse().ok().filter(|n| *n > 0)?, down.parse().ok().filter(|n| *n > 0)?))
}

fn reduced((across, down): (u64, u64)) -> Option<String> {
    let (mut a, mut b) = (across, down);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (a > 0).then(|| format!("{}:{}", across / a, down / a))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
    size: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    #[serde(default)]
    codec_type: String,
    codec_name: Option<String>,
    profile: Option<String>,
    pix_fmt: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    sample_aspect_ratio: Option<String>,
    field_order: Option<String>,
    color_transfer: Option<String>,
    #[serde(default)]
    has_b_frames: u32,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
struct Disposition {
    /// A cover picture poses as a video stream.
    #[serde(default)]
    attached_pic: u8,
    #[serde(default)]
    default: u8,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn probe(streams: &serde_json::Value) -> Result<Probe, Failure> {
        let answer = json!({"streams": streams, "format": {
            "format_name": "mov,mp4", "duration": "12.5", "size": "1000"}});
        understand(&serde_json::from_value(answer).expect("an answer"))
    }

    #[test]
    fn a_cover_picture_is_no_video() {
        let cover = json!([
            {"index": 0, "codec_type": "audio", "codec_name": "mp3"},
            {"index": 1, "codec_type": "video", "codec_name": "mjpeg", "width": 500, "height": 500,
             "disposition": {"attached_pic": 1}},
        ]);
        assert_eq!(probe(&cover).expect_err("no video").kind, FailureKind::Input);
    }

    #[test]
    fn a_phone_held_upright_is_known() {
        let upright = json!([{"index": 0, "codec_type": "video", "codec_name": "h264",
            "width": 1920, "height": 1080, "sample_aspect_ratio": "1:1",
            "side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]}]);
        let probe = probe(&upright).expect("a video");
        assert!(probe.video.rotated);
        assert_eq!(probe.video.shown, (1080, 1920));
        assert_eq!(probe.video.aspect_ratio.as_deref(), Some("9:16"));
        assert_eq!(probe.duration, Some(12.5));
    }

    #[test]
    fn wide_pixels_are_known() {
        let pal = json!([{"index": 0, "codec_type": "video", "codec_name": "dvvideo",
            "width": 720, "height": 576, "sample_aspect_ratio": "64:45", "field_order": "bt"}]);
        let probe = probe(&pal).expect("a video");
        assert!(probe.video.interlaced && !probe.video.rotated);
        assert_eq!(probe.video.shown, (1024, 576));
        assert_eq!(probe.video.aspect_ratio.as_deref(), Some("16:9"));
    }

    #[test]
    fn rates_are_those_of_cameras() {
        for (finest, average, interlaced, expected) in [
            ("25/1", "25/1", "progressive", "25/1"),
            ("30000/1001", "29500/1001", "progressive", "30000/1001"),
            ("1000/1", "12/1", "progressive", "30"),
            ("90000/1", "59/1", "progressive", "60"),
            ("120/1", "120/1", "progressive", "60"),
            ("50/1", "25/1", "tt", "25/1"),
            ("0/0", "0/0", "progressive", "30"),
        ] {
            let stream = json!([{"index": 0, "codec_type": "video", "codec_name": "h264",
                "width": 16, "height": 16, "field_order": interlaced,
                "r_frame_rate": finest, "avg_frame_rate": average}]);
            assert_eq!(probe(&stream).expect("a video").video.rate.text, expected, "{finest}");
        }
    }

    #[test]
    fn the_default_sound_is_taken_and_sound_alone_is_no_video() {
        let picture = json!({"index": 0, "codec_type": "video", "codec_name": "h264", "width": 16, "height": 16});
        let sound = |index: u32, default: u8| {
            json!({"index": index, "codec_type": "audio", "codec_name": "aac",
                "disposition": {"default": default}})
        };
        let taken = |sounds: [serde_json::Value; 2]| {
            let [a, b] = sounds;
            probe(&json!([picture, a, b])).expect("a video").audio.expect("sound").index
        };
        assert_eq!(taken([sound(1, 0), sound(2, 1)]), 2);
        assert_eq!(taken([sound(1, 0), sound(2, 0)]), 1);
        let failure = probe(&json!([sound(0, 1)])).expect_err("no video");
        assert_eq!(failure.message, "The file holds sound, but no video.");
    }

    #[test]
    fn a_picture_larger_than_8k_is_refused_before_it_is_decoded() {
        let bomb = json!([{"index": 0, "codec_type": "video", "codec_name": "png",
            "width": 60000, "height": 60000}]);
        let failure = probe(&bomb).expect_err("too large");
        assert_eq!(failure.message, "The picture is 60000\u{d7}60000, which is larger than 8K.");
    }
}
