//! Clips made by FFmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Twelve seconds of H.264 and AAC, its index at the end as cameras write it.
pub(crate) fn h264_aac(folder: &Path) -> PathBuf {
    let sound = "-f lavfi -i sine=frequency=440:duration=12";
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 60 -c:a aac -shortest";
    clip(folder, "h264.mp4", "640x360", &format!("{sound} {codecs}"))
}

/// The same without sound.
pub(crate) fn h264_silent(folder: &Path) -> PathBuf {
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 60";
    clip(folder, "silent.mov", "640x360", codecs)
}

/// Two seconds of H.264 in some ten kilobytes.
pub(crate) fn short(folder: &Path) -> PathBuf {
    let codecs = "-t 2 -c:v libx264 -preset ultrafast -crf 40 -pix_fmt yuv420p -g 60";
    clip(folder, "short.mp4", "160x90", codecs)
}

/// Nothing of it plays in a browser: MPEG-4 part 2, MP3, odd sizes, in Matroska, upright.
pub(crate) fn foreign(folder: &Path) -> PathBuf {
    let sound = "-f lavfi -i sine=frequency=440:duration=12";
    clip(folder, "foreign.mkv", "901x1603", &format!("{sound} -c:v mpeg4 -c:a libmp3lame"))
}

/// VP9, ten bits, silent.
pub(crate) fn vp9(folder: &Path) -> PathBuf {
    let codecs = "-t 2 -c:v libvpx-vp9 -pix_fmt yuv420p10le -deadline realtime -cpu-used 8";
    clip(folder, "vp9.webm", "320x180", codecs)
}

/// H.264 that is to be shown turned by 90 degrees, with sound that browsers do not know.
pub(crate) fn turned(folder: &Path) -> PathBuf {
    let upright = h264_silent(folder);
    let turned = folder.join("turned.mov");
    let options = "-f lavfi -i sine=duration=12 -c:v copy -c:a pcm_s16le -shortest";
    run(&format!("-display_rotation 90 -i {} {options}", upright.display()), &turned)
        .or_else(|| {
            // FFmpeg before 6.0 has the rotation as metadata of the output.
            let rotate = "-metadata:s:v:0 rotate=90";
            run(&format!("-i {} {options} {rotate}", upright.display()), &turned)
        })
        .expect("a turned clip")
}

fn clip(folder: &Path, name: &str, size: &str, options: &str) -> PathBuf {
    let picture = format!("-f lavfi -i testsrc2=size={size}:rate=30:duration=12");
    run(&format!("{picture} {options}"), &folder.join(name)).expect("FFmpeg makes a clip")
}

fn run(arguments: &str, target: &Path) -> Option<PathBuf> {
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "quiet", "-y"])
        .args(arguments.split_ascii_whitespace())
        .arg(target)
        .status()
        .expect("FFmpeg is installed");
    status.success().then(|| target.to_owned())
}
