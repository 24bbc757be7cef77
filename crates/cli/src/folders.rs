//! Watched folders: which there are, what would become of their files, and watching them.

use std::borrow::Cow;
use std::path::Path;

use dailies_engine::EngineHandle;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::folders::{FolderNews, FolderView, Plan, Planned, Watching};
use dailies_engine::transfer::UploadId;
use dailies_engine::watch::{Afterwards, Blind, Existing, FolderId, Health, Rules, Sight, Skip};
use serde::Serialize;

use crate::args::{Args, Folders, Put, Wanted};
use crate::control::{self, Request};
use crate::events::{self, Output};
use crate::exit::Exit;
use crate::follow::Follow;
use crate::session::Session;

/// One line of JSON output about a watched folder.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum News<'a> {
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

impl From<&Wanted> for Rules {
    fn from(wanted: &Wanted) -> Self {
        Self {
            include: wanted.include.clone(),
            exclude: wanted.exclude.clone(),
            smallest: wanted.smallest.unwrap_or_default(),
            existing: if wanted.existing { Existing::Send } else { Existing::Leave },
            title: wanted.title.clone().unwrap_or_default(),
            afterwards: match wanted.afterwards {
                Put::Nowhere => Afterwards::Nothing,
                Put::Uploaded => Afterwards::Move,
                Put::Trash => Afterwards::Trash,
            },
            paused: false,
        }
    }
}

/// Watches until somebody ends it: the folder that is named, or all that are kept.
pub(crate) async fn watch(
    profile: &Path,
    args: &Args,
    folder: Option<(&Path, Option<&str>, &Wanted)>,
    output: Output,
) -> Result<Exit, EngineError> {
    // Whoever ends it at once ends it as well.
    let ended = ended()?;
    let session = Session::open(profile, args).await?;
    let engine = &session.engine;
    let watching = async {
        let only = match folder {
            Some((path, project, wanted)) => Some(kept(engine, path, project, wanted).await?),
            None => None,
        };
        let follow = Follow::new(engine, output);
        let watching = engine.watch(only).await?;
        tokio::select! {
            followed = follow.for_ever() => followed,
            () = tell(watching, output) => Err(EngineError::new(Code::Stopped, "the engine has stopped")),
            exit = ended => Ok(exit),
        }
    };
    let exit = watching.await;
    session.close().await;
    exit
}

/// The folder that is to be watched, by the rules that were given or, without any, by its own.
async fn kept(
    engine: &EngineHandle,
    path: &Path,
    project: Option<&str>,
    wanted: &Wanted,
) -> Result<FolderId, EngineError> {
    if project.is_none() && !wanted.is_something() {
        let whole = path.canonicalize().map_err(|error| no_folder(path, &error))?;
        let folders = engine.folders().await?;
        if let Some(folder) = folders.iter().find(|folder| folder.path == whole.to_string_lossy()) {
            return Ok(folder.id);
        }
    }
    let project = project.map(str::to_owned);
    Ok(engine.add_folder(path.to_owned(), project, wanted.into()).await?.id)
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

/// Carries out `dailies folders`.
pub(crate) async fn folders(
    profile: &Path,
    args: &Args,
    what: &Folders,
    output: Output,
) -> Result<Exit, EngineError> {
    match what {
        Folders::Add { path, project, wanted } => {
            let path = std::path::absolute(path).map_err(|error| no_folder(path, &error))?;
            let (project, rules) = (project.clone(), wanted.into());
            let added: FolderView = match Session::open(profile, args).await {
                Ok(session) => {
                    let added = session.engine.add_folder(path, project, rules).await;
                    session.close().await;
                    added?
                }
                // Whoever works on the profile is connected.
                Err(busy) if busy.code == Code::ProfileInUse => {
                    control::ask(profile, Request::AddFolder { path, project, rules }).await?
                }
                Err(error) => return Err(error),
            };
            print(&added, output);
        }
        Folders::List => {
            let all: Vec<FolderView> = control::ask(profile, Request::Folders).await?;
            all.iter().for_each(|folder| print(folder, output));
        }
        Folders::Remove { id } => {
            let () = control::ask(profile, Request::RemoveFolder(*id)).await?;
        }
        Folders::DryRun { path, wanted } => {
            let path = std::path::absolute(path).map_err(|error| no_folder(path, &error))?;
            let rules = wanted.is_something().then(|| wanted.into());
            let planned: Vec<Planned> =
                control::ask(profile, Request::DryRun { path, rules }).await?;
            planned.iter().for_each(|file| print_plan(file, output));
        }
    }
    Ok(Exit::Done)
}

fn no_folder(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(Code::NotFound, format!("{}: {error}", path.display()))
}

fn print(folder: &FolderView, output: Output) {
    match output {
        Output::Json => events::print(folder),
        Output::Bars | Output::Lines => {
            let to = &folder.destination;
            events::say(&format!(
                "{}  {}\n  to {} / {}",
                folder.id, folder.path, to.team, to.project
            ));
        }
    }
}

fn print_plan(file: &Planned, output: Output) {
    let words = match file.plan {
        Plan::Send { .. } => "would be sent",
        Plan::WasThere => "was there before",
        Plan::Sent => "was sent",
        Plan::Unfinished => "is not finished",
        Plan::Skip { why } => match why {
            Skip::Hidden => "is hidden",
            Skip::InProgress => "is a download, copy or render in progress, by its name",
            Skip::NoVideo => "is no video, by its name",
            Skip::Excluded => "is excluded",
            Skip::NotIncluded => "is not included",
            Skip::TooSmall => "is too small",
        },
    };
    match output {
        Output::Json => events::print(file),
        Output::Bars | Output::Lines => events::say(&format!("{words:<18}  {}", file.path)),
    }
}
