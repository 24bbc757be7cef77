//! Versions, visibility, lists.

use serde_json::{Value, json};

use crate::harness::{Server, clip, text};
use crate::people::refusal;

async fn list(server: &Server, more: Value, cursor: Option<&str>, items: u32) -> Value {
    let mut args = json!({
        "projectId": server.credentials.project_id,
        "paginationOpts": {"numItems": items, "cursor": cursor},
    });
    for (name, value) in more.as_object().unwrap() {
        args[name] = value.clone();
    }
    server.client.query("videos:list", args).await.unwrap()
}

/// All titles, page by page; `meanwhile` runs after the first.
async fn titles(
    server: &Server,
    more: Value,
    items: u32,
    meanwhile: impl AsyncFn(),
) -> Vec<String> {
    let mut titles = Vec::new();
    let mut cursor = None;
    loop {
        let page = list(server, more.clone(), cursor.as_deref(), items).await;
        titles.extend(page["page"].as_array().unwrap().iter().map(|video| text(&video["title"])));
        if page["isDone"] == true {
            return titles;
        }
        if cursor.is_none() {
            meanwhile().await;
        }
        cursor = Some(text(&page["continueCursor"]));
    }
}

async fn version(server: &Server, of: &str, title: &str) -> Value {
    let args = json!({"sourceVideoId": of, "title": title, "fileSize": 7.0});
    server.client.mutation("videos:createVersion", args).await.unwrap()
}

