//! HTTP clients, what may be talked to, what an answer means, and addresses that must not be seen.
//!
//! Must not know: phases.

mod clients;
mod dial;
mod payload;
mod resumable;
mod signed_url;
mod storage_answer;

pub use clients::{Clients, NetOptions};
pub(crate) use dial::losses;
pub(crate) use payload::{Payload, put_body, send_body};
pub(crate) use resumable::{Standing, put_range, standing};
pub use signed_url::SignedUrl;
pub use storage_answer::PutAnswer;
pub(crate) use storage_answer::{put_answer, refused, retry_after};

use std::error::Error;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Response, StatusCode};

use crate::transfer::Failure;

/// What this program calls itself to whoever it talks to.
pub(crate) const AGENT: &str = concat!("Dailies/", env!("CARGO_PKG_VERSION"));

/// What a failed request means. The address, which may be presigned, is left out of the words.
pub(crate) fn transport(error: reqwest::Error) -> Failure {
    broken(&error.without_url())
}

/// What a broken connection means, whose error knows no address.
fn broken(error: &(dyn Error + 'static)) -> Failure {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(tls) = tls(cause) {
            return Failure::Transport(tls);
        }
        words = cause.to_string();
        source = cause.source();
    }
    Failure::Transport(words)
}

/// What is wrong with a secure connection. It may be a network in between, so it is waited out.
fn tls(cause: &(dyn Error + 'static)) -> Option<String> {
    // An I/O error's own source skips what it wraps.
    let mut inside = cause;
    while let Some(wrapped) =
        inside.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
    {
        inside = wrapped;
    }
    Some(match inside.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => {
            format!("this computer does not trust its certificate ({why})")
        }
        rustls::Error::InvalidMessage(_) => "it answers without TLS; is it http://?".into(),
        other => format!("no secure connection comes about ({other})"),
    })
}

/// A success or a redirect that is a web page. No API and no storage answers with one, the sign-in
/// page of a network does (RFC 8910 describes such networks; 511 is RFC 6585's word for them).
pub(crate) fn is_portal(response: &Response) -> bool {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_page = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
    let leads_away = status.is_redirection() && header(LOCATION).is_some();
    status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED
        || (status.is_success() && is_page)
        || (leads_away && (is_page || header(CONTENT_TYPE).is_none()))
}
