//! FFmpeg as a child process: probing, packaging as HLS, the poster.
//!
//! The media comes from strangers. So FFmpeg runs apart with limits on time and memory, knows
//! nothing of this process's environment, may open only the protocols and the container formats
//! named here, and never a format that names other files (`hls`, `concat`, `dash`, image lists).
//!
//! Must not know: assets, the database, HTTP.

mod child;
mod failure;
mod package;
mod plan;
mod poster;
mod probe;

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::child::Finished;
pub(super) use self::failure::{Failure, FailureKind};
pub(super) use self::package::{MAP, RENDITION, is_part_name};
pub(super) use self::poster::POSTER;
use super::config::{Limits, Programs};

/// Demuxers that read one file and nothing else.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,\
                       asf,mxf,mxf_opatom,ogg,dv,gxf,nut,ivf,h264,hevc,obu";

/// All that is needed to fetch an original. `file` is not among them.
const PROTOCOLS: &str = "http,https,tcp,tls";

/// Longest silence of the input, microseconds.
const INPUT_SILENCE: &str = "30000000";

/// What was made of an original.
#[derive(Clone, Debug)]
pub(super) struct Rendition {
    /// Seconds, by what was written.
    pub(super) duration: f64,
    /// `16:9`.
    pub(super) aspect_ratio: Option<String>,
    /// The master playlist, to be served as it is but for tokens.
    pub(super) master: String,
}

/// FFmpeg under limits, for one job.
#[derive(Clone, Debug)]
pub(super) struct Ffmpeg {
    pub(super) programs: Programs,
    pub(super) limits: Limits,
    /// Ends the job and its child processes.
    pub(super) cancelled: CancellationToken,
}

impl Ffmpeg {
    /// Makes an HLS rendition and a poster of the original at `input` in the empty folder `work`.
    ///
    /// # Errors
    /// [`Failure`] says why not, in words that hold no address and no path.
    pub(super) async fn make(&self, input: &str, work: &Path) -> Result<Rendition, Failure> {
        let probe = probe::probe(self, input).await?;
        let plan = plan::Plan::of(&probe);
        tracing::debug!(
            container = probe.container,
            video = probe.video.codec,
            ?plan,
            "probed an original"
        );
        let (rendition, poster) = tokio::join!(
            package::package(self, input, work, &probe, plan),
            poster::poster(self, input, work, &probe),
        );
        let rendition = rendition?;
        if let Err(failure) = poster {
            // A video without a poster still plays.
            tracing::warn!(reason = failure.message, "no poster could be made");
        }
        Ok(rendition)
    }

    /// Options of every run, before what is special to it.
    fn common() -> Vec<String> {
        words("-nostdin -hide_banner -loglevel error -y")
    }

    /// Options that open `input`, `-i` last.
    fn input(input: &str) -> Vec<String> {
        let mut options = Self::closed();
        options.push("-i".to_owned());
        options.push(input.to_owned());
        options
    }

    /// Options that close everything but the input's own protocol and format, and bound its silence.
    fn closed() -> Vec<String> {
        let mut options = words("-protocol_whitelist");
        options.push(PROTOCOLS.to_owned());
        options.extend(words("-format_whitelist"));
        options.push(FORMATS.to_owned());
        options.extend(words("-rw_timeout"));
        options.push(INPUT_SILENCE.to_owned());
        // A connection that breaks is taken up where it broke.
        options.extend(words("-reconnect 1 -reconnect_delay_max 5"));
        options
    }

    async fn convert(
        &self,
        arguments: Vec<String>,
        work: &Path,
        longest: Duration,
        gentle: bool,
    ) -> Result<Finished, Failure> {
        let child = child::Child {
            program: &self.programs.ffmpeg,
            arguments,
            folder: Some(work),
            memory: self.limits.memory,
            longest,
            gentle,
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
            gentle: false,
        };
        child.run(&self.cancelled).await
    }
}

/// A line of options, one by one.
fn words(line: &str) -> Vec<String> {
    line.split_ascii_whitespace().map(str::to_owned).collect()
}
