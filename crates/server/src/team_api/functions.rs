//! Every function by its name: how it is called, whether its answer may be replayed, what it runs.

use std::net::IpAddr;
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
    Team, api_keys, argument, completion, grants, idempotency, invitations, members, originals,
    parts, playback, project_tree, projects, public, share_links, shared, teams, uploads, versions,
    video_changes, videos,
};
use crate::db::idempotency::KeyedCall;

use self::Access::{Anyone, User};
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
    /// Where the call came from, as far as that is known.
    pub(crate) address: Option<IpAddr>,
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
    address: Option<IpAddr>,
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
            let run = |keyed| {
                (function.run)(Call { team: Arc::clone(&team), caller, keyed, address, args })
            };
            idempotency::once(&team, function.replay, keyed, run).await
        }
        None => (function.run)(Call { team, caller, keyed: None, address, args }).await,
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
    function("videoActions:getPublicPlaybackSession", Action, Anyone, Anew, run!(public::session)),
    function("videoActions:getOriginalPlaybackUrl", Action, MEMBER, Anew, run!(originals::play)),
    function("videoActions:getDownloadUrl", Action, VIEWER, Anew, run!(originals::download)),
    function("videoActions:getPublicDownloadUrl", Action, Anyone, Anew, run!(originals::public_download)),
    function("videoActions:getSharedDownloadUrl", Action, Anyone, Anew, run!(originals::shared_download)),
    function("videoActions:getSharedPlaybackSession", Action, Anyone, Anew, run!(shared::session)),
    function("videos:createVersion", Mutation, MEMBER, InTransaction, run!(versions::create)),
    function("videos:listVersions", Query, VIEWER, Reads, run!(versions::list)),
    function("videos:update", Mutation, MEMBER, Anew, run!(video_changes::update)),
    function("videos:setVisibility", Mutation, MEMBER, Anew, run!(video_changes::set_visibility)),
    function("videos:move", Mutation, MEMBER, Anew, run!(video_changes::move_to)),
    function("videos:remove", Mutation, ADMIN, InTransaction, run!(video_changes::remove)),
    function("videos:getByPublicId", Query, Anyone, Reads, run!(public::video)),
    function("videos:listPublicVersions", Query, Anyone, Reads, run!(public::list_versions)),
    function("videos:getPublicIdByVideoId", Query, Anyone, Reads, run!(public::id_of)),
    function("videos:getByShareGrant", Query, Anyone, Reads, run!(shared::video)),
    function("shareLinks:create", Mutation, MEMBER, InTransaction, run!(share_links::create)),
    function("shareLinks:list", Query, VIEWER, Reads, run!(share_links::list)),
    function("shareLinks:update", Mutation, MEMBER, Anew, run!(share_links::update)),
    function("shareLinks:remove", Mutation, MEMBER, InTransaction, run!(share_links::remove)),
    function("shareLinks:getByToken", Query, Anyone, Reads, run!(grants::by_token)),
    function("shareLinks:issueAccessGrant", Mutation, Anyone, Anew, run!(grants::issue)),
    function("teams:list", Query, Anyone, Reads, run!(teams::list)),
    function("teams:listWithProjects", Query, Anyone, Reads, run!(teams::list_with_projects)),
    function("teams:get", Query, VIEWER, Reads, run!(teams::get)),
    function("teams:getBySlug", Query, VIEWER, Reads, run!(teams::get_by_slug)),
    function("teams:create", Mutation, User, InTransaction, run!(teams::create)),
    function("teams:update", Mutation, ADMIN, Anew, run!(teams::update)),
    function("teams:getMembers", Query, VIEWER, Reads, run!(members::list)),
    function("teams:updateMemberRole", Mutation, ADMIN, Anew, run!(members::update_role)),
    function("teams:removeMember", Mutation, ADMIN, InTransaction, run!(members::remove)),
    function("teams:leave", Mutation, VIEWER, InTransaction, run!(members::leave)),
    function("teams:inviteMember", Mutation, ADMIN, Anew, run!(invitations::invite)),
    function("teams:getInvites", Query, ADMIN, Reads, run!(invitations::list)),
    function("teams:revokeInvite", Mutation, ADMIN, InTransaction, run!(invitations::revoke)),
    function("teams:getInviteByToken", Query, Anyone, Reads, run!(invitations::by_token)),
    function("teams:acceptInvite", Mutation, User, InTransaction, run!(invitations::accept)),
    function("projects:list", Query, VIEWER, Reads, run!(project_tree::list)),
    function("projects:listChildren", Query, VIEWER, Reads, run!(project_tree::children)),
    function("projects:get", Query, VIEWER, Reads, run!(project_tree::get)),
    function("projects:breadcrumb", Query, VIEWER, Reads, run!(project_tree::breadcrumb)),
    function("projects:listForMove", Query, VIEWER, Reads, run!(project_tree::list_for_move)),
    function("projects:create", Mutation, MEMBER, InTransaction, run!(project_tree::create)),
    function("projects:update", Mutation, MEMBER, Anew, run!(project_tree::update)),
    function("projects:move", Mutation, MEMBER, Anew, run!(project_tree::move_to)),
    function("projects:remove", Mutation, ADMIN, InTransaction, run!(project_tree::remove)),
    function("apiKeys:create", Mutation, ADMIN, Once, run!(api_keys::create)),
    function("apiKeys:list", Query, ADMIN, Reads, run!(api_keys::list)),
    function("apiKeys:revoke", Mutation, ADMIN, Kept, run!(api_keys::revoke)),
];
