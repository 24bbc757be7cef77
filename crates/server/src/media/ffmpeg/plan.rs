//! What has to be done to a stream before any browser plays it.

use super::probe::{AudioStream, Probe, VideoStream};

/// Largest picture that hardware decoders take in H.264.
const WIDEST: u32 = 4096;
const HIGHEST: u32 = 2304;

/// What is done to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Its packets are kept.
    Copy,
    /// It is decoded and encoded.
    Transcode,
}

/// What is done to an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) video: Treatment,
    /// `None` without sound.
    pub(super) audio: Option<Treatment>,
}

impl Plan {
    /// The least that is needed.
    pub(super) fn of(probe: &Probe) -> Self {
        Self {
            video: if keeps_times(&probe.container) && plays_as_it_is(&probe.video) {
                Treatment::Copy
            } else {
                Treatment::Transcode
            },
            audio: probe.audio.as_ref().map(|audio| {
                if keeps_times(&probe.container) && sounds_as_it_is(audio) {
                    Treatment::Copy
                } else {
                    Treatment::Transcode
                }
            }),
        }
    }

    /// What may work where this did not: one thing more encoded, the picture first.
    pub(super) fn more(self) -> Option<Self> {
        match (self.video, self.audio) {
            (Treatment::Copy, audio) => Some(Self { video: Treatment::Transcode, audio }),
            (Treatment::Transcode, Some(Treatment::Copy)) => {
                Some(Self { video: Treatment::Transcode, audio: Some(Treatment::Transcode) })
            }
            (Treatment::Transcode, Some(Treatment::Transcode) | None) => None,
        }
    }

    /// What a further rendition needs: the same sound, so that a player may go from one to another.
    pub(super) fn encoded(self) -> Self {
        Self { video: Treatment::Transcode, ..self }
    }
}

/// Containers whose packets carry the times that fMP4 needs. AVI does not.
fn keeps_times(container: &str) -> bool {
    container.split(',').any(|name| matches!(name, "mov" | "mp4" | "matroska" | "mpegts" | "flv"))
}

fn plays_as_it_is(video: &VideoStream) -> bool {
    video.codec == "h264"
        && matches!(video.pixel_format.as_str(), "yuv420p" | "yuvj420p")
        // Players of fMP4 differ in whether they turn a picture.
        && !video.rotated
        && !video.interlaced
        && video.width <= WIDEST
        && video.height <= HIGHEST
}

fn sounds_as_it_is(audio: &AudioStream) -> bool {
    audio.codec == "aac"
        && matches!(audio.profile.as_deref(), None | Some("LC" | "HE-AAC" | "HE-AACv2" | "unknown"))
}

#[cfg(test)]
mod tests {
    use super::super::probe::{Rate, Transfer};
    use super::*;

    fn h264() -> Probe {
        Probe {
            container: "mov,mp4,m4a,3gp,3g2,mj2".into(),
            duration: Some(1.0),
            size: Some(1),
            video: VideoStream {
                index: 0,
                codec: "h264".into(),
                pixel_format: "yuv420p".into(),
                width: 1920,
                height: 1080,
                shown: (1920, 1080),
                rotated: false,
                interlaced: false,
                transfer: Transfer::Standard,
                rate: Rate { text: "25".into(), value: 25.0 },
                average_rate: Some(25.0),
                held_back: 0,
                aspect_ratio: None,
            },
            audio: Some(AudioStream { index: 1, codec: "aac".into(), profile: Some("LC".into()) }),
        }
    }

    fn plan(change: impl FnOnce(&mut Probe)) -> (Treatment, Option<Treatment>) {
        let mut probe = h264();
        change(&mut probe);
        let plan = Plan::of(&probe);
        (plan.video, plan.audio)
    }

    #[test]
    fn what_browsers_play_is_copied_and_the_rest_is_not() {
        use Treatment::{Copy, Transcode};
        assert_eq!(plan(|_| ()), (Copy, Some(Copy)));
        assert_eq!(plan(|p| p.audio = None), (Copy, None));
        assert_eq!(plan(|p| p.container = "matroska,webm".into()), (Copy, Some(Copy)));
        assert_eq!(plan(|p| p.container = "avi".into()), (Transcode, Some(Transcode)));
        assert_eq!(plan(|p| p.video.codec = "hevc".into()), (Transcode, Some(Copy)));
        assert_eq!(plan(|p| p.video.pixel_format = "yuv420p10le".into()), (Transcode, Some(Copy)));
        assert_eq!(plan(|p| p.video.pixel_format = "yuv422p".into()), (Transcode, Some(Copy)));
        assert_eq!(plan(|p| p.video.rotated = true), (Transcode, Some(Copy)));
        assert_eq!(plan(|p| p.video.interlaced = true), (Transcode, Some(Copy)));
        assert_eq!(plan(|p| p.video.width = 7680), (Transcode, Some(Copy)));
        assert_eq!(
            plan(|p| p.audio.as_mut().expect("sound").codec = "pcm_s16le".into()),
            (Copy, Some(Transcode))
        );
    }
}
