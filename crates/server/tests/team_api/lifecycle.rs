//! What a start leaves for the next one.

use dailies_server::app::{App, StartError};
use dailies_server::config::Config;
use dailies_server::data_folder::DataFolderError;
use secrecy::ExposeSecret as _;

use crate::harness::{Server, credentials};

#[tokio::test]
async fn a_second_start_has_the_same_keys_and_addresses() {
    let server = Server::start().await;
    let video = server.create("t", 1).await;
    let (url, s3_url) = (server.app.url().to_owned(), server.app.s3_url().unwrap().to_owned());
    let file = std::fs::read(server.data.path().join("credentials.json")).unwrap();
    let data = server.stop().await;

    let server =
        Server::start_in(data, |config| (config.listen, config.s3_listen) = (None, None)).await;
    assert_eq!(server.app.url(), url);
    assert_eq!(server.app.s3_url(), Some(s3_url.as_str()));
    assert!(std::fs::read(server.data.path().join("credentials.json")).unwrap() == file);
    assert_eq!(server.get(&video).await["title"], "t");
    server.stop().await;
}

#[tokio::test]
async fn credentials_follow_the_address_and_survive_their_loss() {
    let server = Server::start().await;
    let first = server.credentials.api_key.expose_secret().to_owned();
    let data = server.stop().await;
    let server = Server::start_in(data, |_| {}).await;
    assert_eq!(server.credentials.url, server.app.url(), "the present address");
    assert_eq!(server.credentials.api_key.expose_secret(), first);
    let team = server.credentials.team_id.clone();
    let data = server.stop().await;
    std::fs::remove_file(data.path().join("credentials.json")).unwrap();
    let server = Server::start_in(data, |_| {}).await;
    assert_ne!(server.credentials.api_key.expose_secret(), first);
    assert_eq!(server.credentials.team_id, team);
    server.create("t", 1).await;
    server.stop().await;
}

#[tokio::test]
async fn only_the_hash_of_a_key_is_stored_and_files_are_private() {
    let server = Server::start().await;
    let key = server.credentials.api_key.expose_secret().to_owned();
    assert!(key.starts_with("sk-") && key.len() >= 46, "256 bits");
    let data = server.stop().await;
    for file in ["team.db", "team.db-wal"] {
        let bytes = std::fs::read(data.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{file}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&data.path().join("credentials.json")), 0o600);
        assert_eq!(mode(&data.path().join("team.db")), 0o600);
    }
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let server = Server::start().await;
    let second = Box::pin(App::start(Config::embedded(server.data.path().to_owned()))).await;
    let Err(StartError::DataFolder(DataFolderError::InUse(_))) = second else {
        panic!("a second server on one folder")
    };
    assert_eq!(credentials(server.data.path()).url, server.app.url(), "nothing was touched");
    server.create("t", 1).await;
    server.stop().await;
}
