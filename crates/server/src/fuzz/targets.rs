//! What must hold of what was read.

use dailies_api::api_keys::CreateApiKey;
use dailies_api::convex::{FunctionCall, function_name};
use dailies_api::mux::{Asset, Webhook};
use dailies_api::uploads::{InitiateVideoUpload, SignUploadParts};
use dailies_api::videos::{CreateVideo, ListVideos};
use http::{HeaderValue, header};

use crate::team_api::fuzzed::{self as team_api, Arguments};
use crate::{chunked_sessions, config, identity, media, uploads_api, webhooks};

/// A moment at which the seeds' signatures are young.
const NOW: u64 = 1_790_000_000;

/// Arguments are read, or refused with the name of one; a call means the same when it is repeated.
pub(super) fn function_call(bytes: &[u8]) {
    let Ok(call) = serde_json::from_slice::<FunctionCall>(bytes) else { return };
    let name = function_name(&call.path);
    let Some(args) = call.into_named_args() else { return };
    assert!(team_api::is_repeatable(&name, &args), "a call is itself");
    for read in [
        <CreateVideo as Arguments>::read,
        <ListVideos as Arguments>::read,
        <InitiateVideoUpload as Arguments>::read,
        <SignUploadParts as Arguments>::read,
        <CreateApiKey as Arguments>::read,
    ] {
        if let Err(field) = read(args.clone()) {
            assert!(field.is_some(), "the wrong argument is named");
        }
    }
}

/// What is accepted is plain, and accepted again.
pub(super) fn content_type(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((accepted, extension)) = team_api::content_type(text) else { return };
    assert!(accepted.is_ascii() && !accepted.contains([';', ' ', '\n']), "{accepted:?}");
    assert!(extension.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{extension:?}");
    assert_eq!(team_api::content_type(&accepted).map(|(again, _)| again), Some(accepted));
}

/// No token of anybody's making is taken.
pub(super) fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(!identity::fuzzed_token(text), "it was taken");
}

pub(super) fn key_set(bytes: &[u8]) {
    identity::fuzzed_keys(bytes);
}

/// No address opens anything without a token of ours, and no name leaves its folder.
pub(super) fn playback_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(uri) = text.parse::<http::Uri>() else { return };
    assert!(!media::fuzzed::opens(&uri), "it was opened");
    if let Some(name) = uri.path().rsplit('/').next()
        && media::fuzzed::is_part(name)
    {
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)));
    }
}

/// A token is added to lines, and nothing else changes: as many lines as before.
pub(super) fn playlist(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let addressed = media::fuzzed::addressed(text, "a.b-c");
    assert_eq!(addressed.lines().count(), text.lines().count());
}

/// A range lies within the file, and is not empty.
pub(super) fn range(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for size in [0, 1, 100, u64::MAX] {
        if let Some((first, length)) = media::fuzzed::range(text, size) {
            assert!(length > 0, "empty");
            assert!(first.checked_add(length).is_some_and(|end| end <= size), "past the end");
        }
    }
}

/// Nobody who lacks the secret signs, and events are read or refused. The header is the first line.
pub(super) fn webhook(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, body) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    if let Ok(header) = std::str::from_utf8(header) {
        let keys = webhooks::WebhookKeys::new(&["a secret of the fuzzer".into()]);
        assert!(!keys.verify(header, body, NOW), "it was taken");
    }
    if let Ok(event) = serde_json::from_slice::<Webhook>(body) {
        let _ = serde_json::from_value::<Asset>(event.data);
    }
}

/// A file is read, or refused by a line that it has.
pub(super) fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(line) = config::fuzzed_file(text) {
        assert!((1..=text.lines().count().max(1) + 1).contains(&line), "line {line}");
    }
}

/// What a PUT asks for is one stretch of the whole. The length is the first line, the range the
/// second.
pub(super) fn direct_upload(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut headers = http::HeaderMap::new();
    for name in [header::CONTENT_LENGTH, header::CONTENT_RANGE] {
        let value = lines.next().filter(|value| !value.is_empty());
        if let Some(Ok(value)) = value.map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let Some(put) = media::fuzzed::FuzzedPut::read(&headers) else { return };
    let Some((first, length)) = put.body else { return };
    let end = first.checked_add(length).expect("it ends somewhere");
    assert!(put.total.is_none_or(|total| end <= total), "past the end");
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if let Some(announced) = announced {
        assert_eq!(announced.parse(), Ok(length), "the body is what the range says");
    }
}

/// A form gives what is in it, and nothing twice. The type is the first line.
pub(super) fn form(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (Ok(kind), body) =
        (std::str::from_utf8(&bytes[..at]), bytes.get(at + 1..).unwrap_or_default())
    else {
        return;
    };
    let limits = config::Limits { max_file_size: 4096, ..config::Limits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime starts");
    let read = runtime.block_on(uploads_api::fuzzed::form(kind, body.to_vec(), &limits));
    let Some(fields) = read else { return };
    let mut rest = body;
    for field in fields {
        if field.name == "video" {
            assert!(field.bytes.len() <= 4096, "a video over the limit");
        }
        let found = (0..=rest.len() - field.bytes.len().min(rest.len()))
            .find(|at| rest[*at..].starts_with(&field.bytes));
        let found = found.expect("a field's bytes are the body's, in order");
        rest = &rest[found + field.bytes.len()..];
    }
}

/// Arguments are read, or refused with the name of one; a session that is begun holds every byte
/// once, under a name that leads nowhere. The first line is the credentials.
pub(super) fn chunked_session(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    if let Some(credentials) = chunked_sessions::fuzzed::credentials(&bytes[..at]) {
        assert!(!credentials.as_bytes().contains(&b'\n'), "a second header");
    }
    let args = serde_json::from_slice(bytes.get(at + 1..).unwrap_or_default());
    let Ok(serde_json::Value::Object(args)) = args else { return };
    let (refused, begun) = chunked_sessions::fuzzed::arguments(&args);
    assert!(refused.iter().all(|refusal| refusal.0.field.is_some()), "the wrong one is named");
    if let Some(begun) = begun {
        let (size, count) = (begun.chunk, u64::from(begun.chunks));
        assert!(size * count >= begun.total, "{count} of {size}");
        assert!(size * (count - 1) < begun.total, "{count} of {size}");
        let name = begun.name;
        assert!(!name.contains(['/', '\\', '\n', '\0']), "{name:?}");
    }
}
