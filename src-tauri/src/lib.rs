//! The shell around the engine: window, tray, keychain, and the team server on this computer.
//!
//! It owns no upload and decides nothing about one: the page asks the engine through
//! [one-line commands](commands), and the engine's changes go to the page as they are.

mod at_login;
#[cfg(test)]
mod bindings;
mod choose;
mod commands;
mod desk;
mod diagnosis;
mod feed;
mod folders;
mod intake;
#[cfg(test)]
mod ipc_tests;
mod keeper;
mod keychain;
mod library;
mod link;
mod log;
mod opening;
mod outside;
mod own_folders;
#[cfg(target_os = "linux")]
mod painting;
mod settings;
mod sign_in;
mod tasks;
mod team_server;
mod updates;
mod view;
mod window;
mod words;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dailies_engine::clock::SystemClock;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::library::Downloads;
use dailies_engine::local_playback::LocalPlayback;
use dailies_engine::team::Vault;
use dailies_engine::{Options, Profile};
use tauri::ipc::Invoke;
use tauri::{App, AppHandle, Context, Manager as _, RunEvent, Runtime};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};

use crate::desk::Desk;
use crate::folders::Chosen;
use crate::intake::{Incoming, Intake};
use crate::link::LinkHandle;
use crate::opening::Wanted;
use crate::own_folders::OwnFolders;
use crate::settings::{Language, Settings};
use crate::sign_in::SignIn;
use crate::tasks::Tasks;
use crate::team_server::Program;
use crate::updates::Updates;
use crate::words::Words;

