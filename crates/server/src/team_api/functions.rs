//! Every function by its name: how it is called, whether its answer may be replayed, what it runs.

use std::pin::Pin;
use std::sync::Arc;

use dailies_api::convex::{FunctionCall, FunctionKind, function_name};
use dailies_api::error::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::caller::Caller;
use super::error::Refusal;
use super::{Team, argument, completion, idempotency, parts, playback, projects, uploads, videos};
use crate::db::idempotency::KeyedCall;

/// Request header that names a call, so that it can be made again safely.
pub(crate) const KEY_HEADER: &str = "idempotency-key";

/// One call of one function.
pub(crate) struct Call {
    pub(crate) team: Arc<Team>,
    pub(crate) caller: Caller,
    /// Set where the function itself keeps its answer, in its own transaction.
    pub(crate) keyed: Option<KeyedCall>,
    args: Map<String, Value>,
}

impl Call {
    /// The arguments, read strictly.
    pub(crate) fn args<T: DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        argument::parse(std::mem::take(&mut self.args))
    }
}

/// What an `Idempotency-Key` does for a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Nothing: it only reads.
    Reads,
    /// The first answer is kept in the transaction of the change itself.
    InTransaction,
    /// The first answer is kept after it was given; until then the function is safe to repeat.
    Kept,
    /// The answer holds addresses that expire and open something. They are made anew for the same
    /// upload, and never enter the database; only the call is kept, so that another is refused.
    Anew,
}

type Run = fn(Call) -> Pin<Box<dyn Future<Output = Result<Value, Refusal>> + Send>>;

struct Function {
    kind: FunctionKind,
    replay: Replay,
    run: Run,
}

/// Runs the function that a call names.
pub(crate) async fn run(
    team: &Arc<Team>,
    kind: FunctionKind,
    caller: Caller,
    call: FunctionCall,
    idempotency_key: Option<String>,
) -> Result<Value, Refusal> {
    let name = function_name(&call.path);
    let function = find(&name).ok_or_else(|| {
        Refusal::new(ErrorCode::FunctionNotFound, format!("no function `{name}`"))
    })?;
    if function.kind != kind {
        let right = function.kind.endpoint();
        let message = format!("`{name}` is a {right}: call it at /api/{right}");
        return Err(Refusal::new(ErrorCode::FunctionNotFound, message));
    }
    let args = call
        .into_named_args()
        .ok_or_else(|| Refusal::argument("args", "arguments are one object"))?;
    // What anyone may call only reads, and a stranger's keys shall not fill the table.
    let keyed = match (idempotency_key, &caller) {
        (Some(key), Caller::Key(_)) if function.replay != Replay::Reads => {
            Some(idempotency::keyed_call(&caller, key, &name, &args)?)
        }
        _ => None,
    };
    let team = Arc::clone(team);
    match keyed {
        Some(keyed) => {
            let run = |keyed| (function.run)(Call { team: Arc::clone(&team), caller, keyed, args });
            idempotency::once(&team, function.replay, keyed, run).await
        }
        None => (function.run)(Call { team, caller, keyed: None, args }).await,
    }
}

/// The function's own name, where there is one that a path names.
pub(crate) fn known(path: &str) -> Option<String> {
    let name = function_name(path);
    find(&name).map(|_| name.to_string())
}

/// A function's answer as a value.
pub(crate) fn value(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| {
        tracing::error!(%error, "an answer has no JSON form");
        Refusal::internal()
    })
}

fn find(name: &str) -> Option<Function> {
    use FunctionKind::{Action, Mutation, Query};
    use Replay::{Anew, InTransaction, Kept, Reads};

    macro_rules! function {
        ($kind:expr, $replay:expr, $run:path) => {
            Function { kind: $kind, replay: $replay, run: |call| Box::pin($run(call)) }
        };
    }
    Some(match name {
        "projects:listUploadTargets" => function!(Query, Reads, projects::list_upload_targets),
        "videos:create" => function!(Mutation, InTransaction, videos::create),
        "videos:get" => function!(Query, Reads, videos::get),
        "videos:list" => function!(Query, Reads, videos::list),
        "videoActions:getUploadUrl" => function!(Action, Anew, uploads::get_upload_url),
        "videoActions:initiateVideoUpload" => function!(Action, Anew, uploads::initiate),
        "videoActions:signUploadParts" => function!(Action, Anew, parts::sign),
        "videoActions:completeMultipartUpload" => function!(Action, Kept, parts::complete),
        "videoActions:abortVideoUpload" => function!(Action, Kept, completion::abort),
        "videoActions:markUploadComplete" => function!(Action, Kept, completion::mark_complete),
        "videoActions:markUploadFailed" => function!(Action, Kept, completion::mark_failed),
        "videoActions:checkMuxAssetStatus" => function!(Action, Anew, playback::check_asset),
        "videoActions:getPlaybackUrl" => function!(Action, Anew, playback::session),
        "videoActions:getPlaybackSession" => function!(Action, Anew, playback::session),
        "videoActions:getPublicPlaybackSession" => {
            function!(Action, Anew, playback::public_session)
        }
        "videoActions:getOriginalPlaybackUrl" => function!(Action, Anew, playback::original),
        "videoActions:getDownloadUrl" => function!(Action, Anew, playback::download),
        _ => return None,
    })
}
