//! `user`, `team` and `key`, while the server runs and where none has ever run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stand::Stand;

struct Ran {
    code: Option<i32>,
    out: String,
    errors: String,
}

impl Ran {
    /// What it printed, where it did what it was asked.
    fn said(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.errors);
        self.out.trim().to_owned()
    }

    /// Why it did not.
    fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{}", self.errors);
        assert!(self.errors.starts_with("error: "), "{}", self.errors);
        self.errors
    }
}

fn run(data: &Path, arguments: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dailies-server"));
    command.args(arguments.split('|')).arg("--data").arg(data);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), errors: text(output.stderr) }
}

fn json(data: &Path, arguments: &str) -> Value {
    serde_json::from_str(&run(data, &format!("{arguments}|--json")).said()).unwrap()
}

#[tokio::test]
async fn a_team_a_user_and_a_key_are_made_and_ended_while_the_server_runs() {
    let stand = Stand::start(vec![]).await;
    let data = stand.data.path();
    let ada = run(data, "user|add|--name|Ada|--email|ada@studio.test").said();
    let team =
        run(data, "team|add|--name|Night Shoot|--slug|night-shoot|--owner|ada@studio.test").said();
    let grace = json(data, "user|add|--name|Grace")["id"].as_str().unwrap().to_owned();
    run(data, "team|add-member|night-shoot|--user|Grace|--role|member").said();
    let key = run(
        data,
        "key|create|--team|night-shoot|--user|Grace|--role|member|--name|Ingest|--expires|90d",
    );
    assert!(key.errors.contains("shown this once"), "{}", key.errors);
    let key = key.said();
    assert!(key.starts_with("sk-") && !key.contains('\n'), "{key}");
    stand.knock(&key).await.value();

    let keys = json(data, "key|list|--team|night-shoot");
    assert_eq!((&keys[0]["name"], &keys[0]["userId"]), (&"Ingest".into(), &grace.clone().into()));
    assert!(keys[0].get("key").is_none() && keys[0]["lastUsedAt"].is_number());
    let life = keys[0]["expiresAt"].as_i64().unwrap() - keys[0]["createdAt"].as_i64().unwrap();
    assert_eq!(life, 90 * 24 * 3600 * 1000);
    assert_eq!(json(data, "key|list").as_array().unwrap().len(), 2, "with the owner's");
    run(data, &format!("key|revoke|{}", keys[0]["id"].as_str().unwrap())).said();
    assert_eq!(stand.knock(&key).await.status, 401);

    // The other ways in which a key ends.
    let create = "key|create|--team|night-shoot|--user|Grace|--role|viewer";
    let left = run(data, create).said();
    run(data, "team|remove-member|night-shoot|--user|Grace").said();
    assert_eq!(stand.knock(&left).await.status, 401);
    run(data, &format!("team|add-member|{team}|--user|{grace}|--role|viewer")).said();
    assert_eq!(stand.knock(&left).await.status, 401, "and stays ended");
    let removed = run(data, create).said();
    stand.knock(&removed).await.value();
    run(data, "user|remove|Grace").said();
    assert_eq!(stand.knock(&removed).await.status, 401);

    run(data, "team|rename|night-shoot|--name|Day Shoot").said();
    run(data, &format!("user|rename|{ada}|--name|Ada L.")).said();
    assert_eq!(json(data, "team|list")[1]["name"], "Day Shoot");
    let members = json(data, "team|members|night-shoot");
    assert_eq!((&members[0]["name"], &members[0]["role"]), (&"Ada L.".into(), &"owner".into()));
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(json(data, "user|list").as_array().unwrap().len(), 2);
    stand.app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_words_and_changes_nothing() {
    let stand = Stand::start(vec![]).await;
    let data = stand.data.path();
    let before = [json(data, "user|list"), json(data, "team|list"), json(data, "key|list")];
    for (arguments, words) in [
        ("user|rename|Nobody|--name|N", "no user `Nobody`"),
        ("user|add|--name| ", "a name has 1 to 200 characters"),
        ("user|add|--name|N|--email|none", "no e-mail address"),
        ("user|remove|Owner", "only owner of my-team"),
        ("team|remove-member|my-team|--user|Owner", "only owner of my-team"),
        ("team|set-role|my-team|--user|Owner|--role|viewer", "only owner of my-team"),
        ("team|add-member|my-team|--user|Owner|--role|viewer", "in my-team already"),
        ("team|members|no-such-team", "no team `no-such-team`"),
        ("team|add|--name|T|--slug|my-team|--owner|Owner", "there is a team `my-team` already"),
        ("team|add|--name|T|--slug|My Team|--owner|Owner", "a-z, 0-9 and hyphens"),
        ("key|create|--team|my-team|--user|Nobody|--role|viewer", "no user `Nobody`"),
        (
            "key|create|--team|my-team|--user|Owner|--role|viewer|--expires|soon",
            "no time such as 90d",
        ),
        ("key|revoke|no-such-key", "no key `no-such-key`"),
    ] {
        let refused = run(data, arguments).refused();
        assert!(refused.contains(words), "{arguments}: {refused}");
    }
    run(data, "user|add|--name|Grace").said();
    run(data, "team|add-member|my-team|--user|Grace|--role|member").said();
    let above = run(data, "key|create|--team|my-team|--user|Grace|--role|admin").refused();
    assert!(above.contains("Grace is member in my-team"), "{above}");
    run(data, "team|set-role|my-team|--user|Grace|--role|owner").said();
    let founder = run(data, "team|remove-member|my-team|--user|Owner").refused();
    assert!(founder.contains("credentials.json"), "{founder}");
    run(data, "user|add|--name|Grace").said();
    let which = run(data, "user|remove|Grace").refused();
    assert!(which.contains("2 users are called `Grace`"), "{which}");
    assert_eq!([json(data, "team|list"), json(data, "key|list")], before[1..]);
    stand.knock(&stand.owner()).await.value();
    stand.app.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_none_of_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let empty = run(folder.path(), "user|list").refused();
    assert!(empty.contains("is no data folder"), "{empty}");
    let missing = run(&folder.path().join("no-such-folder"), "user|list").refused();
    assert!(missing.contains("is no data folder"), "{missing}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let file = folder.path().join("team.db");
    std::fs::write(&file, "no database").unwrap();
    run(folder.path(), "user|list").refused();
    assert_eq!(std::fs::read(&file).unwrap(), b"no database");

    let stand = Stand::start(vec![]).await;
    let version: u32 =
        stand.database().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    for (change, words) in [(1, "newer version"), (-1, "older version")] {
        let other = i64::from(version) + change;
        stand.database().pragma_update(None, "user_version", other).unwrap();
        let refused = run(stand.data.path(), "user|add|--name|Ada").refused();
        assert!(refused.contains(words), "{refused}");
    }
    stand.database().pragma_update(None, "user_version", version).unwrap();
    assert_eq!(json(stand.data.path(), "user|list").as_array().unwrap().len(), 1);
    stand.app.stop().await;
}

#[tokio::test]
async fn many_at_once_lose_nothing() {
    let stand = Stand::start(vec![]).await;
    let data = stand.data.path().to_owned();
    let adding = tokio::task::spawn_blocking(move || {
        let add = |n: usize| {
            let data = data.clone();
            std::thread::spawn(move || run(&data, &format!("user|add|--name|User {n}")).said())
        };
        let adding: Vec<_> = (0..8).map(add).collect();
        adding.into_iter().for_each(|adding| drop(adding.join().unwrap()));
    });
    let mut created = 0;
    while !adding.is_finished() {
        let args = serde_json::json!({"projectId": stand.credentials.project_id, "title": "t"});
        stand.call(&stand.owner(), "mutation", "videos:create", args).await.value();
        created += 1;
    }
    adding.await.unwrap();
    let count = |table: &str| -> u32 {
        let count = format!("SELECT count(*) FROM {table}");
        stand.database().query_row(&count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("users"), count("videos")), (1 + 8, created));
    let check: String =
        stand.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    stand.app.stop().await;
}

#[tokio::test]
async fn a_team_is_given_a_quota_while_the_server_runs() {
    let stand = Stand::start(vec![]).await;
    let data = stand.data.path();
    let before = json(data, "team|quota|my-team");
    assert_eq!(before, serde_json::json!({"quota": null, "used": 0, "reserved": 0}));
    run(data, "team|quota|my-team|--set|1 MiB").said();
    assert_eq!(json(data, "team|quota|my-team")["quota"], 1 << 20);
    let owner = stand.owner();
    let create = |size: u32| {
        serde_json::json!({
            "projectId": stand.credentials.project_id, "title": "t", "fileSize": size, "contentType": "video/mp4",
        })
    };
    let small = stand.call(&owner, "mutation", "videos:create", create(1 << 20)).await;
    small.value();
    let full = stand.call(&owner, "mutation", "videos:create", create(1)).await;
    assert_eq!(full.code(), "quota_exceeded");
    assert_eq!(json(data, "team|quota|my-team")["reserved"], 1 << 20);
    run(data, "team|quota|my-team|--default").said();
    stand.call(&owner, "mutation", "videos:create", create(1)).await.value();
    run(data, "team|quota|my-team|--set|much").refused();
    run(data, "team|quota|nobody|--set|1").refused();
}
