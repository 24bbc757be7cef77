//! What the page may ask for, nobody else may, and nobody in words that make no sense. The commands
//! are read from their source, so that none is forgotten here.

use std::collections::BTreeSet;
use std::sync::Arc;

use dailies_engine::clock::SystemClock;
use dailies_engine::library::Downloads;
use dailies_engine::local_playback::LocalPlayback;
use dailies_engine::team::Vault;
use dailies_engine::{EngineHandle, Options, Profile};
use serde_json::{Map, Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, Manager as _, WebviewWindow, WebviewWindowBuilder};

use crate::desk::Desk;
use crate::folders::Chosen;
use crate::link;
use crate::opening::Wanted;
use crate::own_folders::OwnFolders;
use crate::settings::Settings;
use crate::sign_in::SignIn;
use crate::tasks::Tasks;
use crate::team_server::Program;
use crate::updates::Updates;
use crate::window;

const SOURCES: [&str; 2] = [include_str!("commands.rs"), include_str!("library.rs")];
const PERMISSIONS: &str = include_str!("../permissions/page.toml");
const HANDLER: &str = include_str!("lib.rs");
#[cfg(not(windows))]
const OURS: &str = "tauri://localhost";
#[cfg(windows)]
const OURS: &str = "http://tauri.localhost";

/// A command as it is written.
struct Command {
    name: &'static str,
    /// Name and type of each argument that comes from the page.
    arguments: Vec<(String, &'static str)>,
}

fn commands() -> Vec<Command> {
    let functions = SOURCES.into_iter().flat_map(|source| source.split("#[command]\n").skip(1));
    functions
        .map(|text| {
            let (_, text) = text.split_once("async fn ").unwrap();
            let (head, text) = text.split_once('(').unwrap();
            let (inside, _) = text.split_once(") -> ").unwrap();
            let name = head.split('<').next().unwrap();
            Command { name, arguments: arguments(inside) }
        })
        .collect()
}

/// Of a function's head; those that Tauri fills in itself are left out.
fn arguments(inside: &'static str) -> Vec<(String, &'static str)> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[from..]);
    let parts = parts.into_iter().filter_map(|part| part.trim().split_once(": "));
    let filled = ["State<", "Engine<", "Link<", "AppHandle<"];
    parts
        .filter(|(_, kind)| !filled.iter().any(|begin| kind.starts_with(begin)))
        .map(|(name, kind)| (camel_case(name), kind))
        .collect()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut said = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        said.push_str(&first.to_uppercase());
        said.push_str(rest);
    }
    said
}

/// An app with everything in it that commands need, and with the product's own permissions.
struct Stand {
    app: App<MockRuntime>,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = Profile::queue(folder.path());
        let starting = dailies_engine::start(&queue, Arc::new(SystemClock), Options::default());
        let (engine, task) = tauri::async_runtime::block_on(starting).unwrap();
        let own = OwnFolders { logs: folder.path().join("logs"), server: folder.path().into() };
        let program = Program::beside_us(own.server.clone(), own.logs.clone()).unwrap();
        let vault = Vault::of_profile(folder.path());
        let settings = Settings::open(folder.path());
        let (link, _) = link::prepare(engine.clone(), task, settings, program, vault);
        let app = mock_builder()
            .invoke_handler(crate::handler())
            .manage(tauri::async_runtime::block_on(Downloads::open(engine.clone())))
            .manage(LocalPlayback::new(engine.clone(), Vec::new()))
            .manage::<EngineHandle>(engine)
            .manage(link)
            .manage(own)
            .manage(Desk::default())
            .manage(Chosen::default())
            .manage(SignIn::default())
            .manage(Wanted::default())
            .manage(Updates::default())
            .manage(Tasks::default())
            .build(crate::context())
            .unwrap();
        Self { app, _folder: folder }
    }

    fn window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        let known = self.app.get_webview_window(label);
        known.unwrap_or_else(|| {
            WebviewWindowBuilder::new(&self.app, label, Default::default()).build().unwrap()
        })
    }

    /// Why a call was refused.
    fn refusal(&self, window: &str, from: &str, command: &str, arguments: Value) -> Option<String> {
        let request = InvokeRequest {
            cmd: command.into(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: from.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let answer = get_ipc_response(&self.window(window), request);
        answer.err().map(|error| error.to_string())
    }
}

#[test]
fn every_command_is_handled_and_may_be_asked_by_the_page() {
    let written: BTreeSet<&str> = commands().iter().map(|command| command.name).collect();
    let named = |line: &'static str| {
        let line = line.trim();
        line.strip_prefix("commands::").or_else(|| line.strip_prefix("library::"))
    };
    let handled = HANDLER.lines().filter_map(named);
    let handled: BTreeSet<&str> = handled.map(|line| line.trim_end_matches(',')).collect();
    assert_eq!(handled, written);
    let lists = PERMISSIONS.split("commands.allow = [").skip(1);
    let lists = lists.map(|list| list.split(']').next().unwrap());
    let allowed: Vec<&str> = lists.flat_map(|list| list.split('"').skip(1).step_by(2)).collect();
    assert_eq!(allowed.iter().copied().collect::<BTreeSet<_>>(), written);
    assert_eq!(allowed.len(), written.len(), "one is allowed twice");
}

