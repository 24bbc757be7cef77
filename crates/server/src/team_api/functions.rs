//! Every function by its name: how it is called, whether its answer may be replayed, what it runs.

use std::pin::Pin;
use std::sync::Arc;

use dailies_api::convex::{FunctionCall, FunctionKind, function_name};
use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::caller::Caller;
use super::error::Refusal;
use super::{
    Team, api_keys, argument, completion, idempotency, parts, playback, projects, uploads, videos,
};
use crate::db::idempotency::KeyedCall;

use self::Access::Anyone;
use FunctionKind::{Action, Mutation, Query};
use Replay::{Anew, InTransaction, Kept, Once, Reads};

const VIEWER: Access = Access::Role(Role::Viewer);
const MEMBER: Access = Access::Role(Role::Member);
const ADMIN: Access = Access::Role(Role::Admin);

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
    /// The answer is shown once and kept nowhere. The call is kept in the transaction of the change
    /// itself, and refused when it comes again.
    Once,
    /// The first answer is kept after it was given; until then the function is safe to repeat.
    Kept,
    /// The answer holds addresses that expire and open something. They are made anew for the same
    /// upload, and never enter the database; only the call is kept, so that another is refused.
    Anew,
}

type Run = fn(Call) -> Pin<Box<dyn Future<Output = Result<Value, Refusal>> + Send>>;

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever knows what its arguments ask for; strangers find nothing.
    Anyone,
    /// Any user; what it answers is the user's own.
    User,
    /// Who is at least this in the team that the arguments lead to.
    Role(Role),
}

/// One function of the team API.
pub struct Function {
    /// `module:function`.
    pub name: &'static str,
    /// Which of the three addresses it is called at.
    pub kind: FunctionKind,
    /// Who may call it. The function itself checks the role, in the team of what it touches.
    pub access: Access,
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
        (Some(key), Caller::User(_)) if function.replay != Replay::Reads => {
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

fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

const fn function(
    name: &'static str,
    kind: FunctionKind,
    access: Access,
    replay: Replay,
    run: Run,
) -> Function {
    Function { name, kind, access, replay, run }
}

/// A function's item as a pointer to what boxes its future.
macro_rules! run {
    ($run:path) => {
        |call| Box::pin($run(call))
    };
}

/// All there are.
#[rustfmt::skip]
pub static FUNCTIONS: &[Function] = &[
    function("projects:listUploadTargets", Query, Anyone, Reads, run!(projects::list_upload_targets)),
    function("videos:create", Mutation, MEMBER, InTransaction, run!(videos::create)),
    function("videos:get", Query, VIEWER, Reads, run!(videos::get)),
    function("videos:list", Query, VIEWER, Reads, run!(videos::list)),
    function("videoActions:getUploadUrl", Action, MEMBER, Anew, run!(uploads::get_upload_url)),
    function("videoActions:initiateVideoUpload", Action, MEMBER, Anew, run!(uploads::initiate)),
    function("videoActions:signUploadParts", Action, MEMBER, Anew, run!(parts::sign)),
    function("videoActions:completeMultipartUpload", Action, MEMBER, Kept, run!(parts::complete)),
    function("videoActions:abortVideoUpload", Action, MEMBER, Kept, run!(completion::abort)),
    function("videoActions:markUploadComplete", Action, MEMBER, Kept, run!(completion::mark_complete)),
    function("videoActions:markUploadFailed", Action, MEMBER, Kept, run!(completion::mark_failed)),
    function("videoActions:checkMuxAssetStatus", Action, VIEWER, Anew, run!(playback::check_asset)),
    function("videoActions:getPlaybackUrl", Action, VIEWER, Anew, run!(playback::session)),
    function("videoActions:getPlaybackSession", Action, VIEWER, Anew, run!(playback::session)),
    function("videoActions:getPublicPlaybackSession", Action, Anyone, Anew, run!(playback::public_session)),
    function("videoActions:getOriginalPlaybackUrl", Action, MEMBER, Anew, run!(playback::original)),
    function("videoActions:getDownloadUrl", Action, VIEWER, Anew, run!(playback::download)),
    function("apiKeys:create", Mutation, ADMIN, Once, run!(api_keys::create)),
    function("apiKeys:list", Query, ADMIN, Reads, run!(api_keys::list)),
    function("apiKeys:revoke", Mutation, ADMIN, Kept, run!(api_keys::revoke)),
];
