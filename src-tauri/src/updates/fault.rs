//! What the updater's errors mean to somebody who wants a newer version.

use tauri_plugin_updater::Error;

use super::view::UpdateFault;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Asking for newer versions.
    Asking,
    /// Getting one here.
    Downloading,
    /// Putting it in the place of this one.
    Installing,
}

/// Judges an error, and writes it into the log without the address in it, which may open something.
#[must_use]
pub(crate) fn judge(error: Error, doing: Doing) -> UpdateFault {
    let fault = meaning(&error, doing);
    let error = match error {
        Error::Reqwest(error) => Error::Reqwest(error.without_url()),
        other => other,
    };
    tracing::warn!(%error, ?doing, ?fault, "nothing came of an update");
    fault
}

fn meaning(error: &Error, doing: Doing) -> UpdateFault {
    match error {
        Error::Minisign(_)
        | Error::Base64(_)
        | Error::SignatureUtf8(_)
        | Error::SignedVersionMismatch { .. }
        | Error::MissingSignedVersion => UpdateFault::NotGenuine,
        Error::InsecureTransportProtocol => UpdateFault::Insecure,
        Error::Reqwest(error) if error.url().is_some_and(|url| url.scheme() != "https") => {
            UpdateFault::Insecure
        }
        Error::Reqwest(error) if error.is_decode() && doing == Doing::Asking => {
            UpdateFault::Unintelligible
        }
        Error::Reqwest(_) | Error::Network(_) | Error::ReleaseNotFound => match doing {
            Doing::Asking => UpdateFault::Unreachable,
            Doing::Downloading | Doing::Installing => UpdateFault::CutOff,
        },
        _ => match doing {
            Doing::Asking | Doing::Downloading => UpdateFault::Unintelligible,
            Doing::Installing => UpdateFault::NotInstalled,
        },
    }
}
