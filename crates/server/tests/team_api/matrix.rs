//! Every function × everyone who may call it, from the table of functions itself: a function without
//! a row here fails the test, and so does one that lets in or keeps out anyone against its `Access`.

use std::collections::BTreeSet;

use dailies_server::team_api::functions::{Access, FUNCTIONS};
use serde_json::{Value, json};

use crate::harness::{Client, Server, text};
use crate::people::{People, STRANGER};

/// What a caller is, beside the key in their call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Of(&'static str),
    Stranger,
    Nobody,
    /// A key that was revoked.
    Revoked,
    /// By a key of the owner's whose time is over.
    Expired,
    /// No key of ours, and no token of anyone.
    Nonsense,
}

const CALLERS: [Who; 9] = [
    Who::Stranger,
    Who::Nobody,
    Who::Revoked,
    Who::Expired,
    Who::Nonsense,
    Who::Of("viewer"),
    Who::Of("member"),
    Who::Of("admin"),
    Who::Of("owner"),
];

/// What must come back: the code of the refusal, `401`, or `passed` where the function itself spoke.
fn expected(access: Access, who: Who) -> &'static str {
    match (who, access) {
        (Who::Revoked | Who::Expired | Who::Nonsense, _) => "401",
        (_, Access::Anyone) => "passed",
        (Who::Nobody, Access::User | Access::Role(_)) => "unauthenticated",
        (_, Access::User) => "passed",
        (Who::Stranger, Access::Role(_)) => "not_found",
        (Who::Of(role), Access::Role(needed)) => {
            let role = serde_json::from_value(json!(role)).unwrap();
            if needed <= role { "passed" } else { "forbidden" }
        }
    }
}

/// What has nothing to do with who calls: these a function says once it let the caller in.
const SPOKE: [&str; 4] = ["not_ready", "no_upload", "wrong_state", "storage_unavailable"];

/// By a key, which is of one team, nobody makes a team.
const NOT_BY_KEY: [&str; 1] = ["teams:create"];

async fn outcome(client: &Client, kind: &str, name: &str, args: &Value) -> String {
    let body = json!({"path": name, "args": args, "format": "json"});
    let mut request = client.http.post(format!("{}/api/{kind}", client.url)).json(&body);
    if let Some(key) = &client.key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await.unwrap();
    if answer.status() != 200 {
        return answer.status().as_u16().to_string();
    }
    let answer: Value = answer.json().await.unwrap();
    match answer["status"].as_str() {
        Some("success") => "passed".to_owned(),
        _ => match answer["errorData"]["code"].as_str().unwrap() {
            code if SPOKE.contains(&code) => "passed".to_owned(),
            code => code.to_owned(),
        },
    }
}

/// Things of the first team to act on, new at each call.
struct Things<'a> {
    server: &'a Server,
    owner: Client,
}

