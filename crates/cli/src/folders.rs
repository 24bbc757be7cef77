//! Watched folders: which there are, and what would become of their files.

use std::path::Path;

use dailies_api::videos::Visibility;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::folders::{FolderView, Plan, Planned, SentNow};
use dailies_engine::watch::{Afterwards, Existing, FolderId, Namesakes, Projects, Rules, Skip};

use crate::args::{Args, Folders, Kept, Put, Visible, Wanted};
use crate::control::{self, Request};
use crate::events::{self, Output};
use crate::exit::Exit;
use crate::session::Session;

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
            projects: if wanted.project_per_subfolder {
                Projects::PerSubfolder
            } else {
                Projects::One
            },
            visibility: wanted.visibility.map(|visible| match visible {
                Visible::Public => Visibility::Public,
                Visible::Private => Visibility::Private,
            }),
            first: wanted.first,
            namesakes: if wanted.versions { Namesakes::Version } else { Namesakes::Another },
            paused: false,
        }
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
        Folders::Remove { folder } => {
            let id = id(profile, folder).await?;
            let () = control::ask(profile, Request::RemoveFolder(id)).await?;
        }
        Folders::Pause { folder } => pause(profile, folder, true, output).await?,
        Folders::Resume { folder } => pause(profile, folder, false, output).await?,
        Folders::SendNow { path } => {
            let path = std::path::absolute(path).map_err(|error| no_folder(path, &error))?;
            let sent: SentNow = control::ask(profile, Request::SendNow(path)).await?;
            match (output, sent) {
                (Output::Json, sent) => events::print(&sent),
                (_, SentNow::Sent { upload_id }) => events::say(&format!("Sent by {upload_id}")),
                (_, SentNow::Same { upload_id }) => {
                    events::say(&format!("The team has its content by upload {upload_id}"));
                }
            }
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

/// By what the engine knows a folder.
async fn id(profile: &Path, folder: &Kept) -> Result<FolderId, EngineError> {
    let path = match folder {
        Kept::By(id) => return Ok(*id),
        Kept::At(path) => std::path::absolute(path).map_err(|error| no_folder(path, &error))?,
    };
    // One that is away has no other name than that by which it was added.
    let named = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let all: Vec<FolderView> = control::ask(profile, Request::Folders).await?;
    let at =
        |kept: &&FolderView| [&path, &named].iter().any(|path| Path::new(&kept.path) == **path);
    all.iter().find(at).map(|kept| kept.id).ok_or_else(|| {
        let words = "is not kept; `dailies folders list` prints those that are";
        EngineError::new(Code::NotFound, format!("{} {words}", path.display()))
    })
}

async fn pause(
    profile: &Path,
    folder: &Kept,
    paused: bool,
    output: Output,
) -> Result<(), EngineError> {
    let id = id(profile, folder).await?;
    let folder = control::ask(profile, Request::PauseFolder { id, paused }).await?;
    print(&folder, output);
    Ok(())
}

pub(crate) fn no_folder(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(Code::NotFound, format!("{}: {error}", path.display()))
}

fn print(folder: &FolderView, output: Output) {
    match output {
        Output::Json => events::print(folder),
        Output::Bars | Output::Lines => {
            let to = &folder.destination;
            let paused = if folder.rules.paused { ", paused" } else { "" };
            events::say(&format!(
                "{}  {}\n  to {} / {}{paused}",
                folder.id, folder.path, to.team, to.project
            ));
        }
    }
}

fn print_plan(file: &Planned, output: Output) {
    let words = match file.plan {
        Plan::Send { by_content: false, .. } => "would be sent",
        Plan::Send { by_content: true, .. } => "would be sent: it is a video by its content",
        Plan::WasThere => "was there before",
        Plan::Sent => "was sent",
        Plan::Unfinished => "is not finished",
        Plan::Skip { why } => match why {
            Skip::Hidden => "is hidden",
            Skip::InProgress => "is a download, copy or render in progress, by its name",
            Skip::NoVideo => "is no video",
            Skip::NoVideoInside => "is named like a video, and is none by its content",
            Skip::Excluded => "is excluded",
            Skip::NotIncluded => "is not included",
            Skip::TooSmall => "is too small",
        },
    };
    match output {
        Output::Json => events::print(file),
        Output::Bars | Output::Lines => {
            let project = file.project.as_ref().map(|name| format!("  to {name}"));
            events::say(&format!("{words:<18}  {}{}", file.path, project.unwrap_or_default()));
        }
    }
}
