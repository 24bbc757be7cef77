//! The media types that a team takes.

use dailies_api::error::ErrorCode;

use super::error::Refusal;

/// Type and the extensions of its files; a download is named with the first.
const TAKEN: [(&str, &[&str]); 5] = [
    ("video/mp4", &["mp4"]),
    ("video/quicktime", &["mov"]),
    ("video/webm", &["webm"]),
    ("video/x-matroska", &["mkv"]),
    ("video/mp2t", &["ts", "m2ts", "mts"]),
];

/// The type without its parameters, if the team takes it.
pub(crate) fn accepted(content_type: &str) -> Result<String, Refusal> {
    let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if TAKEN.iter().any(|(taken, _)| *taken == bare) {
        return Ok(bare);
    }
    let message = "unsupported video format; taken are mp4, mov, webm, mkv and MPEG-TS";
    Err(Refusal::new(ErrorCode::UnsupportedType, message).at("contentType"))
}

/// The type that a file's name says, if the team takes it. For senders that know no better.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let is_of = |taken: &&'static str| taken.eq_ignore_ascii_case(extension);
    TAKEN.iter().find(|(_, taken)| taken.iter().any(is_of)).map(|(content_type, _)| *content_type)
}

/// The extension for a type that was accepted.
pub(crate) fn extension(content_type: &str) -> &'static str {
    let taken = TAKEN.iter().find(|(taken, _)| *taken == content_type);
    taken.and_then(|(_, extensions)| extensions.first()).copied().unwrap_or("mp4")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        assert_eq!(accepted("Video/MP4; codecs=\"avc1\"").expect("mp4"), "video/mp4");
        assert_eq!(extension("video/quicktime"), "mov");
        assert_eq!((by_name("00000.MTS"), extension("video/mp2t")), (Some("video/mp2t"), "ts"));
    }

    #[test]
    fn other_types_are_refused_by_code() {
        for content_type in ["", "image/png", "video/", "application/octet-stream"] {
            let refusal = accepted(content_type).expect_err(content_type);
            assert_eq!(refusal.0.code, ErrorCode::UnsupportedType);
        }
    }
}
