//! `dailies-server check`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::Server;

fn check(data: &Path, variables: &[(&str, &str)]) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dailies-server"));
    command.args(["check", "--json", "--data"]).arg(data).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let document = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    (output.status.code(), document)
}

#[track_caller]
fn of<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {document}"));
    (check["outcome"].as_str().unwrap(), check["message"].as_str().unwrap())
}

#[test]
fn an_embedded_server_in_an_empty_folder_is_well_and_nothing_is_left_there() {
    let data = tempfile::tempdir().unwrap();
    let (_, document) = check(data.path(), &[("DAILIES_LISTEN", "127.0.0.1:0")]);
    for name in ["configuration", "data_folder", "ports", "tls", "ffmpeg", "storage", "mux"] {
        assert_eq!(of(&document, name).0, "ok", "{document}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let (code, document) = check(data.path(), &[("DAILIES_PART_SIZE", "7")]);
    assert_eq!((code, of(&document, "configuration").0), (Some(2), "failed"));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, document) = check(data.path(), &[("DAILIES_LISTEN", &address)]);
    assert_eq!((code, of(&document, "ports").0), (Some(2), "failed"));
    assert!(of(&document, "ports").1.contains(&address));

    let (_, document) = check(data.path(), &[("DAILIES_LISTN", "127.0.0.1:0")]);
    let (outcome, message) = of(&document, "environment");
    assert_eq!(outcome, "warning");
    assert!(message.contains("did you mean DAILIES_LISTEN?"), "{message}");

    let file = data.path().join("f");
    std::fs::write(&file, "x").unwrap();
    let (code, document) = check(&file.join("below"), &[]);
    assert_eq!((code, of(&document, "data_folder").0), (Some(2), "failed"), "{document}");
}

#[test]
fn a_certificate_pair_is_looked_at_closely() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut wanted = rcgen::CertificateParams::new(vec!["a.test".into()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let good = write("good.pem", wanted.self_signed(&key).unwrap().pem());
    wanted.not_before = rcgen::date_time_ymd(2020, 1, 1);
    wanted.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let old = write("old.pem", wanted.self_signed(&key).unwrap().pem());
    let other = write("other.pem", rcgen::KeyPair::generate().unwrap().serialize_pem());
    let key = write("key.pem", key.serialize_pem());
    let tls = |certificate: &str, key: &str| {
        let variables = [("DAILIES_TLS_CERTIFICATE", certificate), ("DAILIES_TLS_KEY", key)];
        let (_, document) = check(folder.path(), &variables);
        let (outcome, message) = of(&document, "tls");
        (outcome.to_owned(), message.to_owned())
    };
    assert_eq!(tls(&good, &key).0, "ok");
    for (certificate, key, word) in
        [(&old, &key, "ended"), (&good, &other, "no key for"), (&key, &key, "no certificate")]
    {
        let (outcome, message) = tls(certificate, key);
        assert_eq!(outcome, "failed");
        assert!(message.contains(word), "{message}");
    }
}

/// The embedded storage and media engine of another server, as one would use S3 and Mux.
#[tokio::test(flavor = "multi_thread")]
async fn services_elsewhere_are_tried_and_left_as_they_were() {
    let server = Server::start(|_| {}).await;
    let s3 = &server.credentials.s3;
    let database = rusqlite::Connection::open(server.data.path().join("team.db")).unwrap();
    let setting = |name: &str| -> String {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        database.query_row(sql, [name], |row| row.get(0)).unwrap()
    };
    let secret = secrecy::ExposeSecret::expose_secret(&s3.secret_access_key);
    let (mux, stream) =
        (format!("{}/mux", server.app.url()), format!("{}/stream", server.app.url()));
    let (token_id, token_secret) = (setting("mux_token_id"), setting("mux_token_secret"));
    let (key_id, key) = (setting("signing_key_id"), setting("signing_key"));
    let good = [
        ("DAILIES_S3_ENDPOINT", s3.endpoint.as_str()),
        ("DAILIES_S3_BUCKET", &s3.bucket),
        ("DAILIES_S3_ACCESS_KEY_ID", &s3.access_key_id),
        ("DAILIES_S3_SECRET_ACCESS_KEY", secret),
        ("DAILIES_MUX_URL", &mux),
        ("DAILIES_MUX_TOKEN_ID", &token_id),
        ("DAILIES_MUX_TOKEN_SECRET", &token_secret),
        ("DAILIES_MUX_SIGNING_KEY_ID", &key_id),
        ("DAILIES_MUX_SIGNING_KEY", &key),
        ("DAILIES_MUX_WEBHOOK_SECRET", "any"),
        ("DAILIES_MUX_STREAM_URL", &stream),
        ("DAILIES_MUX_IMAGE_URL", &stream),
    ];
    let folder = tempfile::tempdir().unwrap();
    let run = |changed: &[(&str, &str)]| {
        let mut variables = good.to_vec();
        variables.extend_from_slice(changed);
        tokio::task::block_in_place(|| check(folder.path(), &variables).1)
    };
    let document = run(&[]);
    for name in ["storage", "presigned", "cors", "clock", "mux", "signing_key"] {
        assert_eq!(of(&document, name).0, "ok", "{document}");
    }
    let index = server.data.path().join("objects/index.db");
    let index = rusqlite::Connection::open(index).unwrap();
    let left: i64 = index.query_row("SELECT count(*) FROM objects", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "the object of the check is gone");
    for (changed, name) in [
        (("DAILIES_S3_SECRET_ACCESS_KEY", "canary-wrong"), "storage"),
        (("DAILIES_S3_BUCKET", "no-such-bucket"), "storage"),
        (("DAILIES_S3_PUBLIC_ENDPOINT", "http://127.0.0.1:9"), "presigned"),
        (("DAILIES_MUX_TOKEN_SECRET", "canary-wrong"), "mux"),
        (("DAILIES_MUX_SIGNING_KEY", "-----BEGIN canary-wrong"), "signing_key"),
    ] {
        let document = run(&[changed]);
        assert_eq!(of(&document, name).0, "failed", "{changed:?}: {document}");
        let text = document.to_string();
        assert!(!text.contains("canary-wrong") && !text.contains(secret), "{text}");
    }
    server.app.stop().await;
}
