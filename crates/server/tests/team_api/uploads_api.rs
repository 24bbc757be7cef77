//! The Uploads API: what is taken, what is refused, and that a refusal leaves nothing.

use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use dailies_server::config::Config;
use reqwest::multipart::{Form, Part};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Server, clip, large_clip, noise, text};
use crate::quota::charged;

const MIB: usize = 1 << 20;
const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=";

/// Keys of people in and out of the first team.
pub(crate) struct People {
    pub(crate) viewer: &'static str,
    pub(crate) member: &'static str,
    /// Owner of another team.
    pub(crate) stranger: &'static str,
    /// In no team any more.
    pub(crate) nobody: &'static str,
}

pub(crate) fn people(server: &Server) -> People {
    let connection = server.open_database();
    connection
        .execute_batch(
            "INSERT INTO teams (id, name, slug, created_at) VALUES ('other', 'Other', 'other', 0);
             INSERT INTO users (id, name, created_at)
                 VALUES ('v', 'Vera', 0), ('m', 'Mia', 0), ('s', 'Sam', 0), ('n', 'Nia', 0);
             INSERT INTO members (team_id, user_id, role) VALUES ('other', 's', 'owner');",
        )
        .unwrap();
    let team = server.credentials.team_id.as_str();
    let member = "INSERT INTO members (team_id, user_id, role) VALUES (?1, ?2, ?3)";
    connection.execute(member, [team, "v", "viewer"]).unwrap();
    connection.execute(member, [team, "m", "member"]).unwrap();
    let people = People {
        viewer: "sk-viewer",
        member: "sk-member",
        stranger: "sk-stranger",
        nobody: "sk-nobody",
    };
    for (key, user, team) in [
        (people.viewer, "v", team),
        (people.member, "m", team),
        (people.stranger, "s", "other"),
        (people.nobody, "n", team),
    ] {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let insert = "INSERT INTO api_keys (id, hash, user_id, team_id, role, created_at)
            VALUES (?1, ?2, ?3, ?4, 'owner', 0)";
        connection.execute(insert, rusqlite::params![key, hash, user, team]).unwrap();
    }
    people
}

