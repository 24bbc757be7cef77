//! The real updater in an app without a window, with a key of which only the public half was kept, and
//! signatures that `tauri signer` made with it. Over the network it is tried by `tests/window`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tauri::App;
use tauri::test::{MockRuntime, mock_builder};
use tauri_plugin_updater::Update;

use super::*;

/// What was signed: it begins as programs do.
const PROGRAM: &[u8] =
    b"\x7fELF: a program that does nothing, and begins as all of them do on Linux.";
const KEY: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IG1pbmlzaWduIHB1YmxpYyBrZXk6IDcxODY4REZGQTFGNkY5RDEKUldUUitmYWgvNDJHY2RwQ1BWeXdFKzJ4TFhvamQ0VWhzeUlUenFPNWl4YW5MNWdOVU9wMUhWQTYK";
/// Of [`PROGRAM`], as version 0.2.0.
const GENUINE: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IHNpZ25hdHVyZSBmcm9tIHRhdXJpIHNlY3JldCBrZXkKUlVUUitmYWgvNDJHY1NYSFhlN0hoQXZndjJjVTJnTUlQdDhaNm9qSU84L0kzQlpFY1BRUmY2VlJPd09yTFBzNDZMaDlPdWRrN3ltNnFKcG9lekNmQUhQSG5lNUNBRGhrTlF3PQp0cnVzdGVkIGNvbW1lbnQ6IHRpbWVzdGFtcDoxNzk1Mjk3OTUxCWZpbGU6RGFpbGllcy5BcHBJbWFnZQl2ZXJzaW9uOjAuMi4wCk80OW9GbkRQT0RZT29Vc2FaWDAwdW4yWUZCNXpxUFM3S0RlVnBsNnJOY0RHWmN1cHlKRS8xM2prU01uZzRYcHVmNy83WGNPUXNaYTFNV0FYNTFYZkJRPT0K";
/// As version 0.0.1.
const OLDER: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IHNpZ25hdHVyZSBmcm9tIHRhdXJpIHNlY3JldCBrZXkKUlVUUitmYWgvNDJHY1NvbFA3YkRTY20ycEE4YU5mZGhhUTdINEhZV2srdkZwSWNtNk9DTnE1a1J4aGkrSHZHVXVndUxoNFdRcldZWEVMQ3FDWU1pRnhWWTZTNkNFYWJib0F3PQp0cnVzdGVkIGNvbW1lbnQ6IHRpbWVzdGFtcDoxNzk1Mjk3OTUyCWZpbGU6RGFpbGllcy5BcHBJbWFnZQl2ZXJzaW9uOjAuMC4xCm1wVUlpVUd4K2dMZzB3SUNzRVFvQWFPK2J0UUdJVGhHKzNOWmR6M2tod2xqbVliNjhhTWdoUm5TY01CRUlvajRLbGJQazQ1amtMeFlRdkx2eUtkRUJ3PT0K";
/// As no version.
const UNVERSIONED: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IHNpZ25hdHVyZSBmcm9tIHRhdXJpIHNlY3JldCBrZXkKUlVUUitmYWgvNDJHY2RNUDJSTTM4aFFVa0ljTTBXN0lxU3ZIQnVjeVNVbW94Z2MzakNHRGx6ZmxHWGJnSzc1UElidGtSa1hWTVFVa2hwZFduR1RGT0podXd5SVlzSUhwc2dZPQp0cnVzdGVkIGNvbW1lbnQ6IHRpbWVzdGFtcDoxNzk1Mjk3OTUzCWZpbGU6RGFpbGllcy5BcHBJbWFnZQoxZTBEOGFGTDdTRUVSQmgvQWVEbWUzdUduUEZpRnl4YjRtUVpBM1dFMHFPeG5kVDVkbFZKWXp2R2hOck0xV1I5SW90b29lQVJ0SGQ3UHhzVUVZZitCUT09Cg==";
/// With another key, as version 0.2.0.
const STRANGERS: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IHNpZ25hdHVyZSBmcm9tIHRhdXJpIHNlY3JldCBrZXkKUlVTNjdXbEtsREh2Q3lMVGw0UXpxWlh4N1dabVlBZWNreTBLU00yMDhZdlpiSEh4ZFlQbXBvcTdmY0hlZ0FyK2dLdXN5VFFYMmU0dHJ6NEwveVNIMTRRMFhqR0k3czVNZ2dZPQp0cnVzdGVkIGNvbW1lbnQ6IHRpbWVzdGFtcDoxNzk1Mjk3OTUzCWZpbGU6RGFpbGllcy5BcHBJbWFnZQl2ZXJzaW9uOjAuMi4wCkFJNUY3WjJCa3daK3p4U2pVWGRweG1EeXIxSkQwT1JzMnB3YktvaXJhcE1RQ1lJREZrVUhWNXpDYVJON09iQk01OTdqeGhoa3FNNDF2QUZQMDdKbENnPT0K";

fn app(endpoint: &str) -> App<MockRuntime> {
    let mut context = crate::context();
    let updater = context.config_mut().plugins.0.get_mut("updater").unwrap();
    updater["endpoints"] = json!([endpoint]);
    updater["pubkey"] = json!(KEY);
    mock_builder().plugin(tauri_plugin_updater::Builder::new().build()).build(context).unwrap()
}

