//! Watching folders, until somebody ends it.

use std::borrow::Cow;
use std::path::Path;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::folders::{FolderNews, NewFolder, Watching};
use dailies_engine::transfer::UploadId;
use dailies_engine::view::{Change, ConnectionView, News as EngineNews};
use dailies_engine::watch::{Blind, FolderId, Health, Sight};
use dailies_engine::{EngineHandle, Profile};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use crate::args::{Args, Wanted};
use crate::events::{self, Output};
use crate::exit::Exit;
use crate::folders::no_folder;
use crate::follow::Follow;
use crate::session::Session;

/// One line of JSON output about watched folders.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum News<'a> {
    Team {
        server: &'a str,
        state: TeamState,
        message: &'a str,
    },
    Folder {
        folder_id: FolderId,
        path: Cow<'a, str>,
        health: &'static str,
        unreadable: usize,
        message: String,
    },
    Same {
        folder_id: FolderId,
        path: Cow<'a, str>,
        upload_id: UploadId,
    },
    Waits {
        folder_id: FolderId,
        path: Cow<'a, str>,
        message: &'a str,
    },
    PutAside {
        folder_id: FolderId,
        path: Cow<'a, str>,
        to: Option<Cow<'a, str>>,
    },
    NotPutAside {
        folder_id: FolderId,
        path: Cow<'a, str>,
        message: &'a str,
    },
}

/// How a team server stands that was away at the start.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum TeamState {
    Away,
    Answers,
}

/// Watches until somebody ends it: the folder that is named, or all that are kept. A team server that
/// is away is waited for.
pub(crate) async fn watch(
    profile: &Path,
    args: &Args,
    folder: Option<(&Path, Option<&str>, &Wanted)>,
    output: Output,
) -> Result<Exit, EngineError> {
    // Whoever ends it at once ends it as well.
    let ended = ended()?;
    let session = Session::unconnected(Profile::lock(profile)?).await?;
    let watching = async {
        let engine = &session.engine;
        // What comes into the folder while nobody answers is new.
        let folder = match folder {
            Some((path, project, wanted)) => Some(look_at(engine, path, project, wanted).await?),
            None => None,
        };
        let away = |server: &Url, why: &str| tell_team(server, TeamState::Away, why, output);
        let expected = session.connect_some_time(profile, args, away).await?;
        let only = match folder {
            Some(Named::Kept(id)) => Some(id),
            Some(Named::New(folder)) => Some(engine.keep_folder(folder).await?.id),
            None => None,
        };
        let follow = Follow::new(engine, output);
        let watching = engine.watch(only).await?;
        tokio::select! {
            followed = follow.for_ever() => followed,
            () = tell(watching, output) => Err(stopped()),
            Err(refused) = hear_of(engine, expected, output) => Err(refused),
        }
    };
    let exit = tokio::select! {
        exit = watching => exit,
        exit = ended => Ok(exit),
    };
    session.close().await;
    exit
}

/// A folder that was named to be watched.
enum Named {
    Kept(FolderId),
    New(NewFolder),
}

/// The folder that is to be watched, by the rules that were given or, without any, by its own.
async fn look_at(
    engine: &EngineHandle,
    path: &Path,
    project: Option<&str>,
    wanted: &Wanted,
) -> Result<Named, EngineError> {
    if project.is_none() && !wanted.is_something() {
        let whole = path.canonicalize().map_err(|error| no_folder(path, &error))?;
        let folders = engine.folders().await?;
        if let Some(folder) = folders.iter().find(|folder| folder.path == whole.to_string_lossy()) {
            return Ok(Named::Kept(folder.id));
        }
    }
    let project = project.map(str::to_owned);
    Ok(Named::New(engine.look_at_folder(path.to_owned(), project, wanted.into()).await?))
}

/// Says when a server answers that was away, and fails if it refuses whoever calls.
async fn hear_of(
    engine: &EngineHandle,
    expected: Option<Url>,
    output: Output,
) -> Result<(), EngineError> {
    let Some(server) = expected else { return Ok(()) };
    let mut changes = engine.subscribe();
    loop {
        match engine.answered(&server).await? {
            None => {}
            Some(ConnectionView::Refused { code, .. }) => {
                return Err(EngineError::new(code, events::words(code)));
            }
            Some(ConnectionView::Connected { .. } | ConnectionView::None) => {
                tell_team(&server, TeamState::Answers, "it answers", output);
                return Ok(());
            }
        }
        loop {
            match changes.recv().await {
                Ok(Change { news: EngineNews::Connection { .. }, .. })
                | Err(RecvError::Lagged(_)) => break,
                Ok(_) => {}
                Err(RecvError::Closed) => return Err(stopped()),
            }
        }
    }
}