impl Things<'_> {
    async fn video(&self) -> String {
        let args = json!({
            "projectId": self.server.credentials.project_id, "title": "t",
            "fileSize": 9 << 20, "contentType": "video/mp4",
        });
        text(&self.owner.mutation("videos:create", args).await.unwrap())
    }

    async fn project(&self) -> String {
        let args = json!({"teamId": self.server.credentials.team_id, "name": "p"});
        text(&self.owner.mutation("projects:create", args).await.unwrap())
    }

    async fn link(&self) -> (String, String) {
        let video = self.video().await;
        let args = json!({"videoId": video, "allowDownload": true});
        let token = self.owner.mutation("shareLinks:create", args).await.unwrap();
        let links = self.owner.query("shareLinks:list", json!({"videoId": video})).await.unwrap();
        (text(&links[0]["_id"]), text(&token["token"]))
    }

    async fn grant(&self) -> String {
        let args = json!({"token": self.link().await.1});
        let issued = self.owner.mutation("shareLinks:issueAccessGrant", args).await.unwrap();
        text(&issued["grantToken"])
    }

    async fn invitation(&self) -> String {
        let team = &self.server.credentials.team_id;
        let args = json!({"teamId": team, "email": "new@studio.example", "role": "viewer"});
        text(&self.owner.mutation("teams:inviteMember", args).await.unwrap())
    }

    async fn key(&self) -> String {
        let team = &self.server.credentials.team_id;
        let args = json!({"teamId": team, "name": "k", "role": "viewer"});
        let made = self.owner.mutation("apiKeys:create", args).await.unwrap();
        text(&made["_id"])
    }

    /// Arguments that lead to the first team, or open what anyone may open.
    async fn args(&self, name: &str) -> Option<Value> {
        let team = &self.server.credentials.team_id;
        let root = &self.server.credentials.project_id;
        let video = async || json!({"videoId": self.video().await});
        let public = async || {
            let row = self.server.get(&self.video().await).await;
            json!({"publicId": row["publicId"]})
        };
        let upload = async || {
            let mut args = video().await;
            args["filename"] = "f.mp4".into();
            args["fileSize"] = (9 << 20).into();
            args["contentType"] = "video/mp4".into();
            args
        };
        let with = |mut args: Value, field: &str, value: Value| {
            args[field] = value;
            args
        };
        Some(match name {
            "projects:listUploadTargets" | "teams:list" | "teams:listWithProjects" => json!({}),
            "projects:list" => json!({"teamId": team}),
            "projects:create" => json!({"teamId": team, "name": "p"}),
            "projects:listChildren" | "projects:get" | "projects:breadcrumb" => {
                json!({"projectId": root})
            }
            "projects:update" => json!({"projectId": self.project().await, "name": "q"}),
            "projects:move" => json!({"projectId": self.project().await, "newParentId": root}),
            "projects:remove" => json!({"projectId": self.project().await}),
            "teams:create" => json!({"name": "Another"}),
            "projects:listForMove"
            | "teams:get"
            | "teams:getMembers"
            | "teams:getInvites"
            | "teams:leave" => {
                json!({"teamId": team})
            }
            "teams:getBySlug" => json!({"slug": "my-team"}),
            "teams:update" => json!({"teamId": team, "name": "Ours"}),
            "teams:updateMemberRole" => {
                json!({"teamId": team, "membershipId": "target", "role": "viewer"})
            }
            "teams:removeMember" => json!({"teamId": team, "membershipId": "target"}),
            "teams:inviteMember" => {
                json!({"teamId": team, "email": "a@b.example", "role": "viewer"})
            }
            "teams:getInviteByToken" | "teams:acceptInvite" => {
                json!({"token": self.invitation().await})
            }
            "teams:revokeInvite" => {
                self.invitation().await;
                let open = self.owner.query("teams:getInvites", json!({"teamId": team})).await;
                json!({"teamId": team, "inviteId": open.unwrap()[0]["_id"]})
            }
            "apiKeys:create" => json!({"teamId": team, "name": "k", "role": "viewer"}),
            "apiKeys:list" => json!({"teamId": team}),
            "apiKeys:revoke" => json!({"keyId": self.key().await}),
            "videos:create" => json!({"projectId": root, "title": "t"}),
            "videos:createVersion" => json!({"sourceVideoId": self.video().await}),
            "videos:list" => {
                json!({"projectId": root, "paginationOpts": {"numItems": 1, "cursor": null}})
            }
            "videos:update" => with(video().await, "title", "u".into()),
            "videos:setVisibility" => with(video().await, "visibility", "private".into()),
            "videos:move" => with(video().await, "projectId", self.project().await.into()),
            "videos:get"
            | "videos:listVersions"
            | "videos:remove"
            | "videos:getPublicIdByVideoId"
            | "shareLinks:list"
            | "shareLinks:create"
            | "videoActions:getPlaybackUrl"
            | "videoActions:getPlaybackSession"
            | "videoActions:getOriginalPlaybackUrl"
            | "videoActions:getDownloadUrl"
            | "videoActions:checkMuxAssetStatus"
            | "videoActions:getUploadUrl"
            | "videoActions:abortVideoUpload"
            | "videoActions:markUploadComplete"
            | "videoActions:markUploadFailed" => video().await,
            "videos:getByPublicId"
            | "videos:listPublicVersions"
            | "videoActions:getPublicPlaybackSession" => public().await,
            // The one that refuses what is not public yet as if it were not there.
            "videoActions:getPublicDownloadUrl" => public().await,
            "videos:getByShareGrant"
            | "videoActions:getSharedPlaybackSession"
            | "videoActions:getSharedDownloadUrl" => json!({"grantToken": self.grant().await}),
            "shareLinks:getByToken" | "shareLinks:issueAccessGrant" => {
                json!({"token": self.link().await.1})
            }
            "shareLinks:remove" => json!({"linkId": self.link().await.0}),
            "shareLinks:update" => {
                json!({"linkId": self.link().await.0, "allowDownload": false})
            }
            "videoActions:initiateVideoUpload" => upload().await,
            "videoActions:signUploadParts" => with(video().await, "partNumbers", json!([1])),
            "videoActions:completeMultipartUpload" => with(video().await, "parts", json!([])),
            _ => return None,
        })
    }
}

#[tokio::test]
async fn every_function_asks_who_calls() {
    let server = Server::start().await;
    let people = People::come(&server);
    people.key("revoked", "owner", &server.credentials.team_id, "owner");
    let revoke = "UPDATE api_keys SET revoked_at = 1 WHERE id = 'revoked'";
    people.database().execute(revoke, []).unwrap();
    people.key("expired", "owner", &server.credentials.team_id, "owner");
    let expire = "UPDATE api_keys SET expires_at = 1 WHERE id = 'expired'";
    people.database().execute(expire, []).unwrap();
    let things = Things { server: &server, owner: server.client.clone() };
    let mut without_arguments = BTreeSet::new();
    let mut wrong = Vec::new();
    for function in FUNCTIONS {
        for who in CALLERS {
            let Some(args) = things.args(function.name).await else {
                without_arguments.insert(function.name);
                break;
            };
            let client = match who {
                Who::Of(name) => people.client(name),
                Who::Stranger => people.client(STRANGER),
                Who::Nobody => people.nobody(),
                Who::Revoked => people.client("revoked"),
                Who::Expired => people.client("expired"),
                Who::Nonsense => {
                    Client { key: Some("eyJhbGciOiJub25lIn0.e30.".into()), ..people.nobody() }
                }
            };
            let kind = function.kind.endpoint();
            let found = outcome(&client, kind, function.name, &args).await;
            let mut expected = expected(function.access, who);
            if expected == "passed" && NOT_BY_KEY.contains(&function.name) {
                expected = "forbidden";
            }
            if found != expected {
                wrong.push(format!("{} by {who:?}: {found}, not {expected}", function.name));
            }
            people.restore();
        }
    }
    assert!(without_arguments.is_empty(), "no arguments are known for {without_arguments:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop().await;
}