#[tokio::test]
async fn versions_are_numbered_and_the_list_shows_the_latest() {
    let server = Server::start().await;
    let first = server.create("v1", 9).await;
    let private = json!({"videoId": first, "visibility": "private"});
    assert_eq!(server.client.mutation("videos:setVisibility", private).await.unwrap(), Value::Null);
    let second = version(&server, &first, "v2").await;
    assert_eq!((&second["versionNumber"], &second["versionStackId"]), (&2.into(), &json!(first)));
    // From any version the next is made after the latest.
    let third = version(&server, &first, "v3").await;
    assert_eq!(third["versionNumber"], 3);
    let row = server.get(&text(&third["videoId"])).await;
    assert_eq!((&row["isLatestVersion"], &row["visibility"]), (&true.into(), &"private".into()));
    assert_eq!(row["fileSize"], 7);
    assert_eq!(server.get(&first).await["isLatestVersion"], false);

    assert_eq!(titles(&server, json!({}), 10, async || {}).await, ["v3"]);
    let all = titles(&server, json!({"includeVersions": true}), 10, async || {}).await;
    assert_eq!(all, ["v3", "v2", "v1"]);
    let stack = json!({"videoId": second["videoId"]});
    let stack = server.client.query("videos:listVersions", stack).await.unwrap();
    let numbers: Vec<_> = stack.as_array().unwrap().iter().map(|v| &v["versionNumber"]).collect();
    assert_eq!(numbers, [3, 2, 1]);

    let remove = async |id: &Value| {
        let args = json!({"videoId": id});
        server.client.mutation("videos:remove", args).await.unwrap()["replacementVideoId"].clone()
    };
    assert_eq!(remove(&second["videoId"]).await, third["videoId"], "the next takes its place");
    assert_eq!(server.get(&text(&third["videoId"])).await["versionNumber"], 2);
    assert_eq!(remove(&third["videoId"]).await, json!(first), "else the one before");
    let row = server.get(&first).await;
    assert_eq!((&row["versionNumber"], &row["isLatestVersion"]), (&1.into(), &true.into()));
    assert_eq!(remove(&json!(first)).await, Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn versions_made_at_once_follow_each_other() {
    let server = Server::start().await;
    let first = server.create("v1", 9).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, of) = (server.client.clone(), first.clone());
        tasks.spawn(async move {
            client.mutation("videos:createVersion", json!({"sourceVideoId": of})).await
        });
    }
    let mut numbers = vec![1];
    while let Some(made) = tasks.join_next().await {
        numbers.push(made.unwrap().unwrap()["versionNumber"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
    assert_eq!(list(&server, json!({}), None, 50).await["page"].as_array().unwrap().len(), 1);
    for (field, args) in [
        ("sourceVideoId", json!({"fileSize": 1})),
        ("fileSize", json!({"sourceVideoId": first, "fileSize": 0})),
        ("contentType", json!({"sourceVideoId": first, "contentType": "image/png"})),
        ("title", json!({"sourceVideoId": first, "title": " "})),
        ("sourceVideoId", json!({"sourceVideoId": "nothing"})),
    ] {
        let refused = server.client.mutation("videos:createVersion", args).await;
        assert_eq!(refusal(refused).1, field);
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_do_not_shift_under_what_comes_meanwhile() {
    let server = Server::start().await;
    for title in ["b", "C", "a", "d", "B"] {
        server.create(title, 1).await;
    }
    let newest = titles(&server, json!({}), 2, async || drop(server.create("new", 1).await)).await;
    assert_eq!(newest, ["B", "d", "a", "C", "b"]);
    let sort = json!({"sort": "alphabetical"});
    let by_title = titles(&server, sort, 2, async || drop(server.create("Aa", 1).await)).await;
    assert_eq!(by_title, ["a", "b", "B", "C", "d", "new"]);
    for cursor in ["x", "1.%%%", ""] {
        let args = json!({
            "projectId": server.credentials.project_id, "sort": "alphabetical",
            "paginationOpts": {"numItems": 2, "cursor": cursor},
        });
        let refused = server.client.query("videos:list", args).await;
        let field = "paginationOpts.cursor".to_owned();
        assert_eq!(refusal(refused), ("invalid_argument".into(), field));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_public_id_leads_to_a_version_that_can_be_played() {
    let server = Server::start().await;
    let first = server.put_single("v1", &clip()).await;
    let public = |row: &Value| json!({"publicId": row["publicId"]});
    let first_id = public(&server.get(&first).await);
    let anyone = server.client_with(None);
    let seen = anyone.query("videos:getByPublicId", first_id.clone()).await.unwrap();
    assert_eq!(
        seen,
        json!({
            "processing": true, "title": "v1", "allowVersionBrowsing": true, "video": null,
        })
    );
    server.action("markUploadComplete", json!({"videoId": first})).await;
    server.settled(&first).await;
    let second = text(&version(&server, &first, "v2").await["videoId"]);
    let second_id = public(&server.get(&second).await);
    for (id, title) in [(&first_id, "v1"), (&second_id, "v1")] {
        let seen = anyone.query("videos:getByPublicId", id.clone()).await.unwrap();
        assert_eq!((&seen["processing"], &seen["video"]["title"]), (&false.into(), &title.into()));
        assert!(seen["video"].get("s3Key").is_none(), "where it is stored is nobody's business");
        let args = id.clone();
        let session = anyone.action("videoActions:getPublicPlaybackSession", args).await.unwrap();
        assert_eq!(anyone.status(&text(&session["url"])).await, 200);
    }
    let download = anyone.action("videoActions:getPublicDownloadUrl", first_id.clone()).await;
    assert_eq!(download.unwrap()["filename"], "v1.mp4");
    let versions = anyone.query("videos:listPublicVersions", first_id.clone()).await.unwrap();
    assert_eq!(versions.as_array().unwrap().len(), 1, "only what can be played");
    let close = json!({"videoId": second, "visibility": "private"});
    server.client.mutation("videos:setVisibility", close).await.unwrap();
    assert_eq!(anyone.query("videos:getByPublicId", first_id.clone()).await.unwrap(), Value::Null);
    let session = anyone.action("videoActions:getPublicPlaybackSession", first_id.clone()).await;
    assert_eq!(session.unwrap(), Value::Null);
    let id = anyone.query("videos:getPublicIdByVideoId", json!({"videoId": first})).await;
    assert_eq!(id.unwrap(), Value::Null);
    let download = anyone.action("videoActions:getPublicDownloadUrl", first_id).await;
    assert_eq!(refusal(download), ("not_found".into(), "publicId".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_video_is_renamed_and_described() {
    let server = Server::start().await;
    let video = server.create("t", 1).await;
    let update = async |mut args: Value| {
        args["videoId"] = video.clone().into();
        server.client.mutation("videos:update", args).await
    };
    update(json!({"title": " Day 1 ", "description": "Rain"})).await.unwrap();
    update(json!({})).await.unwrap();
    let row = server.get(&video).await;
    assert_eq!((&row["title"], &row["description"]), (&"Day 1".into(), &"Rain".into()));
    update(json!({"description": ""})).await.unwrap();
    assert_eq!(server.get(&video).await.get("description"), None);
    assert_eq!(refusal(update(json!({"title": ""})).await).1, "title");
    assert_eq!(refusal(update(json!({"titel": "x"})).await).1, "titel");
    let args = json!({"videoId": video, "visibility": "secret"});
    let refused = server.client.mutation("videos:setVisibility", args).await;
    assert_eq!(refusal(refused), ("invalid_argument".into(), "visibility".into()));
    let move_to = json!({"videoId": video, "projectId": "theirs"});
    let refused = server.client.mutation("videos:move", move_to).await;
    assert_eq!(refusal(refused), ("not_found".into(), "projectId".into()));
    server.stop().await;
}