fn tell_team(server: &Url, state: TeamState, message: &str, output: Output) {
    let server = server.as_str().trim_end_matches('/');
    match output {
        Output::Json => events::print(&News::Team { server, state, message }),
        Output::Bars | Output::Lines => {
            events::say(&format!("Team      {server}\n          {message}"));
        }
    }
}

fn stopped() -> EngineError {
    EngineError::new(Code::Stopped, "the engine has stopped")
}

/// What comes when somebody wants an end: of a service, that is how it ends well.
#[cfg(unix)]
fn ended() -> Result<impl Future<Output = Exit>, EngineError> {
    use tokio::signal::unix::{SignalKind, signal};
    let unheard = |error: std::io::Error| {
        EngineError::new(Code::LocalStorage, format!("signals cannot be heard: {error}"))
    };
    let mut terminated = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(unheard)?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => Exit::Done,
            _ = interrupted.recv() => Exit::Interrupted,
        }
    })
}

#[cfg(not(unix))]
fn ended() -> Result<impl Future<Output = Exit>, EngineError> {
    Ok(async {
        // Without a console there is nobody to interrupt it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    })
}

async fn tell(mut watching: Watching, output: Output) {
    while let Some(news) = watching.next().await {
        match output {
            Output::Json => events::print(&shown(&news)),
            Output::Bars | Output::Lines => {
                if let Some(line) = line(&news) {
                    events::say(&line);
                }
            }
        }
    }
}

fn shown(news: &FolderNews) -> News<'_> {
    match news {
        FolderNews::Health { folder, path, health } => News::Folder {
            folder_id: *folder,
            path: path.to_string_lossy(),
            health: sight(health.sight),
            unreadable: health.unreadable.count,
            message: in_words(health),
        },
        FolderNews::Same { folder, path, of } => {
            News::Same { folder_id: *folder, path: path.to_string_lossy(), upload_id: *of }
        }
        FolderNews::Waits { folder, path, why } => {
            News::Waits { folder_id: *folder, path: path.to_string_lossy(), message: why }
        }
        FolderNews::PutAside { folder, path, to } => {
            let to = to.as_deref().map(Path::to_string_lossy);
            News::PutAside { folder_id: *folder, path: path.to_string_lossy(), to }
        }
        FolderNews::NotPutAside { folder, path, why } => {
            News::NotPutAside { folder_id: *folder, path: path.to_string_lossy(), message: why }
        }
    }
}

fn line(news: &FolderNews) -> Option<String> {
    Some(match news {
        FolderNews::Health { health, .. } if health.sight == Sight::Starting => return None,
        FolderNews::Health { path, health, .. } => {
            format!("Folder    {}\n          {}", path.display(), in_words(health))
        }
        FolderNews::Same { path, of, .. } => {
            format!(
                "Same      {}\n          the team has its content by upload {of}",
                path.display()
            )
        }
        FolderNews::Waits { path, why, .. } => {
            format!("Waits     {}\n          {why}", path.display())
        }
        FolderNews::PutAside { path, to: Some(to), .. } => {
            format!("Moved     {}\n          to {}", path.display(), to.display())
        }
        FolderNews::PutAside { path, to: None, .. } => format!("Trashed   {}", path.display()),
        FolderNews::NotPutAside { path, why, .. } => {
            format!("Stays     {}\n          it could not be put aside: {why}", path.display())
        }
    })
}

fn sight(sight: Sight) -> &'static str {
    match sight {
        Sight::Starting => "starting",
        Sight::Watching => "watching",
        Sight::Polling(Blind::Drive) => "polling_drive",
        Sight::Polling(Blind::TooManyFolders) => "polling_too_many_folders",
        Sight::Polling(Blind::Refused) => "polling_refused",
        Sight::NotThere => "not_there",
    }
}

/// How a folder can be seen, and what would help.
fn in_words(health: &Health) -> String {
    let sight = match health.sight {
        Sight::Starting => "looking at it for the first time",
        Sight::Watching => "watching",
        Sight::Polling(Blind::Drive) => {
            "looking again and again: drives of this kind do not tell of every change"
        }
        Sight::Polling(Blind::TooManyFolders) => {
            "looking again and again: there are more folders than the system watches; raise \
             fs.inotify.max_user_watches by sysctl"
        }
        Sight::Polling(Blind::Refused) => {
            "looking again and again: the system does not tell of changes here"
        }
        Sight::NotThere => {
            "it is not there: is its drive connected? Nothing is forgotten meanwhile"
        }
    };
    match health.unreadable.some.first() {
        Some(first) => {
            let count = health.unreadable.count;
            format!("{sight}; {count} places cannot be read, such as {}", first.display())
        }
        None => sight.to_owned(),
    }
}
