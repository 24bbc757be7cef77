//! Which user an account at an identity provider is.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::signing::{RSA, changed, claims};
use crate::stand::Stand;

fn token(issuer: &Issuer, change: Value) -> String {
    let header = json!({"alg": "RS256", "kid": "k"});
    RSA[0].token(Algorithm::RS256, &header, &changed(claims(&issuer.url), &change))
}

async fn issuer() -> Issuer {
    Issuer::start(vec![RSA[0].public("k")]).await
}

/// Name and address of every user, in the order in which they came.
fn users(stand: &Stand) -> Vec<(String, Option<String>)> {
    let database = stand.database();
    let mut rows = database.prepare("SELECT name, email FROM users ORDER BY rowid").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn user(name: &str, email: Option<&str>) -> (String, Option<String>) {
    (name.into(), email.map(str::to_owned))
}

#[tokio::test]
async fn somebody_new_becomes_a_user_once_and_is_renamed_by_their_own_account() {
    let issuer = issuer().await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    let ada = token(&issuer, json!({"name": " Ada\u{7} ", "email": "ada@studio.test"}));
    let calls = (0..20).map(|_| stand.knock(&ada));
    for said in futures_util::future::join_all(calls).await {
        assert_eq!(said.value(), &json!([]), "in no team yet");
    }
    let first = user("Ada", Some("ada@studio.test"));
    assert_eq!(users(&stand)[1..], [first.clone()]);
    // What a token does not say changes nothing; what it says now does.
    stand.knock(&token(&issuer, json!({}))).await.value();
    assert_eq!(users(&stand)[1..], [first]);
    stand.knock(&token(&issuer, json!({"name": "Ada L.", "email": "no address"}))).await.value();
    let renamed = user("Ada L.", Some("ada@studio.test"));
    assert_eq!(users(&stand)[1..], [renamed.clone()]);
    for (subject, change, name) in [
        ("grace", json!({"preferred_username": "grace"}), "grace"),
        ("joan", json!({"email": "joan@studio.test"}), "joan@studio.test"),
        ("mary", json!({"name": " "}), "mary"),
    ] {
        let change = changed(change, &json!({"sub": subject}));
        stand.knock(&token(&issuer, change)).await.value();
        assert_eq!(users(&stand).last().unwrap().0, name);
    }
    assert_eq!(users(&stand)[1], renamed);
    stand.app.stop().await;
}

#[tokio::test]
async fn a_user_may_be_in_several_teams() {
    let issuer = issuer().await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    let ada = token(&issuer, json!({"name": "Ada"}));
    stand.knock(&ada).await.value();
    let database = stand.database();
    database
        .execute_batch(
            "INSERT INTO teams (id, name, slug, created_at) VALUES ('b', 'B', 'b', 0);
             INSERT INTO projects (id, team_id, name, created_at) VALUES ('p', 'b', 'P', 0);
             INSERT INTO members SELECT 'b', id, 'admin' FROM users WHERE name = 'Ada';
             INSERT INTO members SELECT teams.id, users.id, 'member' FROM teams, users
                 WHERE users.name = 'Ada' AND teams.id <> 'b';",
        )
        .unwrap();
    let said = stand.knock(&ada).await;
    let mut roles: Vec<_> = said.value().as_array().unwrap().iter().map(|to| &to["role"]).collect();
    roles.sort_by_key(|role| role.as_str());
    assert_eq!(roles, ["admin", "member"]);
    let args = json!({"projectId": "p", "title": "t"});
    stand.call(&ada, "mutation", "videos:create", args.clone()).await.value();
    database.execute("DELETE FROM members WHERE team_id = 'b'", []).unwrap();
    assert_eq!(stand.call(&ada, "mutation", "videos:create", args).await.code(), "not_found");
    stand.app.stop().await;
}

#[tokio::test]
async fn accounts_are_told_apart_by_issuer_and_subject_never_by_address() {
    let (one, other) = (issuer().await, issuer().await);
    let stand = Stand::start(vec![one.settings(), other.settings()]).await;
    let ada = json!({"name": "Ada", "email": "ada@studio.test", "email_verified": true});
    stand.knock(&token(&one, ada.clone())).await.value();
    stand.knock(&token(&other, ada.clone())).await.value();
    stand.knock(&token(&one, changed(ada, &json!({"sub": "Ada"})))).await.value();
    assert_eq!(users(&stand).len(), 1 + 3);
    stand.app.stop().await;
}

#[tokio::test]
async fn a_verified_address_finds_its_user_where_that_is_configured() {
    let (one, other) = (issuer().await, issuer().await);
    let [first, mut second] = [one.settings(), other.settings()];
    second.match_email = true;
    second.create_users = false;
    let stand = Stand::start(vec![first, second]).await;
    let account = |verified: Value| json!({"email": "Ada@studio.test", "email_verified": verified});
    let said = async |issuer: &Issuer, change: Value| stand.knock(&token(issuer, change)).await;

    said(&one, changed(account(json!(false)), &json!({"email": "ada@studio.test"}))).await.value();
    let refused = said(&other, account(json!(true))).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"), "ours is not verified");
    said(&one, changed(account(json!(true)), &json!({"email": "ada@studio.test"}))).await.value();
    for unsure in [json!(false), json!("false"), json!(1), Value::Null] {
        assert_eq!(said(&other, account(unsure.clone())).await.status, 403, "{unsure}");
    }
    said(&other, account(json!("true"))).await.value();
    assert_eq!(users(&stand).len(), 1 + 1, "both accounts are one user");
    // Another account of the same provider is somebody else, whatever its address.
    let twin = changed(account(json!(true)), &json!({"sub": "twin"}));
    assert_eq!(said(&other, twin).await.status, 403);
    // Once known, the subject is enough.
    said(&other, json!({"email": "moved@studio.test"})).await.value();
    stand.app.stop().await;
}

#[tokio::test]
async fn strangers_and_those_who_have_gone_are_kept_out() {
    let issuer = issuer().await;
    let mut settings = issuer.settings();
    let stand = Stand::start(vec![settings.clone()]).await;
    let ada = token(&issuer, json!({}));
    stand.knock(&ada).await.value();
    stand.database().execute("UPDATE users SET removed_at = 1 WHERE name = 'ada'", []).unwrap();
    let gone = stand.knock(&ada).await;
    assert_eq!((gone.status, gone.code()), (403, "forbidden"));
    assert_eq!(users(&stand).len(), 2, "and are not made anew");
    stand.app.stop().await;

    settings.create_users = false;
    let stand = Stand::start(vec![settings]).await;
    assert_eq!(stand.knock(&ada).await.status, 403);
    assert_eq!(users(&stand).len(), 1);
    stand.app.stop().await;
}
