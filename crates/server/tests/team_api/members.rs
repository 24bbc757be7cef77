//! Members, their roles, and invitations.

use serde_json::{Value, json};

use crate::harness::{Server, text};
use crate::people::{People, STRANGER, refusal};

async fn roles(server: &Server) -> Vec<(String, String)> {
    let team = json!({"teamId": server.credentials.team_id});
    let members = server.client.query("teams:getMembers", team).await.unwrap();
    let mut roles: Vec<_> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (text(&member["userClerkId"]), text(&member["role"])))
        .collect();
    roles.sort();
    roles
}

#[tokio::test]
async fn nobody_gives_or_takes_a_role_above_their_own() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = &server.credentials.team_id;
    let set = async |by: &str, of: &str, role: &str| {
        let args = json!({"teamId": team, "membershipId": of, "role": role});
        people.client(by).mutation("teams:updateMemberRole", args).await
    };
    let invite = async |by: &str, role: &str| {
        let args = json!({"teamId": team, "email": "x@y.example", "role": role});
        people.client(by).mutation("teams:inviteMember", args).await
    };
    let forbidden = ("forbidden".to_owned(), "role".to_owned());
    for (by, of, role) in [("admin", "target", "owner"), ("admin", "owner", "viewer")] {
        assert_eq!(refusal(set(by, of, role).await), forbidden, "{by} {of} {role}");
    }
    assert_eq!(refusal(invite("admin", "owner").await), forbidden);
    let remove = json!({"teamId": team, "membershipId": "owner"});
    let removed = people.client("admin").mutation("teams:removeMember", remove).await;
    assert_eq!(refusal(removed), forbidden);
    assert_eq!(set("admin", "target", "admin").await.unwrap(), Value::Null);
    assert_eq!(set("owner", "target", "owner").await.unwrap(), Value::Null);
    invite("owner", "owner").await.unwrap();
    let unknown = ("not_found".to_owned(), "membershipId".to_owned());
    assert_eq!(refusal(set("owner", STRANGER, "viewer").await), unknown);
    let own = json!({"teamId": team, "membershipId": "admin"});
    let own = people.client("admin").mutation("teams:removeMember", own).await;
    assert_eq!(refusal(own), ("invalid_argument".into(), "membershipId".into()));
    let nonsense = set("owner", "target", "king").await;
    assert_eq!(refusal(nonsense), ("invalid_argument".into(), "role".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_removed_members_keys_stop_at_once() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = json!({"teamId": server.credentials.team_id});
    let member = people.client("member");
    member.query("teams:get", team.clone()).await.unwrap();
    let remove = json!({"teamId": server.credentials.team_id, "membershipId": "member"});
    people.client("admin").mutation("teams:removeMember", remove).await.unwrap();
    let url = format!("{}/api/query", server.app.url());
    let call = member.http.post(url).bearer_auth(member.key.as_ref().unwrap()).body("{}");
    assert_eq!(call.send().await.unwrap().status(), 401);
    server.stop().await;
}

/// All owners take each other's ownership, and leave, at once: one stays, whoever was last.
#[tokio::test]
async fn a_team_keeps_an_owner() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    let first = roles(&server).await.into_iter().find(|(_, role)| role == "owner").unwrap();
    assert_ne!(first.0, "owner", "the founder comes first");
    let owners = ["owner", "admin", "target"];
    for user in owners {
        // Their own keys may less than an owner.
        people.key(&format!("{user}-whole"), user, &team, "owner");
    }
    for round in 0..10 {
        people.restore();
        for user in ["admin", "target"] {
            let args = json!({"teamId": team, "membershipId": user, "role": "owner"});
            people.client("owner").mutation("teams:updateMemberRole", args).await.unwrap();
        }
        let founder = json!({"teamId": team, "membershipId": first.0, "role": "viewer"});
        people.client("owner").mutation("teams:updateMemberRole", founder).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for (at, by) in owners.into_iter().enumerate() {
            let (client, team) = (people.client(&format!("{by}-whole")), team.clone());
            let of = owners[(at + 1) % owners.len()];
            let again = client.clone();
            let args = json!({"teamId": team, "membershipId": of, "role": "member"});
            tasks.spawn(async move { client.mutation("teams:updateMemberRole", args).await });
            let leave = json!({"teamId": team});
            tasks.spawn(async move { again.mutation("teams:leave", leave).await });
        }
        while tasks.join_next().await.is_some() {}
        let sql = "SELECT count(*) FROM members WHERE team_id = ?1 AND role = 'owner'";
        let left: u32 = people.database().query_row(sql, [&team], |row| row.get(0)).unwrap();
        assert!(left >= 1, "round {round}: no owner is left");
        let sql = "INSERT INTO members (team_id, user_id, role) VALUES (?1, ?2, 'owner')
                   ON CONFLICT (team_id, user_id) DO UPDATE SET role = 'owner'";
        people.database().execute(sql, [&team, &first.0]).unwrap();
        // Whoever has left has no key any more; the next round needs them all.
        let sql = "UPDATE api_keys SET revoked_at = NULL WHERE team_id = ?1";
        people.database().execute(sql, [&team]).unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    // The founder's key is the server's own client.
    people.client("owner").mutation("teams:leave", json!({"teamId": team})).await.unwrap();
    let leave = server.client.mutation("teams:leave", json!({"teamId": team})).await;
    assert_eq!(refusal(leave).0, "wrong_state");
    let founder = roles(&server).await.into_iter().find(|(_, role)| role == "owner").unwrap().0;
    let args = json!({"teamId": team, "membershipId": founder, "role": "admin"});
    let lower = server.client.mutation("teams:updateMemberRole", args).await;
    assert_eq!(refusal(lower).0, "wrong_state");
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_may_less_than_its_user_does_not_leave_for_them() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    people.key("small", "member", &team, "viewer");
    let leave = people.client("small").mutation("teams:leave", json!({"teamId": team})).await;
    assert_eq!(refusal(leave).0, "forbidden");
    people.client("member").mutation("teams:leave", json!({"teamId": team})).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn an_invitation_lets_one_in() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    let invite = json!({"teamId": team, "email": " New@Studio.Example", "role": "member"});
    let token = people.client("admin").mutation("teams:inviteMember", invite.clone()).await;
    let token = text(&token.unwrap());
    let seen = people.nobody().query("teams:getInviteByToken", json!({"token": token})).await;
    let seen = seen.unwrap();
    assert_eq!(seen["team"]["slug"], "my-team");
    assert_eq!((&seen["email"], &seen["role"]), (&"new@studio.example".into(), &"member".into()));
    let open = people.client("admin").query("teams:getInvites", json!({"teamId": team})).await;
    let open = open.unwrap();
    assert_eq!(open[0]["invitedByName"], "admin");
    assert!(!open.to_string().contains(&token), "the token is said once");

    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..50 {
        let name = format!("guest{at}");
        let sql = "INSERT INTO users (id, name, created_at) VALUES (?1, ?1, 0)";
        people.database().execute(sql, [&name]).unwrap();
        // A key is good as long as its user is in its team.
        let sql = "INSERT INTO members VALUES ('other', ?1, 'viewer')";
        people.database().execute(sql, [&name]).unwrap();
        people.key(&name, &name, "other", "owner");
        let (client, token) = (people.client(&name), token.clone());
        tasks.spawn(
            async move { client.mutation("teams:acceptInvite", json!({"token": token})).await },
        );
    }
    let mut accepted = 0;
    while let Some(answer) = tasks.join_next().await {
        match answer.unwrap() {
            Ok(joined) => {
                assert_eq!((&joined["_id"], &joined["role"]), (&json!(team), &json!("member")));
                accepted += 1;
            }
            error => assert_eq!(refusal(error), ("not_found".into(), "token".into())),
        }
    }
    assert_eq!(accepted, 1);
    let guests = roles(&server).await.iter().filter(|(user, _)| user.starts_with("guest")).count();
    assert_eq!(guests, 1);
    let seen = people.nobody().query("teams:getInviteByToken", json!({"token": token})).await;
    assert_eq!(seen.unwrap(), Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn an_invitation_ends() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    let invite = async |by: &str, email: &str| {
        let args = json!({"teamId": team, "email": email, "role": "admin"});
        text(&people.client(by).mutation("teams:inviteMember", args).await.unwrap())
    };
    let accept = async |token: &str| {
        people.client(STRANGER).mutation("teams:acceptInvite", json!({"token": token})).await
    };
    let gone = ("not_found".to_owned(), "token".to_owned());
    // By another invitation of the same address.
    let (first, second) =
        (invite("admin", "a@b.example").await, invite("owner", "A@b.example").await);
    assert_eq!(refusal(accept(&first).await), gone);
    // By its age.
    people.database().execute("UPDATE invitations SET expires_at = 1", []).unwrap();
    assert_eq!(refusal(accept(&second).await), gone);
    // By hand, but not by whoever is less.
    let third = invite("owner", "c@d.example").await;
    let open = people.client("admin").query("teams:getInvites", json!({"teamId": team})).await;
    let args = json!({"teamId": team, "inviteId": open.unwrap()[0]["_id"]});
    people.client("admin").mutation("teams:revokeInvite", args.clone()).await.unwrap();
    assert_eq!(refusal(accept(&third).await), gone);
    let again = people.client("admin").mutation("teams:revokeInvite", args).await;
    assert_eq!(refusal(again), ("not_found".into(), "inviteId".into()));
    // By what became of the inviter.
    let fourth = invite("admin", "e@f.example").await;
    let lower = json!({"teamId": team, "membershipId": "admin", "role": "member"});
    people.client("owner").mutation("teams:updateMemberRole", lower).await.unwrap();
    assert_eq!(refusal(accept(&fourth).await), gone);
    for bad in ["", "nobody", "a b@c"] {
        let args = json!({"teamId": team, "email": bad, "role": "viewer"});
        let bad = people.client("owner").mutation("teams:inviteMember", args).await;
        assert_eq!(refusal(bad), ("invalid_argument".into(), "email".into()));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_sees_its_own_team_only() {
    let server = Server::start().await;
    let people = People::come(&server);
    let team = server.credentials.team_id.clone();
    let join = "INSERT INTO members (team_id, user_id, role) VALUES ('other', 'member', 'owner')";
    people.database().execute(join, []).unwrap();
    let teams = people.client("member").query("teams:list", json!({})).await.unwrap();
    assert_eq!(teams.as_array().unwrap().len(), 1);
    assert_eq!((&teams[0]["_id"], &teams[0]["role"]), (&json!(team), &json!("member")));
    let other = people.client("member").query("teams:getBySlug", json!({"slug": "other"})).await;
    assert_eq!(refusal(other), ("not_found".into(), "slug".into()));
    assert_eq!(people.nobody().query("teams:list", json!({})).await.unwrap(), json!([]));
    let rename = json!({"teamId": team, "name": " Harbour "});
    people.client("admin").mutation("teams:update", rename).await.unwrap();
    let with = people.client("viewer").query("teams:listWithProjects", json!({})).await.unwrap();
    assert_eq!((&with[0]["name"], &with[0]["slug"]), (&"Harbour".into(), &"my-team".into()));
    assert_eq!(with[0]["projects"][0]["videoCount"], 0);
    let blank = json!({"teamId": team, "name": "  "});
    let blank = people.client("admin").mutation("teams:update", blank).await;
    assert_eq!(refusal(blank), ("invalid_argument".into(), "name".into()));
    server.stop().await;
}
