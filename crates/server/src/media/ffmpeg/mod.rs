//! FFmpeg as a child process: probing, packaging as HLS, the poster.
//!
//! The media comes from strangers. So FFmpeg runs apart with limits on time and memory, knows
//! nothing of this process's environment, may open only the protocols and the container formats
//! named here, and never a format that names other files (`hls`, `concat`, `dash`, image lists).
//!
//! Must not know: assets, the database, HTTP.

mod child;
mod failure;
mod image;
mod package;
mod picture;
mod plan;
mod poster;
mod probe;
mod progress;

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use self::child::Finished;
pub(super) use self::failure::{Failure, FailureKind};
pub(super) use self::image::{Image, ImageFormat};
pub(super) use self::package::{MAP, RENDITION, is_part_name};
use self::plan::Treatment;
pub(super) use self::poster::POSTER;
pub(super) use self::progress::Progress;
use super::config::{Limits, Programs};
use super::original::ORIGINAL;

/// Demuxers that read one file and nothing else.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,\
                       asf,mxf,mxf_opatom,ogg,dv,gxf,nut,ivf,h264,hevc,obu";

/// All that is needed to come to the door of an original. `file` is not among them.
const PROTOCOLS: &str = "http,tcp";

/// Longest silence of the input, microseconds.
const INPUT_SILENCE: &str = "30000000";

/// What a new asset has.
#[derive(Clone, Debug)]
pub(super) struct First {
    /// Seconds, by what was written.
    pub(super) duration: f64,
    /// `16:9`.
    pub(super) aspect_ratio: Option<String>,
    /// Attributes of the first rendition in the master playlist.
    pub(super) variant: String,
    /// Whether the first rendition has the original's own picture.
    pub(super) copied: bool,
    /// Heights of the renditions that are worth making besides.
    pub(super) ladder: Vec<u32>,
}

/// FFmpeg under limits, for one job.
#[derive(Clone)]
pub(super) struct Ffmpeg {
    pub(super) programs: Programs,
    pub(super) limits: Limits,
    /// Ends the job and its child processes.
    pub(super) cancelled: CancellationToken,
    /// Leads to the original; see [`super::original::Door::proxy`].
    pub(super) proxy: SecretString,
    /// How far an encoding lets others go first: 0 to 19.
    pub(super) nice: i32,
    pub(super) progress: Progress,
    /// Whether what is made stands beside a copy of the original's picture.
    pub(super) beside_a_copy: bool,
}

impl Ffmpeg {
    /// Makes the first rendition of the original and a poster in the empty folder `work`: what is
    /// playable soonest.
    ///
    /// # Errors
    /// [`Failure`] says why not, in words that hold no address and no path.
    pub(super) async fn first(&self, work: &Path) -> Result<First, Failure> {
        let probe = probe::probe(self).await?;
        let plan = plan::Plan::of(&probe);
        tracing::debug!(
            container = probe.container,
            video = probe.video.codec,
            ?plan,
            "probed an original"
        );
        let shown = probe.video.shown;
        let height = picture::first_height(shown, self.limits.max_height);
        let (packaged, poster) = tokio::join!(
            package::package(self, work, &probe, plan, height),
            poster::poster(self, work, &probe),
        );
        let packaged = packaged?;
        if let Err(failure) = poster {
            // A video without a poster still plays.
            tracing::warn!(reason = failure.message, "no poster could be made");
        }
        let copied = packaged.plan.video == Treatment::Copy;
        let encoded = (!copied).then_some(height);
        let average = packaged.measured.average;
        Ok(First {
            duration: packaged.measured.duration,
            aspect_ratio: probe.video.aspect_ratio,
            variant: packaged.variant,
            copied,
            ladder: picture::ladder(shown, self.limits.max_height, encoded, average),
        })
    }

    /// Makes a further rendition of `height` in the empty folder `work`, and returns its attributes
    /// in the master playlist. `duration` is the asset's, in seconds.
    ///
    /// # Errors
    /// As [`Ffmpeg::first`].
    pub(super) async fn further(
        &self,
        work: &Path,
        height: u32,
        duration: f64,
    ) -> Result<String, Failure> {
        let mut probe = probe::probe(self).await?;
        probe.duration = Some(duration);
        let plan = plan::Plan::of(&probe).encoded();
        Ok(package::package(self, work, &probe, plan, height).await?.variant)
    }

    /// Options of every run, before what is special to it.
    fn common() -> Vec<String> {
        words("-nostdin -hide_banner -loglevel error -y")
    }

    /// Options that open the original, and close everything but its own protocol and format, and
    /// bound its silence and its size.
    fn original(&self) -> Vec<String> {
        let mut options = vec!["-protocol_whitelist".to_owned(), PROTOCOLS.to_owned()];
        options.extend(["-format_whitelist".to_owned(), FORMATS.to_owned()]);
        options.extend(["-rw_timeout".to_owned(), INPUT_SILENCE.to_owned()]);
        // A connection that breaks is taken up where it broke.
        options.extend(words("-reconnect 1 -reconnect_delay_max 5"));
        options.extend(["-max_pixels".to_owned(), probe::PIXEL_LIMIT.to_owned()]);
        options.extend(self.threads());
        options.extend(["-i".to_owned(), ORIGINAL.to_owned()]);
        options
    }

    /// Options that bound the threads of a decoder or an encoder.
    fn threads(&self) -> Vec<String> {
        match self.limits.threads {
            0 => Vec::new(),
            threads => vec!["-threads".to_owned(), threads.to_string()],
        }
    }

    /// `seconds` are all of the work, where its progress is of interest.
    async fn convert(
        &self,
        arguments: Vec<String>,
        work: &Path,
        longest: Duration,
        nice: i32,
        seconds: Option<f64>,
    ) -> Result<Finished, Failure> {
        let child = child::Child {
            program: &self.programs.ffmpeg,
            arguments,
            folder: Some(work),
            memory: self.limits.memory,
            longest,
            nice,
            proxy: Some(&self.proxy),
            feed: Vec::new(),
            progress: Some((&self.progress, seconds.unwrap_or(0.0))),
        };
        child.run(&self.cancelled).await
    }

    async fn examine(&self, arguments: Vec<String>) -> Result<Finished, Failure> {
        let child = child::Child {
            program: &self.programs.ffprobe,
            arguments,
            folder: None,
            memory: self.limits.memory,
            longest: self.limits.probe,
            nice: 0,
            proxy: Some(&self.proxy),
            feed: Vec::new(),
            progress: None,
        };
        child.run(&self.cancelled).await
    }
}

/// A line of options, one by one.
fn words(line: &str) -> Vec<String> {
    line.split_ascii_whitespace().map(str::to_owned).collect()
}
