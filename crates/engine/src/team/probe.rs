//! Finding out what answers at an address, by questions that change nothing there.

use dailies_api::chunked_sessions::{EXCEPTION, Exception, SessionArgs};
use dailies_api::convex::FunctionKind::Query;
use dailies_api::error::ErrorCode;
use dailies_api::projects::{ListUploadTargets, UploadTarget};
use dailies_api::uploads_api::{BASE, Uploads};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::error::{Code, EngineError};
use crate::team::{Api, Caller, Dialect, ProtocolKind, TeamClient, TeamError};
use crate::transfer::Failure;

/// A server that was recognised.
#[derive(Debug)]
pub(super) struct Recognised {
    pub(super) api: Api,
    /// Where the caller may upload to, where the server can say.
    pub(super) targets: Vec<UploadTarget>,
}

/// Asks as what the server at the caller's address answers; of several kinds, the first of
/// [`ProtocolKind::ALL`]. A `kind` that is given is the only one that is asked for.
///
/// # Errors
/// [`Code::SignedOut`] and [`Code::Forbidden`] by the server's own word, [`Code::Unreachable`],
/// [`Code::ServerFault`], and [`Code::NotATeamServer`] for what answers as none of the kinds.
pub(super) async fn recognise(
    caller: &Caller,
    kind: Option<ProtocolKind>,
) -> Result<Recognised, EngineError> {
    let kinds = kind.map_or(ProtocolKind::ALL.to_vec(), |kind| vec![kind]);
    if let Some(found) = first(caller, &kinds).await? {
        return Ok(found);
    }
    let base = caller.base();
    let at = place(base);
    // Addresses are copied from a browser, with the path of some page.
    if base.path() != "/"
        && let Ok(root) = base.join("/")
        && let Ok(Some(_)) = first(&caller.at_base(root.clone()), &kinds).await
    {
        let words =
            format!("nothing answers at {at}, but a server does at {}: use that", place(&root));
        return Err(EngineError::new(Code::NotATeamServer, words));
    }
    let words = match kind {
        Some(kind) => format!("{at} does not speak {}", kind.words()),
        None => {
            let known = ProtocolKind::ALL.map(ProtocolKind::words).join(", ");
            format!("{at} speaks none of what Dailies knows: {known}. Check the address")
        }
    };
    Err(EngineError::new(Code::NotATeamServer, words))
}

async fn first(caller: &Caller, kinds: &[ProtocolKind]) -> Result<Option<Recognised>, EngineError> {
    for kind in kinds {
        let found = match kind {
            ProtocolKind::VideoActions => video_actions(caller).await,
            ProtocolKind::ChunkedSessions => chunked_sessions(caller).await,
            ProtocolKind::MuxDirect => mux_direct(caller).await,
            ProtocolKind::UploadsApi => uploads_api(caller).await,
        };
        match found {
            Ok(Some(found)) => return Ok(Some(found)),
            // What it says is nothing of this kind's.
            Ok(None) | Err(Failure::UnexpectedAnswer(_)) => {}
            Err(failure) => return Err(refusal(caller.base(), failure)),
        }
    }
    Ok(None)
}

async fn video_actions(caller: &Caller) -> Result<Option<Recognised>, Failure> {
    let client = TeamClient::new(caller.clone());
    let (path, args) = ("projects:listUploadTargets", ListUploadTargets::default());
    let (dialect, targets) = match client.call(Query, path, &args).await {
        Ok(targets) => (Dialect::Current, targets),
        // It speaks the protocol, but has no such function.
        Err(TeamError::Function { .. }) => (Dialect::Documented, Vec::new()),
        Err(TeamError::Other(failure)) => return Err(failure),
    };
    Ok(Some(Recognised { api: Api::VideoActions(dialect), targets }))
}

/// Asks for a session that nobody has: numbers begin at one.
async fn chunked_sessions(caller: &Caller) -> Result<Option<Recognised>, Failure> {
    let args = SessionArgs { upload_session_id: 0 };
    let path = "videoUpload/getUploadProgress";
    let answer = caller.ask(Method::POST, path, |request| request.json(&args)).await?;
    match answer.status {
        StatusCode::BAD_REQUEST => {
            let exception = answer.json::<Exception>(path)?;
            let recognised = Recognised { api: Api::ChunkedSessions, targets: Vec::new() };
            Ok((exception.class_name == EXCEPTION).then_some(recognised))
        }
        _ => Err(answer.refusal()),
    }
}

/// Asks for an upload that nobody has.
async fn mux_direct(caller: &Caller) -> Result<Option<Recognised>, Failure> {
    let answer = caller.ask(Method::GET, "upload/none", |request| request).await?;
    match (answer.status, answer.error().map(|error| error.code)) {
        (StatusCode::NOT_FOUND, Some(ErrorCode::NotFound)) => {
            Ok(Some(Recognised { api: Api::MuxDirect, targets: Vec::new() }))
        }
        _ => Err(answer.refusal()),
    }
}

async fn uploads_api(caller: &Caller) -> Result<Option<Recognised>, Failure> {
    let path = format!("{}/uploads", BASE.trim_start_matches('/'));
    let answer = caller.ask(Method::GET, &path, |request| request).await?;
    match answer.status {
        StatusCode::OK => {
            let _: Uploads = answer.json(&path)?;
            Ok(Some(Recognised { api: Api::UploadsApi, targets: Vec::new() }))
        }
        _ => Err(answer.refusal()),
    }
}

/// A failure, for somebody who is waiting for an answer.
pub(super) fn refusal(base: &Url, failure: Failure) -> EngineError {
    let at = place(base);
    match failure {
        Failure::Refused { code, reason } => EngineError::new(code, format!("{at}: {reason}")),
        Failure::Transport(why) => {
            EngineError::new(Code::Unreachable, format!("{at} cannot be reached: {why}"))
        }
        // No network can answer for somebody else's certificate.
        Failure::Portal if base.scheme() == "https" => {
            EngineError::new(Code::NotATeamServer, format!("a web page answers at {at}"))
        }
        Failure::Portal => EngineError::new(
            Code::Unreachable,
            format!(
                "a web page answers in the place of {at}: if this network wants a sign-in, open it \
                 in a browser first; otherwise check the address"
            ),
        ),
        // What knows no such request is no team server with a fault, but another one.
        Failure::ServerFault { status: 501 } => {
            EngineError::new(Code::NotATeamServer, format!("{at} is no team server"))
        }
        Failure::Busy { .. } | Failure::ServerFault { .. } => {
            EngineError::new(Code::ServerFault, format!("{at} has a fault; try again in a while"))
        }
        _ => EngineError::new(Code::NotATeamServer, format!("{at} is no team server")),
    }
}

/// A server's address as people write it.
fn place(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}
