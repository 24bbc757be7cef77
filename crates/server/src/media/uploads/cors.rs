//! Who may send from a browser: the one origin that the upload was made for.
//!
//! Source: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue};

/// Adds what lets a page at the upload's origin read the answer.
pub(super) fn allow(answer: &mut HeaderMap, cors_origin: Option<&str>, request: &HeaderMap) {
    answer.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = allowed(cors_origin, request) else { return };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Range, Retry-After"));
}

/// Adds what lets such a page ask in the first place. The address is the only key, so that headers
/// of the page's own do no harm.
pub(super) fn allow_before(answer: &mut HeaderMap, cors_origin: Option<&str>, request: &HeaderMap) {
    if allowed(cors_origin, request).is_none() {
        return;
    }
    let headers = request
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned()
        .unwrap_or(HeaderValue::from_static("content-type, content-range"));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("PUT"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
}

fn allowed(cors_origin: Option<&str>, request: &HeaderMap) -> Option<HeaderValue> {
    let origin = request.get(ORIGIN)?;
    match cors_origin? {
        "*" => Some(HeaderValue::from_static("*")),
        // An origin has no path, but people write the slash.
        one => (one.trim_end_matches('/').as_bytes() == origin.as_bytes()).then(|| origin.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_origin_is_let_in() {
        for (named, origin, let_in) in [
            (Some("https://a.test"), Some("https://a.test"), Some("https://a.test")),
            (Some("https://a.test/"), Some("https://a.test"), Some("https://a.test")),
            (Some("*"), Some("https://a.test"), Some("*")),
            (Some("https://a.test"), Some("https://a.test.evil"), None),
            (Some("https://a.test"), Some("http://a.test"), None),
            (Some("https://a.test"), Some("null"), None),
            (Some("https://a.test"), None, None),
            (None, Some("https://a.test"), None),
        ] {
            let mut request = HeaderMap::new();
            if let Some(origin) = origin {
                request.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let mut answer = HeaderMap::new();
            allow(&mut answer, named, &request);
            allow_before(&mut answer, named, &request);
            let says = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(HeaderValue::as_bytes);
            assert_eq!(says, let_in.map(str::as_bytes), "{named:?} {origin:?}");
            assert_eq!(answer.contains_key(ACCESS_CONTROL_ALLOW_METHODS), let_in.is_some());
            assert_eq!(answer[VARY], "Origin");
        }
    }
}
