//! HTTP clients, what may be talked to, what an answer means, and addresses that must not be seen.
//!
//! Must not know: phases.

mod clients;
mod payload;
mod signed_url;
mod storage_answer;

pub use clients::{Clients, NetOptions};
pub(crate) use payload::{put_body, send_body};
pub use signed_url::SignedUrl;
pub use storage_answer::PutAnswer;
pub(crate) use storage_answer::{put_answer, retry_after};

use crate::transfer::Failure;

/// What a failed request means. The address, which may be presigned, is left out of the words.
pub(crate) fn transport(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    Failure::Transport(words)
}
