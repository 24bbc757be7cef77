//! The tree of projects.

use serde_json::{Value, json};

use crate::harness::{Server, clip, text};
use crate::people::{People, refusal};

async fn create(server: &Server, name: &str, parent: Option<&str>) -> Result<Value, Value> {
    let mut args = json!({"teamId": server.credentials.team_id, "name": name});
    if let Some(parent) = parent {
        args["parentId"] = parent.into();
    }
    server.client.mutation("projects:create", args).await
}

async fn made(server: &Server, name: &str, parent: Option<&str>) -> String {
    text(&create(server, name, parent).await.unwrap())
}

async fn move_to(server: &Server, project: &str, parent: Option<&str>) -> Result<Value, Value> {
    let mut args = json!({"projectId": project});
    if let Some(parent) = parent {
        args["newParentId"] = parent.into();
    }
    server.client.mutation("projects:move", args).await
}

#[tokio::test]
async fn projects_lie_in_each_other() {
    let server = Server::start().await;
    let people = People::come(&server);
    let campaign = made(&server, " Campaign ", None).await;
    let rushes = made(&server, "Rushes", Some(&campaign)).await;
    let row = server.client.query("projects:get", json!({"projectId": rushes})).await.unwrap();
    assert_eq!((&row["name"], &row["role"]), (&"Rushes".into(), &"owner".into()));
    assert_eq!(row["parentId"], campaign.as_str());
    let args = json!({"projectId": rushes, "name": "Dailies", "description": "Each evening"});
    server.client.mutation("projects:update", args).await.unwrap();
    let crumbs = json!({"projectId": rushes});
    let crumbs = server.client.query("projects:breadcrumb", crumbs).await.unwrap();
    assert_eq!((&crumbs[0]["name"], &crumbs[1]["name"]), (&"Campaign".into(), &"Dailies".into()));
    let team = json!({"teamId": server.credentials.team_id});
    let top = server.client.query("projects:list", team.clone()).await.unwrap();
    let top: Vec<_> = top.as_array().unwrap().iter().collect();
    assert_eq!(top.len(), 2);
    assert_eq!((&top[1]["subfolderCount"], &top[1]["videoCount"]), (&1.into(), &0.into()));
    let children = json!({"projectId": campaign});
    let children = server.client.query("projects:listChildren", children).await.unwrap();
    assert_eq!(children[0]["description"], "Each evening");

    let team_id = json!({"teamId": server.credentials.team_id});
    let places = server.client.query("projects:listForMove", team_id).await.unwrap();
    let paths: Vec<_> = places.as_array().unwrap().iter().map(|place| &place["path"]).collect();
    assert_eq!(paths, ["Campaign", "Campaign / Dailies", "Dailies"]);
    assert_eq!(places[1]["parentId"], campaign.as_str());

    let cycle = ("invalid_argument".to_owned(), "newParentId".to_owned());
    assert_eq!(refusal(move_to(&server, &campaign, Some(&rushes)).await), cycle);
    assert_eq!(refusal(move_to(&server, &campaign, Some(&campaign)).await), cycle);
    let elsewhere = ("not_found".to_owned(), "newParentId".to_owned());
    assert_eq!(refusal(move_to(&server, &campaign, Some("theirs")).await), elsewhere);
    let elsewhere = create(&server, "x", Some("theirs")).await;
    assert_eq!(refusal(elsewhere), ("not_found".into(), "parentId".into()));
    for (field, args) in [
        ("name", json!({"teamId": server.credentials.team_id, "name": " "})),
        ("teamId", json!({"name": "x"})),
        ("colour", json!({"teamId": server.credentials.team_id, "name": "x", "colour": 1})),
    ] {
        let refused = people.client("member").mutation("projects:create", args).await;
        assert_eq!(refusal(refused), ("invalid_argument".into(), field.into()));
    }
    move_to(&server, &rushes, None).await.unwrap();
    let top = server.client.query("projects:list", team).await.unwrap();
    assert_eq!(top.as_array().unwrap().len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn a_tree_has_32_levels() {
    let server = Server::start().await;
    let mut path = vec![made(&server, "1", None).await];
    for level in 2..=32 {
        let parent = path.last().cloned();
        path.push(made(&server, &level.to_string(), parent.as_deref()).await);
    }
    let deeper = create(&server, "33", path.last().map(String::as_str)).await;
    assert_eq!(refusal(deeper), ("invalid_argument".into(), "parentId".into()));
    // A tree of two levels does not fit below the 31st.
    let top = made(&server, "top", None).await;
    made(&server, "leaf", Some(&top)).await;
    let deeper = move_to(&server, &top, Some(&path[30])).await;
    assert_eq!(refusal(deeper), ("invalid_argument".into(), "newParentId".into()));
    move_to(&server, &top, Some(&path[29])).await.unwrap();
    server.stop().await;
}

/// Each moves its own into the other's: one of the two moves must see what the other did.
#[tokio::test]
async fn moves_at_once_make_no_cycle() {
    let server = Server::start().await;
    for round in 0..20 {
        let a = made(&server, "a", None).await;
        let b = made(&server, "b", None).await;
        let (first, second) =
            tokio::join!(move_to(&server, &a, Some(&b)), move_to(&server, &b, Some(&a)));
        assert!(first.is_ok() != second.is_ok(), "round {round}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_project_is_removed_with_all_within_and_says_so() {
    let server = Server::start().await;
    let campaign = made(&server, "Campaign", None).await;
    let rushes = made(&server, "Rushes", Some(&campaign)).await;
    let video = server.put_single("clip", &clip()).await;
    server.action("markUploadComplete", json!({"videoId": video})).await;
    server.settled(&video).await;
    let move_args = json!({"videoId": video, "projectId": rushes});
    server.client.mutation("videos:move", move_args).await.unwrap();
    let version = json!({"sourceVideoId": video});
    server.client.mutation("videos:createVersion", version).await.unwrap();
    let args = json!({"projectId": campaign});
    let call =
        async |key| server.client.call("mutation", "projects:remove", args.clone(), key).await;
    let removed = call(Some("once")).await.unwrap();
    assert_eq!(removed, json!({"removedProjects": 2, "removedVideos": 2}));
    assert_eq!(call(Some("once")).await.unwrap(), removed, "a lost answer is had again");
    assert_eq!(refusal(call(None).await), ("not_found".into(), "projectId".into()));
    let gone = server.client.query("videos:get", json!({"videoId": video})).await;
    assert_eq!(refusal(gone).0, "not_found");
    server.stop().await;
}
