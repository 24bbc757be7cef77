//! The shell around the engine: window, tray, keychain, and the team server on this computer.
//!
//! It owns no upload and decides nothing about one: the page asks the engine through
//! [one-line commands](commands), and the engine's changes go to the page as they are.

#[cfg(test)]
mod bindings;
mod choose;
mod commands;
mod desk;
mod feed;
mod folders;
mod intake;
mod keeper;
mod keychain;
mod library;
mod link;
mod log;
mod settings;
mod tasks;
mod team_server;
mod tray;
mod view;
mod window;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dailies_engine::clock::SystemClock;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::library::Downloads;
use dailies_engine::{Options, Profile};
use tauri::{App, AppHandle, Manager as _, RunEvent};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};

use crate::desk::Desk;
use crate::folders::Chosen;
use crate::intake::{Incoming, Intake};
use crate::link::LinkHandle;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::team_server::Program;

/// Runs the app until it is quit.
#[must_use]
pub fn run() -> ExitCode {
    let built = tauri::Builder::default()
        // First, so that a second start does nothing else.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, folder| {
            second_start(app, arguments, folder.as_ref());
        }))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .invoke_handler(tauri::generate_handler![
            commands::snapshot,
            commands::page,
            commands::uploads,
            commands::ids,
            commands::index,
            commands::put,
            commands::set_first,
            commands::shell,
            commands::choose_files,
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
            commands::folders,
            commands::choose_folder,
            commands::add_folder,
            commands::change_folder,
            commands::remove_folder,
            commands::preview,
            commands::rule_faults,
            commands::use_this_computer,
            commands::connect,
            commands::disconnect,
            commands::targets,
            commands::set_destination,
            commands::playback,
            commands::show_in_folder,
            commands::copy_link,
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
        ])
        .on_window_event(window::on_event)
        .setup(|app| {
            log::start(&app.path().app_log_dir()?);
            if let Err(error) = start(app) {
                tracing::error!("{error}");
                say_and_end(app, &error);
            }
            Ok(())
        })
        .build(tauri::generate_context!("tauri.conf.json"));
    match built {
        Ok(app) => {
            app.run(|_, event| {
                // Without a window it goes on; it ends when it is told to, which has a code.
                if let RunEvent::ExitRequested { code: None, api, .. } = event {
                    api.prevent_exit();
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            // The log may not have been started yet.
            eprintln!("Dailies cannot start: {error}");
            ExitCode::FAILURE
        }
    }
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
    let profile = Profile::lock(&folder.join("profile"))?;
    let program = Program::beside_us(folder.join("server"), app.path().app_log_dir()?)?;
    let settings = Settings::open(profile.folder());
    let queue = Profile::queue(profile.folder());
    let (intake, incoming) = Intake::new();

    let (engine, task) = tauri::async_runtime::block_on(dailies_engine::start(
        &queue,
        Arc::new(SystemClock),
        Options::default(),
    ))?;
    let (link, keep_linked) = link::prepare(engine.clone(), task, settings, program);
    let (tasks, handle) = (Tasks::default(), app.handle());
    tasks.spawn(keep_linked.run());
    tasks.spawn(feed::run(handle.clone(), engine.clone(), link.clone()));
    tasks.spawn(folders::run(engine.clone()));
    tasks.spawn(intake::run(handle.clone(), engine.clone(), incoming));
    tasks.spawn(quit_when_told(handle.clone()));
    app.manage(Downloads::new(engine.clone()));
    tasks.spawn(library::run(handle.clone()));
    app.manage(engine);
    app.manage(link);
    app.manage(tasks);
    let paths = intake::named(std::env::args_os(), &std::env::current_dir().unwrap_or_default());
    if !paths.is_empty() {
        intake.offer(Incoming::Named(paths));
    }
    app.manage(intake);
    app.manage(Desk::default());
    app.manage(Chosen::default());
    // Unlocked when the process ends.
    app.manage(profile);
    window::open(app)?;
    if let Err(error) = tray::put(app) {
        tracing::warn!(%error, "there is no tray here");
    }
    Ok(())
}

/// A second start hands its files over, and brings the window to the front.
fn second_start(app: &AppHandle, arguments: Vec<String>, folder: &Path) {
    window::show(app);
    let paths = intake::named(arguments, folder);
    if !paths.is_empty()
        && let Some(intake) = app.try_state::<Intake>()
    {
        intake.offer(Incoming::Named(paths));
    }
}

/// Says in a dialog of the system's, for there is no page yet, why this start comes to nothing.
fn say_and_end(app: &App, error: &StartError) {
    let words = match error {
        StartError::Engine(EngineError { code: Code::ProfileInUse, .. }) => {
            "Another Dailies works on your uploads already, in another session of this computer. \
             Quit it there, then start this one again."
                .into()
        }
        StartError::Engine(EngineError { code: Code::ProfileTooNew, .. }) => {
            "Your uploads were last worked on by a newer version of Dailies. Install that one."
                .into()
        }
        other => format!("Your uploads cannot be worked on: {other}."),
    };
    let handle = app.handle().clone();
    app.dialog()
        .message(words)
        .title("Dailies cannot start")
        .kind(MessageDialogKind::Error)
        .show(move |_| handle.exit(1));
}

/// Puts the work down in order, then ends.
pub(crate) fn quit(app: &AppHandle) {
    let (handle, link) = (app.clone(), app.state::<LinkHandle>().inner().clone());
    app.state::<Tasks>().spawn(async move {
        handle.state::<Downloads>().stop().await;
        link.stop().await;
        handle.exit(0);
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
