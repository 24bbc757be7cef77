//! Images of a video that is ready, from its own segments: FFmpeg reads them from its input, and
//! nothing else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::child::Child;
use super::failure::Failure;
use super::{Progress, words};
use crate::media::config::{Limits, Programs};

/// Longest work on one image.
const LONGEST: Duration = Duration::from_secs(45);

/// How an image is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum ImageFormat {
    Jpeg,
    Png,
    WebP,
    Gif,
}

impl ImageFormat {
    /// By the end of a file name.
    pub(in crate::media) fn of(extension: &str) -> Option<Self> {
        match extension {
            "jpg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::WebP),
            "gif" => Some(Self::Gif),
            _ => None,
        }
    }

    /// The end of its file names.
    pub(in crate::media) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
        }
    }

    /// For `Content-Type`.
    pub(in crate::media) fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// An image to make.
pub(in crate::media) struct Image {
    /// Initialisation section and segments of a rendition.
    pub(in crate::media) segments: Vec<PathBuf>,
    /// Whether key frames alone will do.
    pub(in crate::media) key_frames: bool,
    /// FFmpeg's filter; times in it count from the first segment.
    pub(in crate::media) filter: String,
    pub(in crate::media) moving: bool,
    pub(in crate::media) format: ImageFormat,
}

impl Image {
    /// Writes the image into the file `name` in `folder`. False where no frame came of it.
    ///
    /// # Errors
    /// [`Failure`], in words that hold no path.
    pub(in crate::media) async fn make(
        self,
        programs: &Programs,
        limits: &Limits,
        cancelled: &CancellationToken,
        folder: &Path,
        name: &str,
    ) -> Result<bool, Failure> {
        let child = Child {
            program: &programs.ffmpeg,
            arguments: self.arguments(name),
            folder: Some(folder),
            memory: limits.memory,
            longest: LONGEST,
            nice: 5,
            proxy: None,
            feed: self.segments,
            progress: Some((&Progress::default(), 0.0)),
        };
        let finished = child.run(cancelled).await?;
        if !finished.success {
            return Err(Failure::from_stderr(&finished.stderr));
        }
        Ok(tokio::fs::metadata(folder.join(name)).await.is_ok_and(|file| file.len() > 0))
    }

    fn arguments(&self, name: &str) -> Vec<String> {
        let mut arguments = words("-hide_banner -loglevel error -y -protocol_whitelist pipe");
        arguments.extend(words("-format_whitelist mov,mp4,m4a,3gp,3g2,mj2 -f mp4"));
        if self.key_frames {
            arguments.extend(words("-skip_frame nokey"));
        }
        arguments.extend(words("-i pipe:0 -map 0:v:0 -an -sn -dn -map_metadata -1 -vf"));
        arguments.push(self.filter.clone());
        arguments.extend(words(match (self.moving, self.format) {
            (true, ImageFormat::WebP) => "-c:v libwebp_anim -quality 70 -loop 0 -f webp",
            (true, _) => "-c:v gif -loop 0 -f gif",
            (false, ImageFormat::Png) => "-frames:v 1 -c:v png -f image2 -update 1",
            (false, ImageFormat::WebP) => {
                "-frames:v 1 -c:v libwebp -quality 80 -f image2 -update 1"
            }
            (false, _) => "-frames:v 1 -c:v mjpeg -q:v 4 -f image2 -update 1",
        }));
        arguments.push(name.to_owned());
        arguments
    }
}
