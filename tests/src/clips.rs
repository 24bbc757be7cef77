//! Clips to upload: made once by FFmpeg, kept beside the builds, copied for each test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::programs::kept;

/// One MiB.
pub const MIB: u64 = 1 << 20;

/// A different picture and sound, so that no two clips share bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The usual one.
    One,
    /// Another of the same size.
    Two,
}

/// A playable H.264/AAC file of about `mebibytes`, in the folder of kept clips. Not to be written
/// to: see [`copy`].
///
/// # Errors
/// Where FFmpeg is missing or fails.
pub fn clip(mebibytes: u64, take: Take) -> Result<PathBuf> {
    let folder = kept("clips")?;
    let path = folder.join(format!("{take:?}-{mebibytes}.mp4").to_lowercase());
    // Tests run at the same time, each in a process of its own.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if !path.is_file() {
        let seconds = seconds(&folder, take)?;
        let half_made = folder.join("half-made.mp4");
        ffmpeg(
            Command::new("ffmpeg")
                .args(["-stream_loop", "-1", "-i"])
                .arg(seconds)
                .args(["-c", "copy", "-fs", &(mebibytes * MIB).to_string()])
                .arg(&half_made),
        )?;
        std::fs::rename(half_made, &path)?;
    }
    Ok(path)
}

/// A playable file of twenty seconds, for who watches it. Not to be written to.
///
/// # Errors
/// As [`clip`].
pub fn to_watch() -> Result<PathBuf> {
    let folder = kept("clips")?;
    let path = folder.join("to-watch.mp4");
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if !path.is_file() {
        let half_made = folder.join("half-made.mp4");
        ffmpeg(
            Command::new("ffmpeg")
                .args(["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"])
                .args(["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"])
                .args(["-t", "20", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50"])
                .args(["-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"])
                .arg(&half_made),
        )?;
        std::fs::rename(half_made, &path)?;
    }
    Ok(path)
}

/// A copy of a clip at a path of the test's own, and what it holds.
///
/// # Errors
/// As [`clip`].
pub fn copy(mebibytes: u64, take: Take, to: &Path) -> Result<()> {
    let from = clip(mebibytes, take)?;
    std::fs::copy(&from, to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(())
}

/// A playable file of about `mebibytes` that no other number has.
///
/// # Errors
/// As [`clip`].
pub fn numbered(mebibytes: u64, number: u64) -> Result<Vec<u8>> {
    let mut bytes = std::fs::read(clip(mebibytes, Take::One)?)?;
    // A box that players skip.
    bytes.extend([0, 0, 0, 16]);
    bytes.extend(b"free");
    bytes.extend(number.to_be_bytes());
    Ok(bytes)
}

/// Some seconds of noise, which no codec makes small.
fn seconds(folder: &Path, take: Take) -> Result<PathBuf> {
    let path = folder.join(format!("{take:?}-seconds.mp4").to_lowercase());
    if path.is_file() {
        return Ok(path);
    }
    let (hue, tone) = match take {
        Take::One => (0, 440),
        Take::Two => (120, 660),
    };
    let half_made = folder.join("half-made.mp4");
    let picture = format!("testsrc2=size=1280x720:rate=30,hue=h={hue},noise=alls=30:allf=t");
    ffmpeg(
        Command::new("ffmpeg")
            .args(["-f", "lavfi", "-i", &picture])
            .args(["-f", "lavfi", "-i", &format!("sine=frequency={tone}:sample_rate=48000")])
            .args(["-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"])
            .args(["-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac"])
            .arg(&half_made),
    )?;
    std::fs::rename(half_made, &path)?;
    Ok(path)
}

fn ffmpeg(command: &mut Command) -> Result<()> {
    let done = command
        .args(["-nostdin", "-y", "-loglevel", "error"])
        .stdin(Stdio::null())
        .output()
        .context("ffmpeg cannot be run: install it")?;
    ensure!(done.status.success(), "ffmpeg failed: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