/// What an update server says.
fn announced(version: &str, signature: &str) -> Value {
    json!({"version": version, "url": "https://team.example/app", "signature": signature})
}

/// As if it had been said; for an app that is the file `place`.
fn update(app: &App<MockRuntime>, place: &Path, said: Value) -> Option<Update> {
    let updater = app.updater_builder().executable_path(place).build().unwrap();
    updater.restore_update(said).unwrap()
}

#[test]
fn a_build_without_a_key_looks_for_nothing() {
    let mut context = crate::context::<MockRuntime>();
    assert!(!is_configured(context.config()), "the repository has a key of somebody's");
    let app = app("https://team.example/latest.json");
    assert!(is_configured(app.config()));
    for (missing, value) in
        [("endpoints", json!([])), ("pubkey", json!("")), ("requireSignedVersion", json!(false))]
    {
        let mut updater = app.config().plugins.0["updater"].clone();
        updater[missing] = value;
        context.config_mut().plugins.0.insert("updater".into(), updater);
        assert!(!is_configured(context.config()), "without {missing}");
    }
}

#[test]
fn nothing_is_asked_in_the_open() {
    let app = app("http://127.0.0.1:9/latest.json");
    let asked = tauri::async_runtime::block_on(updater(app.handle()).unwrap().check());
    let Err(error) = asked else { panic!("it was asked in the open") };
    assert_eq!(judge(error, Doing::Asking), UpdateFault::Insecure);
}

#[test]
fn what_is_not_newer_is_no_update() {
    let app = app("https://team.example/latest.json");
    let this = app.package_info().version.to_string();
    for version in ["0.0.1", &this] {
        assert!(update(&app, Path::new("/x"), announced(version, GENUINE)).is_none(), "{version}");
    }
    assert!(update(&app, Path::new("/x"), announced("0.2.0", GENUINE)).is_some());
}

#[test]
fn only_what_was_signed_for_its_version_is_kept() {
    let app = app("https://team.example/latest.json");
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().join("updates"));
    let told = |version, signature| update(&app, Path::new("/x"), announced(version, signature));
    let genuine = told("0.2.0", GENUINE).unwrap();
    assert_eq!(shelf.find(&genuine), None);
    let file = shelf.keep(&genuine, PROGRAM).unwrap();
    assert_eq!(shelf.find(&genuine), Some(file.clone()));

    for (version, signature) in
        [("0.3.0", GENUINE), ("0.2.0", OLDER), ("0.2.0", UNVERSIONED), ("0.2.0", STRANGERS)]
    {
        let other = told(version, signature).unwrap();
        assert_eq!(shelf.find(&other), None, "{version}");
        let refused = other.verify(PROGRAM).unwrap_err();
        assert_eq!(judge(refused, Doing::Downloading), UpdateFault::NotGenuine, "{version}");
    }
    let mut changed = PROGRAM.to_vec();
    changed[20] ^= 1;
    fs::write(&file, changed).unwrap();
    assert_eq!(shelf.find(&genuine), None, "a changed file was taken for what was signed");

    shelf.keep(&told("0.3.0", GENUINE).unwrap(), PROGRAM).unwrap();
    assert!(!file.exists(), "two versions are kept");
    shelf.keep_only(None);
    assert_eq!(fs::read_dir(folder.path().join("updates")).unwrap().count(), 0);
}

/// An AppImage is the one kind that the updater replaces without asking the system.
#[cfg(target_os = "linux")]
#[test]
fn only_what_was_signed_takes_the_place_of_the_app() {
    let app = app("https://team.example/latest.json");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("Dailies.AppImage");
    fs::write(&place, "this version").unwrap();
    let genuine = update(&app, &place, announced("0.2.0", GENUINE)).unwrap();
    for (update, bytes) in [
        (genuine.clone(), &PROGRAM[..20]),
        (update(&app, &place, announced("0.2.0", STRANGERS)).unwrap(), PROGRAM),
        (update(&app, &place, announced("0.2.0", OLDER)).unwrap(), PROGRAM),
    ] {
        let refused = update.install(bytes).unwrap_err();
        assert_eq!(judge(refused, Doing::Installing), UpdateFault::NotGenuine);
        assert_eq!(fs::read(&place).unwrap(), b"this version");
    }
    genuine.install(PROGRAM).unwrap();
    assert_eq!(fs::read(&place).unwrap(), PROGRAM);
    let gone = update(&app, &folder.path().join("gone"), announced("0.2.0", GENUINE)).unwrap();
    let refused = gone.install(PROGRAM).unwrap_err();
    assert_eq!(judge(refused, Doing::Installing), UpdateFault::NotInstalled);
}

#[test]
fn a_download_is_full_with_its_last_byte() {
    for (part, whole, expected) in
        [(0, 3, Some(0)), (2, 3, Some(66)), (2999, 3000, Some(99)), (3, 3, Some(100))]
    {
        assert_eq!(percent(part, whole), expected);
    }
    assert_eq!(percent(1, 0), None, "of a size that is wrong nothing is known");
    assert_eq!(percent(4, 3), Some(100));
}
