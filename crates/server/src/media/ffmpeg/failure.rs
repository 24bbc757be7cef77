//! Why nothing came of an original, in words for people, without addresses or paths.

use std::time::Duration;

use crate::media::original::ORIGINAL;

/// Longest quotation of FFmpeg, in characters.
const QUOTED: usize = 200;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum FailureKind {
    /// The original is at fault.
    Input,
    /// The original is not there, or not any more.
    InputGone,
    /// The original could not be reached; it may be later.
    Unreachable,
    /// This server is at fault.
    Internal,
    /// Nobody wants the result any more, or the engine is closing.
    Cancelled,
}

/// Why nothing came of an original.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(in crate::media) struct Failure {
    pub(in crate::media) kind: FailureKind,
    /// For people; safe to show and to log.
    pub(in crate::media) message: String,
}

impl Failure {
    pub(in crate::media) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The file system of this server refused.
    pub(in crate::media) fn disk(error: &std::io::Error) -> Self {
        let message = if error.kind() == std::io::ErrorKind::StorageFull {
            "The server's disk is full.".to_owned()
        } else {
            format!("The server could not write the video to its disk ({}).", error.kind())
        };
        Self::new(FailureKind::Internal, message)
    }

    pub(super) fn start(error: &std::io::Error) -> Self {
        let message = if error.kind() == std::io::ErrorKind::NotFound {
            "FFmpeg is not installed on the server."
        } else {
            "FFmpeg could not be started on the server."
        };
        Self::new(FailureKind::Internal, message)
    }

    pub(super) fn too_slow(longest: Duration) -> Self {
        let minutes = longest.as_secs().div_ceil(60);
        Self::new(
            FailureKind::Input,
            format!("The video took longer than the {minutes} minutes it was given."),
        )
    }

    pub(super) fn killed() -> Self {
        Self::new(
            FailureKind::Input,
            "The video needs more memory than the server gives to one video, or breaks FFmpeg.",
        )
    }

    /// Nobody waits for the result any more.
    pub(in crate::media) fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, "The work was stopped.")
    }

    /// The meaning of what FFmpeg wrote about the original.
    pub(super) fn from_stderr(stderr: &str) -> Self {
        let any = |signs: &[&str]| signs.iter().any(|sign| stderr.contains(sign));
        let quoted = last_words(stderr);
        let said = if quoted.is_empty() { String::new() } else { format!(" (FFmpeg: {quoted})") };
        if any(&["No space left on device"]) {
            Self::new(FailureKind::Internal, "The server's disk is full.")
        } else if any(&["Cannot allocate memory"]) {
            Self::killed()
        } else if any(&["Server returned 4"]) {
            let message = format!("The original could not be fetched any more{said}.");
            Self::new(FailureKind::InputGone, message)
        } else if broke_off(stderr) || quoted == "End of file" {
            Self::new(FailureKind::Unreachable, format!("The original could not be read{said}."))
        } else if any(&["not on whitelist", "not on blacklist"]) {
            Self::new(FailureKind::Input, "The file is no video in a format that is supported.")
        } else {
            let message = format!("The file could not be read as a video{said}.");
            Self::new(FailureKind::Input, message)
        }
    }
}

/// Whether the connection to the original failed. FFmpeg then may still end as if all were well,
/// with a result that lacks the rest.
pub(super) fn broke_off(stderr: &str) -> bool {
    [
        "Connection refused",
        "Connection reset",
        "Connection timed out",
        "Operation timed out",
        "Network is unreachable",
        "No route to host",
        "Failed to resolve hostname",
        "Server returned 5",
        "Stream ends prematurely",
        "Input/output error",
        "Broken pipe",
    ]
    .iter()
    .any(|sign| stderr.contains(sign))
}

/// The last line that says something, without addresses.
fn last_words(stderr: &str) -> String {
    let line = stderr
        .lines()
        .map(without_addresses)
        .rfind(|line| !line.is_empty() && !line.starts_with("Last message repeated"))
        .unwrap_or_default();
    line.trim_end_matches('.').chars().filter(|c| !c.is_control()).take(QUOTED).collect()
}

/// `[mov @ 0x5581] http://original/: Invalid data` becomes `Invalid data`.
fn without_addresses(line: &str) -> String {
    let line = line.replace(ORIGINAL, "the original");
    let line = line.trim();
    let line = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((tag, rest)) if tag.contains(" @ ") => rest,
        _ => line,
    };
    let line = line.strip_prefix("the original: ").unwrap_or(line);
    let words = line.split_whitespace().map(|word| {
        if word.contains("://") || word.contains("?X-") { "the original" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = ORIGINAL;

    #[test]
    fn complaints_become_words_without_the_address() {
        let cases = [
            (format!("{INPUT}: Invalid data found when processing input\n"), FailureKind::Input),
            (
                format!("{INPUT}: Server returned 403 Forbidden (access denied)"),
                FailureKind::InputGone,
            ),
            (
                format!(
                    "[tcp @ 0x55c7] Connection to tcp://127.0.0.1:9 failed: Connection refused\n\
                     {INPUT}: Connection refused\n"
                ),
                FailureKind::Unreachable,
            ),
            (
                format!("[hls @ 0x56] Format not on whitelist 'mov'\n{INPUT}: Invalid argument"),
                FailureKind::Input,
            ),
            (format!("http: Opening '{INPUT}' for reading"), FailureKind::Input),
            ("Redirected to https://other/key?X-Amz-Signature=5ec2e7".into(), FailureKind::Input),
            (format!("{INPUT}: End of file"), FailureKind::Unreachable),
            (String::new(), FailureKind::Input),
        ];
        for (stderr, kind) in cases {
            let failure = Failure::from_stderr(&stderr);
            assert_eq!(failure.kind, kind, "{stderr}");
            for secret in ["5ec2e7", "127.0.0.1", "://", "0x5"] {
                assert!(!failure.message.contains(secret), "{secret} in {failure:?}");
            }
        }
        let failure = Failure::from_stderr(&format!("{INPUT}: Invalid data found\n"));
        assert_eq!(
            failure.message,
            "The file could not be read as a video (FFmpeg: Invalid data found)."
        );
    }
}
