//! HLS with fMP4 segments: one rendition, copied where it can be.

use std::path::Path;
use std::time::Duration;

use super::failure::{Failure, FailureKind, broke_off};
use super::plan::{Plan, Treatment};
use super::probe::Probe;
use super::{Ffmpeg, picture, words};
use crate::media::playlist::Measured;

/// File name of the media playlist.
pub(in crate::media) const RENDITION: &str = "rendition.m3u8";
/// File name of the initialisation section.
pub(in crate::media) const MAP: &str = "init.mp4";
const SEGMENTS: &str = "segment-%05d.m4s";

/// Seconds a segment should last.
const SEGMENT: u32 = 4;
/// Seconds a copied segment may last: an original with few key frames cannot be cut shorter, and a
/// player has to fetch one whole before it shows anything.
const LONGEST_SEGMENT: f64 = 30.0;

/// A rendition that was written.
#[derive(Clone, Debug)]
pub(super) struct Packaged {
    pub(super) measured: Measured,
    /// What was done in the end.
    pub(super) plan: Plan,
    /// Its attributes in a master playlist.
    pub(super) variant: String,
}

/// Whether `name` is the name of an initialisation section or a segment.
pub(in crate::media) fn is_part_name(name: &str) -> bool {
    let number = name.strip_prefix("segment-").and_then(|rest| rest.strip_suffix(".m4s"));
    name == MAP
        || number.is_some_and(|number| {
            (5..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
        })
}

/// Writes the playlist and its segments into `work`: by `plan`, or where that does not do, with more
/// of it encoded. What is encoded gets `height` at the most.
pub(super) async fn package(
    ffmpeg: &Ffmpeg,
    work: &Path,
    probe: &Probe,
    plan: Plan,
    height: u32,
) -> Result<Packaged, Failure> {
    let mut plan = plan;
    loop {
        let reason = match attempt(ffmpeg, work, probe, plan, height).await {
            Ok(measured) if plan.video == Treatment::Copy && measured.longest > LONGEST_SEGMENT => {
                "it has too few key frames".to_owned()
            }
            Ok(measured) => return Ok(packaged(measured, probe, plan)),
            Err(failure) if failure.kind != FailureKind::Input => return Err(failure),
            Err(failure) if plan.more().is_none() => return Err(failure),
            Err(failure) => failure.message,
        };
        let Some(more) = plan.more() else {
            return Err(Failure::new(FailureKind::Input, "The file cannot be cut into segments."));
        };
        plan = more;
        tracing::info!(reason, ?plan, "an original cannot be copied and is transcoded");
        clear(work).await.map_err(|error| Failure::disk(&error))?;
    }
}

async fn attempt(
    ffmpeg: &Ffmpeg,
    work: &Path,
    probe: &Probe,
    plan: Plan,
    height: u32,
) -> Result<Measured, Failure> {
    let nice = match plan.video {
        Treatment::Copy => 0,
        Treatment::Transcode => ffmpeg.nice,
    };
    let arguments = |map_tones| arguments(ffmpeg, probe, plan, height, map_tones);
    let longest = longest(ffmpeg, probe);
    let mut finished = ffmpeg.convert(arguments(true), work, longest, nice, probe.duration).await?;
    if !finished.success && finished.stderr.contains("No such filter") {
        // FFmpeg was built without zimg. Pale colours are better than none.
        tracing::warn!("this FFmpeg cannot map the tones of HDR; the colours will be pale");
        finished = ffmpeg.convert(arguments(false), work, longest, nice, probe.duration).await?;
    }
    if !finished.success || broke_off(&finished.stderr) {
        return Err(Failure::from_stderr(&finished.stderr));
    }
    if plan.video == Treatment::Copy && finished.stderr.contains("partial file") {
        // Some players stop at half a packet. A decoder makes a whole picture of it, or none.
        return Err(Failure::new(FailureKind::Input, "The file is cut off."));
    }
    let folder = work.to_owned();
    let measured = tokio::task::spawn_blocking(move || Measured::read(&folder)).await;
    let measured = measured.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
    match measured {
        Ok(measured) if measured.duration > 0.0 => Ok(measured),
        // FFmpeg ends well when it finds no packet in a file whose header promised some.
        _ => Err(Failure::new(FailureKind::Input, "The file holds no picture that can be read.")),
    }
}

fn arguments(
    ffmpeg: &Ffmpeg,
    probe: &Probe,
    plan: Plan,
    height: u32,
    map_tones: bool,
) -> Vec<String> {
    let mut arguments = Ffmpeg::common();
    arguments.extend(words("-progress pipe:1"));
    arguments.extend(ffmpeg.original());
    arguments.extend(words(&format!("-map 0:{}", probe.video.index)));
    if let Some(audio) = &probe.audio {
        arguments.extend(words(&format!("-map 0:{}", audio.index)));
    }
    // Metadata may hold where the video was shot.
    arguments.extend(words("-map_metadata -1 -map_chapters -1 -sn -dn"));
    match plan.video {
        Treatment::Copy => arguments.extend(words("-c:v copy")),
        Treatment::Transcode => {
            arguments.extend(words("-vf"));
            arguments.push(picture::filter(&probe.video, height, map_tones));
            let rate = picture::bit_rate(height);
            arguments.extend(words(&format!(
                "-c:v libx264 -preset veryfast -profile:v high -crf 23 -maxrate {rate} \
                 -bufsize {} -g 300 -force_key_frames expr:gte(t,n_forced*2)",
                2 * rate
            )));
            // The first frame of a rendition starts as late as frames are held back, so those that a
            // player goes between must hold back as many; two is what the encoder does by itself.
            if ffmpeg.beside_a_copy && probe.video.held_back < 2 {
                arguments.extend(words(&format!("-bf {}", probe.video.held_back)));
            }
            arguments.extend(ffmpeg.threads());
        }
    }
    match plan.audio {
        None => {}
        Some(Treatment::Copy) => arguments.extend(words("-c:a copy")),
        Some(Treatment::Transcode) => {
            arguments.extend(words("-c:a aac -b:a 160k -ac 2 -ar 48000"));
        }
    }
    arguments.extend(words(&format!(
        "-f hls -hls_time {SEGMENT} -hls_playlist_type vod -hls_flags independent_segments \
         -hls_segment_type fmp4 -hls_fmp4_init_filename {MAP} -hls_segment_filename {SEGMENTS} \
         {RENDITION}"
    )));
    arguments
}

/// The slowest honest work: a twentieth of real time, or one MiB per second.
fn longest(ffmpeg: &Ffmpeg, probe: &Probe) -> Duration {
    let playing = Duration::try_from_secs_f64(probe.duration.unwrap_or(0.0)).unwrap_or_default();
    let fetching = Duration::from_secs(probe.size.unwrap_or(0) >> 20);
    ffmpeg
        .limits
        .conversion_base
        .saturating_add(playing.saturating_mul(20))
        .saturating_add(fetching)
        .min(ffmpeg.limits.conversion)
}

fn packaged(measured: Measured, probe: &Probe, plan: Plan) -> Packaged {
    let sound = match (&probe.audio, plan.audio) {
        (Some(audio), Some(Treatment::Copy)) => Some(audio.profile.as_deref().unwrap_or("LC")),
        (_, audio) => audio.map(|_| "LC"),
    };
    let rate = match plan.video {
        Treatment::Copy => probe.video.average_rate,
        Treatment::Transcode => Some(probe.video.rate.value),
    };
    Packaged { variant: measured.variant(sound, rate), measured, plan }
}

/// Removes what a failed attempt has written; the poster stays.
async fn clear(work: &Path) -> std::io::Result<()> {
    let mut entries = tokio::fs::read_dir(work).await?;
    while let Some(entry) = entries.next_entry().await? {
        if entry.file_name() != super::POSTER {
            tokio::fs::remove_file(entry.path()).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_part_name;

    #[test]
    fn only_names_of_parts_are_served() {
        for name in ["init.mp4", "segment-00000.m4s", "segment-123456.m4s"] {
            assert!(is_part_name(name), "{name}");
        }
        for name in [
            "poster.jpg",
            "segment-1.m4s",
            "segment-0000a.m4s",
            "segment-00001.m4s.tmp",
            "segment-../../x.m4s",
            "../init.mp4",
            "rendition.m3u8",
            "",
        ] {
            assert!(!is_part_name(name), "{name}");
        }
    }
}
