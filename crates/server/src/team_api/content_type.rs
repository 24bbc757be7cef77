//! The media types that a team takes.

use dailies_api::error::ErrorCode;

use super::error::Refusal;

/// Type and the extension that a download is named with.
const TAKEN: [(&str, &str); 4] = [
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
];

/// The type without its parameters, if the team takes it.
pub(crate) fn accepted(content_type: &str) -> Result<String, Refusal> {
    let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if TAKEN.iter().any(|(taken, _)| *taken == bare) {
        return Ok(bare);
    }
    let message = "unsupported video format; taken are mp4, mov, webm and mkv";
    Err(Refusal::new(ErrorCode::UnsupportedType, message).at("contentType"))
}

/// The type that a file's name says, if the team takes it. For senders that know no better.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    TAKEN
        .iter()
        .find(|(_, taken)| taken.eq_ignore_ascii_case(extension))
        .map(|(content_type, _)| *content_type)
}

/// The extension for a type that was accepted.
pub(crate) fn extension(content_type: &str) -> &'static str {
    TAKEN
        .iter()
        .find(|(taken, _)| *taken == content_type)
        .map_or("mp4", |(_, extension)| *extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        assert_eq!(accepted("Video/MP4; codecs=\"avc1\"").expect("mp4"), "video/mp4");
        assert_eq!(extension("video/quicktime"), "mov");
    }

    #[test]
    fn other_types_are_refused_by_code() {
        for content_type in ["", "image/png", "video/", "application/octet-stream"] {
            let refusal = accepted(content_type).expect_err(content_type);
            assert_eq!(refusal.0.code, ErrorCode::UnsupportedType);
        }
    }
}
