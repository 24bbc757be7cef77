//! The still picture that stands for a video.

use std::path::Path;
use std::time::Duration;

use super::failure::Failure;
use super::probe::Probe;
use super::{Ffmpeg, picture, words};

/// File name of the poster.
pub(in crate::media) const POSTER: &str = "poster.jpg";

/// A poster must not hold up a video for long.
const LONGEST: Duration = Duration::from_secs(45);
/// Height of the frame it fits into.
const HEIGHT: u32 = 720;

/// Makes the poster: a frame a tenth in, or else the first one.
pub(super) async fn poster(ffmpeg: &Ffmpeg, work: &Path, probe: &Probe) -> Result<(), Failure> {
    let tenth = probe.duration.unwrap_or(0.0) / 10.0;
    match frame(ffmpeg, work, probe, tenth).await {
        Err(failure) if tenth > 0.0 => {
            tracing::debug!(reason = failure.message, "no frame a tenth in; taking the first");
            frame(ffmpeg, work, probe, 0.0).await
        }
        ended => ended,
    }
}

async fn frame(ffmpeg: &Ffmpeg, work: &Path, probe: &Probe, seconds: f64) -> Result<(), Failure> {
    let mut arguments = Ffmpeg::common();
    // The key frame before that time will do, and needs no others to be decoded.
    arguments.extend(words("-noaccurate_seek -ss"));
    arguments.push(format!("{seconds:.3}"));
    arguments.extend(ffmpeg.original());
    arguments.extend(words(&format!("-map 0:{} -frames:v 1 -an -sn -dn", probe.video.index)));
    arguments.extend(words("-map_metadata -1 -vf"));
    arguments.push(picture::still(&probe.video, HEIGHT));
    arguments.extend(words("-q:v 4 -f image2 -update 1"));
    arguments.push(POSTER.to_owned());
    let finished = ffmpeg.convert(arguments, work, LONGEST, 0, None).await?;
    let written = tokio::fs::metadata(work.join(POSTER)).await;
    if finished.success && written.is_ok_and(|file| file.len() > 0) {
        Ok(())
    } else {
        Err(Failure::from_stderr(&finished.stderr))
    }
}