/// Runs the app until it is quit.
#[must_use]
pub fn run() -> ExitCode {
    #[cfg(target_os = "linux")]
    painting::choose();
    let built = tauri::Builder::default()
        // First, so that a second start does nothing else.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, folder| {
            // Before anything can be shown it has nothing to hand over to.
            if app.try_state::<Intake>().is_some() {
                window::show(app);
                take_in(app, arguments.into_iter().skip(1), folder.as_ref());
            }
        }))
        .plugin(at_login::plugin())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .invoke_handler(handler())
        .on_window_event(window::on_event)
        .setup(|app| {
            app.manage(log::start(&app.path().app_log_dir()?));
            if let Err(error) = start(app) {
                tracing::error!("{error}");
                say_and_end(app, &error);
            }
            Ok(())
        })
        .build(context());
    match built {
        Ok(app) => {
            app.run(on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            // The log may not have been started yet.
            eprintln!("Dailies cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The configuration, with the page and who may ask for what.
fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!("tauri.conf.json")
}

/// What the page can ask for.
fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        commands::snapshot,
        commands::page,
        commands::uploads,
        commands::ids,
        commands::index,
        commands::put,
        commands::set_first,
        commands::shell,
        commands::choose_files,
        commands::paste_files,
        commands::pause,
        commands::resume,
        commands::cancel,
        commands::retry,
        commands::send_anyway,
        commands::remove,
        commands::pause_all,
        commands::resume_all,
        commands::send_here,
        commands::rules,
        commands::turn,
        commands::set_limit,
        commands::set_schedule,
        commands::set_uploads,
        commands::folders,
        commands::choose_folder,
        commands::add_folder,
        commands::change_folder,
        commands::remove_folder,
        commands::preview,
        commands::rule_faults,
        commands::use_this_computer,
        commands::connect,
        commands::sign_in,
        commands::cancel_sign_in,
        commands::copy_sign_in_page,
        commands::forget,
        commands::choose_team,
        commands::turn_off_server,
        commands::server_folder,
        commands::open_folder,
        commands::prefer,
        commands::start_at_login,
        commands::copy_diagnosis,
        commands::opening,
        commands::restart,
        commands::quit,
        commands::look_for_update,
        commands::install_update,
        commands::targets,
        commands::set_destination,
        commands::playback,
        commands::local_playback,
        commands::show_in_folder,
        commands::copy_links,
        commands::parts,
        commands::history,
        commands::receipt,
        commands::copy_report,
        commands::activity,
        commands::export_activity,
        library::library,
        library::videos,
        library::play_video,
        library::poster,
        library::share_links,
        library::share,
        library::copy_share_link,
        library::revoke,
        library::download,
        library::downloads,
        library::download_again,
        library::remove_download,
        library::show_download,
    ]
}

/// Why it cannot work here.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the system refused: {0}")]
    Tauri(#[from] tauri::Error),
    #[error("the system refused: {0}")]
    Io(#[from] std::io::Error),
}

fn start(app: &App) -> Result<(), StartError> {
    let folder = app.path().app_local_data_dir()?;
    let own = OwnFolders { logs: app.path().app_log_dir()?, server: folder.join("server") };
    let profile = Profile::lock(&folder.join("profile"))?;
    let program = Program::beside_us(own.server.clone(), own.logs.clone())?;
    let mut settings = Settings::open(profile.folder());
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if settings.values().starts_again {
        settings.change(|values| values.starts_again = false);
        words.clear();
    }
    let vault = Vault::of_profile(profile.folder());
    let queue = Profile::queue(profile.folder());
    let (intake, incoming) = Intake::new();

    let (engine, task) = tauri::async_runtime::block_on(dailies_engine::start(
        &queue,
        Arc::new(SystemClock),
        Options::default(),
    ))?;
    let (link, keep_linked) = link::prepare(engine.clone(), task, settings, program, vault);
    let (tasks, handle) = (Tasks::default(), app.handle());
    tasks.spawn(keep_linked.run());
    tasks.spawn(feed::run(handle.clone(), engine.clone(), link.clone()));
    tasks.spawn(folders::run(engine.clone()));
    tasks.spawn(intake::run(handle.clone(), engine.clone(), incoming));
    app.manage(tauri::async_runtime::block_on(Downloads::open(engine.clone())));
    tasks.spawn(library::run(handle.clone()));
    app.manage(LocalPlayback::new(engine.clone(), window::origins(app)));
    at_login::look(handle, &link);
    app.manage(engine.clone());
    app.manage(link.clone());
    app.manage(intake);
    app.manage(own);
    app.manage(Desk::default());
    app.manage(Chosen::default());
    app.manage(SignIn::default());
    app.manage(Wanted::default());
    app.manage(Updates::default());
    // Unlocked when the process ends.
    app.manage(profile);
    app.manage(tasks);
    let tasks = app.state::<Tasks>();
    // Not before what it needs is managed, and before the window, which takes its time.
    tasks.spawn(quit_when_told(handle.clone()));
    outside::colours::start(handle, &link);
    window::open(app, !words.iter().any(|word| word == window::UNSEEN))?;
    tasks.spawn(updates::run(handle.clone(), engine.clone(), link.clone()));
    tasks.spawn(outside::colours::run(handle.clone(), link.clone()));
    tasks.spawn(outside::run(handle.clone(), engine, link));
    take_in(handle, words.into_iter(), &std::env::current_dir().unwrap_or_default());
    Ok(())
}

/// Takes in the files and the addresses of a command line: of this start, or of a second one.
fn take_in<Word: Into<OsString>>(
    app: &AppHandle,
    words: impl Iterator<Item = Word>,
    folder: &Path,
) {
    let is_address = |word: &OsString| word.to_str().is_some_and(|word| opening::follow(app, word));
    let files: Vec<OsString> = words.map(Into::into).filter(|word| !is_address(word)).collect();
    let paths = intake::named(files, folder);
    if !paths.is_empty() {
        app.state::<Intake>().offer(Incoming::Named(paths));
    }
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        // Without a window it goes on; it ends when it is told to, which has a code.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        // Elsewhere these are arguments of a start.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } if app.try_state::<Intake>().is_some() => {
            take_in(app, urls.into_iter().map(String::from), Path::new("/"));
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        _ => {
            let _ = app;
        }
    }
}

/// Says in a dialog of the system's, for there is no page yet, why this start comes to nothing.
fn say_and_end(app: &App, error: &StartError) {
    // What somebody prefers lies where nothing can be read from now.
    let words = Words::of(Language::System);
    let said = match error {
        StartError::Engine(EngineError { code: Code::ProfileInUse, .. }) => words.in_use().into(),
        StartError::Engine(EngineError { code: Code::ProfileTooNew, .. }) => words.too_new().into(),
        other => words.cannot_be_worked_on(&other.to_string()),
    };
    let handle = app.handle().clone();
    app.dialog()
        .message(said)
        .title(words.cannot_start())
        .kind(MessageDialogKind::Error)
        .show(move |_| handle.exit(1));
}

/// Puts the work down in order, then ends.
pub(crate) fn quit<R: Runtime>(app: &AppHandle<R>) {
    let (handle, link) = (app.clone(), app.state::<LinkHandle>().inner().clone());
    app.state::<Tasks>().spawn(async move {
        handle.state::<Downloads>().stop().await;
        link.stop(false).await;
        handle.exit(0);
    });
}

/// The same, and starts again.
pub(crate) fn restart<R: Runtime>(app: &AppHandle<R>) {
    let (handle, link) = (app.clone(), app.state::<LinkHandle>().inner().clone());
    app.state::<Tasks>().spawn(async move {
        handle.state::<Downloads>().stop().await;
        link.stop(true).await;
        handle.request_restart();
    });
}

/// The system's way to say that the session ends.
#[cfg(unix)]
async fn quit_when_told(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    quit(&app);
}

#[cfg(not(unix))]
async fn quit_when_told(app: AppHandle) {
    if tokio::signal::ctrl_c().await.is_ok() {
        quit(&app);
    }
}
