//! FFmpeg: whether it is there and can make what players play.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::Report;
use crate::config::{Config, MediaSource};
use crate::media::Programs;

/// A program that only lists what it can do takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(20);
/// What every rendition is made with.
const ENCODERS: [&str; 2] = ["libx264", "aac"];

pub(super) async fn ffmpeg(config: &Config) -> Report {
    const NAME: &str = "ffmpeg";
    if matches!(config.media, MediaSource::Mux(_)) {
        return Report::ok(NAME, "not needed: the media engine is Mux");
    }
    let programs = Programs::default();
    let encoders = match output(&programs.ffmpeg, "-encoders").await {
        Ok(encoders) => encoders,
        Err(error) => return Report::failed(NAME, missing(&programs.ffmpeg, &error)),
    };
    if let Err(error) = output(&programs.ffprobe, "-version").await {
        return Report::failed(NAME, missing(&programs.ffprobe, &error));
    }
    let has = |name: &str| encoders.lines().any(|line| line.split(' ').any(|word| word == name));
    match ENCODERS.iter().find(|name| !has(name)) {
        Some(name) => Report::failed(
            NAME,
            format!("this FFmpeg has no encoder {name}: install one that was built with it"),
        ),
        None => Report::ok(NAME, "ffmpeg and ffprobe are there, with libx264 and aac"),
    }
}

fn missing(program: &Path, error: &std::io::Error) -> String {
    format!("{} does not run ({error}): install FFmpeg", program.display())
}

async fn output(program: &Path, argument: &str) -> std::io::Result<String> {
    let child = tokio::process::Command::new(program)
        .args(["-hide_banner", "-v", "error", argument])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, child)
        .await
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(std::io::Error::other(output.status.to_string()))
    }
}