#[test]
fn no_command_takes_a_path_and_few_an_address() {
    let mut addresses = Vec::new();
    for Command { name, arguments } in commands() {
        for (argument, kind) in arguments {
            assert!(!kind.contains("Path") && !argument.contains("path"), "{name}: {argument}");
            if kind.contains("Url") || argument.contains("url") {
                addresses.push(name);
            }
        }
    }
    // Two that somebody types, read with care; two that name what is connected.
    assert_eq!(addresses, ["connect", "sign_in", "forget", "choose_team"]);
}

#[test]
fn other_windows_and_other_origins_are_refused() {
    let stand = Stand::set();
    for Command { name, .. } in commands() {
        for (window, from) in [
            ("other", OURS),
            (window::MAIN, "https://team.example/"),
            (window::MAIN, "http://127.0.0.1:7420/watch/x"),
            (window::MAIN, "http://localhost/"),
            (window::MAIN, "tauri://elsewhere/"),
        ] {
            let said = stand.refusal(window, from, name, json!({})).unwrap_or_default();
            assert!(said.contains("not allowed"), "{name} in {window} from {from}: {said:?}");
        }
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let stand = Stand::set();
    // Of no argument's type.
    let nonsense = || json!([[{}]]);
    for Command { name, arguments } in commands() {
        for (wrong, _) in &arguments {
            let mut given = Map::new();
            for (argument, kind) in &arguments {
                if argument == wrong {
                    given.insert(argument.clone(), nonsense());
                } else if let Some(usual) = usual(kind) {
                    given.insert(argument.clone(), usual);
                }
            }
            let said = stand.refusal(window::MAIN, OURS, name, Value::Object(given));
            let said = said.unwrap_or_default();
            assert!(said.contains("invalid args"), "{name} with a wrong {wrong}: {said:?}");
            assert!(said.contains(&format!("`{wrong}`")), "{name}: another was wrong: {said}");
        }
        let needed = arguments.iter().any(|(_, kind)| !kind.starts_with("Option<"));
        if needed {
            let said = stand.refusal(window::MAIN, OURS, name, json!({})).unwrap_or_default();
            assert!(said.contains("missing required key"), "{name} without any: {said:?}");
        }
    }
}

/// A value of an argument's type; `None` leaves it out.
fn usual(kind: &str) -> Option<Value> {
    Some(match kind {
        "String" | "SecretString" => json!("x"),
        "Url" => json!("https://team.example/"),
        "bool" => json!(true),
        "u64" | "usize" => json!(1),
        "Vec<UploadId>" | "Vec<String>" => json!([]),
        "UploadId" | "FolderId" => json!("00000000000000000000000000"),
        "List" => json!("waiting"),
        "Spot" => json!("front"),
        "Rules" => json!({}),
        "Switch" => json!("keep_awake"),
        "Form" => json!("csv"),
        "DownloadId" => json!(1),
        "NewShareLink" => json!({"expiresInDays": 1, "allowDownload": false, "password": null}),
        "OwnFolder" => json!("logs"),
        "Preference" => json!({"theme": "dark"}),
        option if option.starts_with("Option<") => return None,
        other => panic!("write down a value of {other} here"),
    })
}