/// Objects and open multipart uploads in the bucket.
pub(crate) async fn stored(server: &Server) -> (usize, usize) {
    let s3 = &server.credentials.s3;
    let secret = s3.secret_access_key.expose_secret();
    let credentials = Credentials::new(&s3.access_key_id, secret, None, None, "test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&s3.endpoint)
        .region(Region::new(s3.region.clone()))
        .credentials_provider(credentials)
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let objects = client.list_objects_v2().bucket(&s3.bucket).send().await.unwrap();
    let uploads = client.list_multipart_uploads().bucket(&s3.bucket).send().await.unwrap();
    (objects.contents().len(), uploads.uploads().len())
}

pub(crate) fn url(server: &Server) -> String {
    format!("{}/api/client/v1/uploads", server.app.url())
}

pub(crate) fn file(bytes: &[u8], name: &str, content_type: &str) -> Part {
    Part::bytes(bytes.to_vec()).file_name(name.to_owned()).mime_str(content_type).unwrap()
}

pub(crate) async fn post(server: &Server, form: Form) -> (u16, Value) {
    let key = server.client.key.clone().unwrap();
    let post = server.client.http.post(url(server)).bearer_auth(key).multipart(form);
    let answer = post.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub(crate) async fn get(server: &Server, key: Option<&str>, path: &str) -> (u16, Value) {
    let mut get = server.client.http.get(format!("{}{path}", url(server)));
    if let Some(key) = key {
        get = get.bearer_auth(key);
    }
    let answer = get.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Waits until the upload is out of work; answers it.
pub(crate) async fn settled(server: &Server, id: &str) -> Value {
    for _ in 0..600 {
        let (status, upload) = get(server, server.client.key.as_deref(), &format!("/{id}")).await;
        assert_eq!(status, 200, "{upload}");
        if upload["data"]["status"] == 6 || upload["data"]["status"] == 7 {
            return upload["data"].clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not settled");
}

fn count(server: &Server, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    server.open_database().query_row(&count, [], |row| row.get(0)).unwrap()
}

async fn nothing_is_left(server: &Server) {
    for _ in 0..200 {
        if count(server, "videos") == 0 && stored(server).await == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(server, "videos"), 0);
    assert_eq!(stored(server).await, (0, 0));
    assert_eq!(charged(server), (0, 0));
}

#[tokio::test]
async fn a_large_video_is_stored_as_it_comes_and_processed() {
    let server = Server::start().await;
    // Three parts, of which the last is short; the folder comes last.
    let bytes = large_clip(17 * MIB);
    let form = Form::new()
        .part("video", file(&bytes, "C:\\cards\\Day 1 – Köln.mov", "application/octet-stream"))
        .text("folder", "root/Rushes/Day 1");
    let (status, accepted) = post(&server, form).await;
    assert_eq!(status, 202, "{accepted}");
    let upload = settled(&server, &text(&accepted["data"]["id"])).await;
    assert_eq!((&upload["status"], &upload["status_text"]), (&json!(6), &json!("completed")));
    assert_eq!(upload["filename"], "Day 1 – Köln.mov");

    let targets = server.client.query("projects:listUploadTargets", json!({})).await.unwrap();
    let target = targets.as_array().unwrap().iter().find(|t| t["projectName"] == "Day 1").unwrap();
    assert_eq!(target["projectPath"], "Rushes / Day 1");
    let list = json!({
        "projectId": target["projectId"], "paginationOpts": {"numItems": 9, "cursor": null},
    });
    let list = server.client.query("videos:list", list).await.unwrap();
    let video = &list["page"][0];
    assert_eq!(
        (&video["title"], &video["contentType"]),
        (&upload["filename"], &json!("video/quicktime"))
    );
    assert_eq!(video["fileSize"], bytes.len());
    let original = server.action("getOriginalPlaybackUrl", json!({"videoId": video["_id"]})).await;
    let kept = server.client.http.get(text(&original["url"])).send().await.unwrap();
    assert!(kept.bytes().await.unwrap() == bytes, "the bytes that were sent");
    assert_eq!(charged(&server), (0, i64::try_from(bytes.len()).unwrap()));
    assert_eq!(stored(&server).await, (1, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_there_is_used() {
    let server = Server::start().await;
    let before = count(&server, "projects");
    for (folder, projects) in [("root/a/b", 2), ("a/b", 2), ("root", 2), ("root/a/c", 3), ("b", 4)]
    {
        // First or last: the same.
        let video = file(&clip(), "a.mp4", "video/mp4");
        let form = if projects % 2 == 0 {
            Form::new().text("folder", folder).part("video", video)
        } else {
            Form::new().part("video", video).text("folder", folder)
        };
        assert_eq!(post(&server, form).await.0, 202, "{folder}");
        assert_eq!(count(&server, "projects"), before + projects, "{folder}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let server = Server::start_with(|config| config.limits.max_file_size = (9 * MIB) as u64).await;
    let video = || file(&noise(100), "a.mp4", "video/mp4");
    let large = noise(10 * MIB);
    let with = |folder: &str| Form::new().part("video", video()).text("folder", folder.to_owned());
    let streamed = |size: usize| {
        let body = reqwest::Body::wrap_stream(tokio_stream_of(&large[..size]));
        let part = Part::stream(body).file_name("a.mp4").mime_str("video/mp4").unwrap();
        Form::new().text("folder", "root").part("video", part)
    };
    let deep = "a/".repeat(33) + "a";
    for (name, form, status, code, field) in [
        ("no video", Form::new().text("folder", "root"), 422, "invalid_argument", "video"),
        ("no folder", Form::new().part("video", video()), 422, "invalid_argument", "folder"),
        ("dots", with("root/../other"), 422, "invalid_argument", "folder"),
        ("empty segment", with("root//a"), 422, "invalid_argument", "folder"),
        ("absolute", with("/root"), 422, "invalid_argument", "folder"),
        ("control", with("root/a\u{7}"), 422, "invalid_argument", "folder"),
        ("deep", with(&deep), 422, "invalid_argument", "folder"),
        ("long", with(&"x".repeat(256)), 422, "invalid_argument", "folder"),
        ("endless", with(&"x".repeat(100_000)), 422, "invalid_argument", "folder"),
        ("two videos", with("root").part("video", video()), 422, "invalid_argument", "video"),
        ("two folders", with("root").text("folder", "b"), 422, "invalid_argument", "folder"),
        (
            "text",
            Form::new().text("video", "x").text("folder", "r"),
            422,
            "invalid_argument",
            "video",
        ),
        (
            "type",
            Form::new().text("folder", "r").part("video", file(b"x", "a.png", "image/png")),
            415,
            "unsupported_type",
            "video",
        ),
        (
            "empty file",
            Form::new().text("folder", "r").part("video", file(b"", "a.mp4", "video/mp4")),
            422,
            "invalid_argument",
            "video",
        ),
        (
            "announced as too large",
            Form::new().text("folder", "r").part("video", file(&large, "a.mp4", "video/mp4")),
            413,
            "file_too_large",
            "video",
        ),
        ("too large at last", streamed(10 * MIB), 413, "file_too_large", "video"),
    ] {
        let (got, refused) = post(&server, form).await;
        assert_eq!(got, status, "{name}: {refused}");
        assert_eq!((&refused["code"], &refused["field"]), (&json!(code), &json!(field)), "{name}");
        nothing_is_left(&server).await;
    }
    assert_eq!(post(&server, streamed(9 * MIB)).await.0, 202, "as large as it may be");
    server.stop().await;
}

/// Bytes without a length, in pieces.
fn tokio_stream_of(
    bytes: &[u8],
) -> impl futures_util::Stream<Item = Result<Vec<u8>, std::io::Error>> + use<> {
    let pieces: Vec<_> = bytes.chunks(64 << 10).map(|piece| Ok(piece.to_vec())).collect();
    futures_util::stream::iter(pieces)
}

#[tokio::test]
async fn the_quota_holds_with_and_without_a_length() {
    let server = Server::start_with(|config| config.limits.team_quota = Some(20 << 20)).await;
    let bytes = noise(21 * MIB);
    let form = Form::new().text("folder", "r").part("video", file(&bytes, "a.mp4", "video/mp4"));
    let (status, refused) = post(&server, form).await;
    assert_eq!((status, &refused["code"]), (413, &json!("quota_exceeded")), "{refused}");
    nothing_is_left(&server).await;
    let stream = |size: usize| {
        let body = reqwest::Body::wrap_stream(tokio_stream_of(&bytes[..size]));
        let part = Part::stream(body).file_name("a.mp4").mime_str("video/mp4").unwrap();
        Form::new().text("folder", "r").part("video", part)
    };
    let (status, refused) = post(&server, stream(21 * MIB)).await;
    assert_eq!((status, &refused["code"]), (413, &json!("quota_exceeded")), "{refused}");
    nothing_is_left(&server).await;
    assert_eq!(post(&server, stream(20 * MIB)).await.0, 202, "to the last byte");
    assert_eq!(charged(&server), (0, 20 << 20));
    server.stop().await;
}

/// A connection on which a form was begun, with `body` of `length` announced bytes.
async fn begun(server: &Server, length: Option<usize>, body: &[u8]) -> TcpStream {
    let address = server.app.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let key = server.client.key.as_deref().unwrap();
    let framing = match length {
        Some(length) => format!("Content-Length: {length}"),
        None => "Transfer-Encoding: chunked".to_owned(),
    };
    let head = format!(
        "POST /api/client/v1/uploads HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n{framing}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    stream
}

fn half_a_video(size: usize) -> Vec<u8> {
    let mut body = format!(
        "{HEAD}\"folder\"\r\n\r\nroot\r\n{HEAD}\"video\"; filename=\"a.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\n"
    )
    .into_bytes();
    body.extend(noise(size));
    body
}

#[tokio::test]
async fn a_broken_connection_leaves_nothing() {
    let server = Server::start().await;
    for size in [100, 20 * MIB] {
        let stream = begun(&server, Some(40 * MIB), &half_a_video(size)).await;
        for _ in 0..400 {
            if count(&server, "videos") == 1 && (size < MIB || stored(&server).await == (0, 1)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(count(&server, "videos"), 1, "it is being received");
        assert!(charged(&server).0 > 39 << 20, "with its quota");
        drop(stream);
        nothing_is_left(&server).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_form_that_stops_or_never_begins_is_cut() {
    let change = |config: &mut Config| config.limits.form_stall = Duration::from_millis(500);
    let server = Server::start_with(change).await;
    let mut stream = begun(&server, Some(40 * MIB), &half_a_video(9 * MIB)).await;
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    nothing_is_left(&server).await;

    // Bytes that are no form: refused long before they are all read.
    let mut stream = begun(&server, Some(1 << 30), &noise(3 * MIB)).await;
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    // Headers of a field without end.
    let mut endless = HEAD.as_bytes().to_vec();
    endless.extend(std::iter::repeat_n(b'x', 3 * MIB));
    let mut stream = begun(&server, Some(1 << 30), &endless).await;
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    // A form whose own end is missing is not whole, whatever the length says.
    let body = half_a_video(100);
    let mut stream = begun(&server, Some(body.len()), &body).await;
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    nothing_is_left(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn who_may_upload_and_look() {
    let server = Server::start().await;
    let people = people(&server);
    let form = || {
        let video = file(&noise(100), "a.mp4", "video/mp4");
        Form::new().text("folder", "root").part("video", video)
    };
    let send = |key: Option<&str>| {
        let mut post = server.client.http.post(url(&server)).multipart(form());
        if let Some(key) = key {
            post = post.bearer_auth(key);
        }
        async move {
            let answer = post.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    for (key, status, code) in [
        (None, 401, "unauthenticated"),
        (Some("sk-wrong"), 401, "bad_credentials"),
        (Some(people.viewer), 403, "forbidden"),
    ] {
        let (got, refused) = send(key).await;
        assert_eq!((got, &refused["code"]), (status, &json!(code)), "{key:?}");
    }
    let (_, accepted) = send(Some(people.member)).await;
    let id = text(&accepted["data"]["id"]);
    let path = format!("/{id}");
    for (key, status) in [
        (None, 401),
        (Some("sk-wrong"), 401),
        (Some(people.viewer), 200),
        (Some(people.stranger), 404),
        (Some(people.nobody), 401),
    ] {
        assert_eq!(get(&server, key, &path).await.0, status, "{key:?}");
    }
    let (_, list) = get(&server, Some(people.stranger), "").await;
    assert_eq!(list, json!({"data": []}), "another team's");
    for unknown in ["/x", "/9c1fa5c4-a8f1-4b2e-9d6e-1c8a0b9e2d7f", "/%00", "/../uploads/x"] {
        let (status, refused) = get(&server, Some(people.member), unknown).await;
        assert_eq!((status, &refused["code"]), (404, &json!("not_found")), "{unknown}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_fifty_most_recent_are_listed_whichever_way_they_came() {
    let server = Server::start().await;
    for number in 0..51 {
        server.create(&format!("{number}"), 5).await;
    }
    let (_, list) = get(&server, server.client.key.as_deref(), "").await;
    let list = list["data"].as_array().unwrap();
    assert_eq!(list.len(), 50);
    assert_eq!((&list[0]["filename"], &list[49]["filename"]), (&json!("50"), &json!("1")));
    assert_eq!((&list[0]["status"], &list[0]["status_text"]), (&json!(5), &json!("uploading")));
    server.stop().await;
}
