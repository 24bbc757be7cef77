//! API keys: made, listed, revoked, ended.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::stand::{Said, Stand};

async fn create(stand: &Stand, bearer: &str, role: &str, expires_at: Option<u64>) -> Said {
    let mut args = json!({"teamId": stand.credentials.team_id, "name": " Ingest ", "role": role});
    if let Some(at) = expires_at {
        args["expiresAt"] = at.into();
    }
    stand.call(bearer, "mutation", "apiKeys:create", args).await
}

async fn list(stand: &Stand, bearer: &str) -> Said {
    let args = json!({"teamId": stand.credentials.team_id});
    stand.call(bearer, "query", "apiKeys:list", args).await
}

async fn revoke(stand: &Stand, bearer: &str, id: &Value) -> Said {
    stand.call(bearer, "mutation", "apiKeys:revoke", json!({"keyId": id})).await
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_key_is_shown_once_and_ends_at_once() {
    let stand = Stand::start(vec![]).await;
    let owner = stand.owner();
    let made = create(&stand, &owner, "member", None).await;
    let made = made.value();
    let key = made["key"].as_str().unwrap();
    assert_eq!((made["name"].as_str(), made["role"].as_str()), (Some("Ingest"), Some("member")));
    let targets = stand.knock(key).await;
    assert_eq!(targets.value()[0]["role"], "member", "it narrows the owner");

    let listed = list(&stand, &owner).await;
    let all = listed.value().as_array().unwrap();
    assert_eq!(all.len(), 2, "with the one in credentials.json");
    assert_eq!(all[0]["_id"], made["_id"]);
    assert!(all[0]["lastUsedAt"].is_number() && all[0].get("key").is_none());
    let hint = all[0]["hint"].as_str().unwrap();
    assert!(key.starts_with(hint) && hint.len() == 9, "{hint}");
    for file in ["team.db", "team.db-wal"] {
        let bytes = std::fs::read(stand.data.path().join(file)).unwrap();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{file}");
    }

    revoke(&stand, &owner, &made["_id"]).await.value();
    let ended = stand.knock(key).await;
    assert_eq!((ended.status, ended.code()), (401, "bad_credentials"));
    assert_eq!(revoke(&stand, &owner, &made["_id"]).await.code(), "not_found");
    assert_eq!(list(&stand, &owner).await.value().as_array().unwrap().len(), 1);
    stand.app.stop().await;
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_more_than_they() {
    let stand = Stand::start(vec![]).await;
    let [admin, member, viewer] =
        ["admin", "member", "viewer"].map(|role| stand.member(role, role));
    for (bearer, role, code) in [
        (&admin, "owner", "forbidden"),
        (&member, "viewer", "forbidden"),
        (&viewer, "viewer", "forbidden"),
        (&stand.owner(), "king", "invalid_argument"),
    ] {
        assert_eq!(create(&stand, bearer, role, None).await.code(), code, "{role}");
    }
    for bearer in [&member, &viewer] {
        assert_eq!(list(&stand, bearer).await.code(), "forbidden");
    }
    let narrow = create(&stand, &stand.owner(), "admin", None).await;
    let narrow = narrow.value()["key"].as_str().unwrap().to_owned();
    let wide = create(&stand, &narrow, "owner", None).await;
    assert_eq!((wide.code(), &wide.body["errorData"]["field"]), ("forbidden", &json!("role")));
    let own = create(&stand, &admin, "admin", None).await;
    assert_eq!(own.value()["userId"], "admin");
    // An admin ends no owner's key; a member ends none.
    let owners = create(&stand, &stand.owner(), "owner", None).await.value()["_id"].clone();
    assert_eq!(revoke(&stand, &admin, &owners).await.code(), "forbidden");
    assert_eq!(revoke(&stand, &member, &own.value()["_id"]).await.code(), "forbidden");
    revoke(&stand, &admin, &own.value()["_id"]).await.value();
    stand.app.stop().await;
}

#[tokio::test]
async fn another_teams_keys_are_not_there() {
    let stand = Stand::start(vec![]).await;
    let owners = create(&stand, &stand.owner(), "viewer", None).await.value()["_id"].clone();
    let stranger = stand.member("stranger", "owner");
    let other = "INSERT INTO teams (id, name, slug, created_at) VALUES ('other', 'O', 'o', 0)";
    stand.database().execute(other, []).unwrap();
    for table in ["members", "api_keys"] {
        let moved = format!("UPDATE {table} SET team_id = 'other' WHERE user_id = 'stranger'");
        stand.database().execute(&moved, []).unwrap();
    }
    assert_eq!(list(&stand, &stranger).await.code(), "not_found");
    assert_eq!(create(&stand, &stranger, "viewer", None).await.code(), "not_found");
    assert_eq!(revoke(&stand, &stranger, &owners).await.code(), "not_found");
    let anonymous = stand.call("", "query", "apiKeys:list", json!({"teamId": "other"})).await;
    assert_eq!(anonymous.status, 401, "an empty bearer is a bad one");
    stand.app.stop().await;
}

#[tokio::test]
async fn a_key_ends_by_itself_and_makes_none_that_outlives_it() {
    let stand = Stand::start(vec![]).await;
    let past = create(&stand, &stand.owner(), "admin", Some(now() - 1)).await;
    assert_eq!(
        (past.code(), &past.body["errorData"]["field"]),
        ("invalid_argument", &json!("expiresAt"))
    );
    let end = now() + 60_000;
    let made = create(&stand, &stand.owner(), "admin", Some(end)).await;
    let key = made.value()["key"].as_str().unwrap().to_owned();
    for later in [None, Some(end + 1)] {
        let child = create(&stand, &key, "viewer", later).await;
        assert_eq!(
            (child.code(), &child.body["errorData"]["field"]),
            ("forbidden", &json!("expiresAt"))
        );
    }
    create(&stand, &key, "viewer", Some(end)).await.value();
    let ended = "UPDATE api_keys SET expires_at = ?1 WHERE id = ?2";
    let id = made.value()["_id"].as_str().unwrap();
    stand.database().execute(ended, rusqlite::params![i64::try_from(now()).unwrap(), id]).unwrap();
    assert_eq!(stand.knock(&key).await.status, 401);
    stand.app.stop().await;
}

#[tokio::test]
async fn a_repeated_call_makes_no_second_key() {
    let stand = Stand::start(vec![]).await;
    let args = json!({"teamId": stand.credentials.team_id, "name": "n", "role": "viewer"});
    let call = async |args: &Value, key| {
        let owner = stand.owner();
        stand.call_keyed(&owner, "mutation", "apiKeys:create", args.clone(), Some(key)).await
    };
    call(&args, "one").await.value();
    let again = call(&args, "one").await;
    assert_eq!(
        (again.code(), &again.body["errorData"]["field"]),
        ("wrong_state", &json!("idempotency-key"))
    );
    let mut other = args.clone();
    other["name"] = "m".into();
    assert_eq!(call(&other, "one").await.code(), "invalid_argument");
    call(&args, "two").await.value();
    let kept = "SELECT count(*) FROM idempotency WHERE answer IS NOT NULL";
    let kept: u32 = stand.database().query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 0, "no answer with a key in it is kept");
    assert_eq!(list(&stand, &stand.owner()).await.value().as_array().unwrap().len(), 3);
    stand.app.stop().await;
}
