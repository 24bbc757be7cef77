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

/// The first stream of moving pictures.
#[derive(Clone, Debug)]
pub(super) struct VideoStream {
    pub(super) index: u32,
    pub(super) codec: String,
    pub(super) pixel_format: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether a player would have to turn it.
    pub(super) rotated: bool,
    /// Whether its pixels are not square.
    pub(super) anamorphic: bool,
    pub(super) interlaced: bool,
    /// `16:9`, of the picture as it is shown.
    pub(super) aspect_ratio: Option<String>,
}

/// The first stream of sound.
#[derive(Clone, Debug)]
pub(super) struct AudioStream {
    pub(super) index: u32,
    pub(super) codec: String,
    pub(super) profile: Option<String>,
}

/// Asks `ffprobe`.
pub(super) async fn probe(ffmpeg: &Ffmpeg, input: &str) -> Result<Probe, Failure> {
    let mut arguments = words("-hide_banner -loglevel error");
    arguments.extend(Ffmpeg::closed());
    arguments.extend(words("-print_format json -show_format -show_streams -i"));
    arguments.push(input.to_owned());
    let finished = ffmpeg.examine(arguments).await?;
    if !finished.success {
        return Err(Failure::from_stderr(&finished.stderr, input));
    }
    let answer: Answer = serde_json::from_slice(&finished.stdout).map_err(|_| {
        Failure::new(FailureKind::Internal, "FFmpeg described the file in a way not understood.")
    })?;
    understand(&answer)
}

fn understand(answer: &Answer) -> Result<Probe, Failure> {
    let first = |kind: &str| {
        answer
            .streams
            .iter()
            .find(|stream| stream.codec_type == kind && stream.disposition.attached_pic == 0)
    };
    let no_video = || Failure::new(FailureKind::Input, "The file holds no video.");
    let video = first("video").ok_or_else(no_video)?;
    let (Some(width @ 1..), Some(height @ 1..)) = (video.width, video.height) else {
        return Err(no_video());
    };
    let rotation = video.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
    let quarter_turned = (rotation.abs() % 180.0 - 90.0).abs() < 1.0;
    let (across, down) = ratio(video.sample_aspect_ratio.as_deref()).unwrap_or((1, 1));
    let shown = (u64::from(width) * across, u64::from(height) * down);
    let shown = if quarter_turned { (shown.1, shown.0) } else { shown };
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
            rotated: rotation != 0.0,
            anamorphic: across != down,
            interlaced: video
                .field_order
                .as_deref()
                .is_some_and(|order| !matches!(order, "progressive" | "unknown")),
            aspect_ratio: reduced(shown),
        },
        audio: first("audio").map(|audio| AudioStream {
            index: audio.index,
            codec: audio.codec_name.clone().unwrap_or_default(),
            profile: audio.profile.clone(),
        }),
    })
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
        assert_eq!(probe.video.aspect_ratio.as_deref(), Some("9:16"));
        assert_eq!(probe.duration, Some(12.5));
    }

    #[test]
    fn wide_pixels_are_known() {
        let pal = json!([{"index": 0, "codec_type": "video", "codec_name": "dvvideo",
            "width": 720, "height": 576, "sample_aspect_ratio": "64:45", "field_order": "bt"}]);
        let probe = probe(&pal).expect("a video");
        assert!(probe.video.anamorphic && probe.video.interlaced && !probe.video.rotated);
        assert_eq!(probe.video.aspect_ratio.as_deref(), Some("16:9"));
    }
}
