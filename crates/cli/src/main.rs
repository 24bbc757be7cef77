//! `dailies`: the transfer engine without a window.

mod args;
mod bars;
mod control;
mod events;
mod exit;
mod folders;
mod follow;
mod ledger;
mod login;
mod rules;
mod session;
mod watch;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::preferences::Preferences;
use dailies_engine::rules::Switch;
use dailies_engine::transfer::{List, UploadId};
use dailies_engine::view::{Added, AllowanceView, Page, UploadView};

use crate::args::{Args, Command, Off};
use crate::control::Request;
use crate::events::Output;
use crate::exit::Exit;
use crate::follow::Follow;
use crate::session::Session;

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                // It warns of every watched folder that somebody removes.
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,notify=error")),
        )
        .init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(error) => {
            Err(EngineError::new(Code::LocalStorage, format!("no threads could be had: {error}")))
        }
    };
    match exit {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("dailies: {error}");
            Exit::of(&error).into()
        }
    }
}

async fn run(args: Args) -> Result<Exit, EngineError> {
    let folder = args.profile_folder()?;
    let output = if args.json {
        Output::Json
    } else if std::io::stderr().is_terminal() {
        Output::Bars
    } else {
        Output::Lines
    };
    match &args.command {
        Command::Upload { paths, project, version_of, wait } => {
            let session = Session::open(&folder, &args).await?;
            let added = match version_of {
                Some(video) => add_version(&session, paths, video).await,
                None => session.engine.add(paths.clone(), project.clone()).await,
            };
            let exit = match added {
                Ok(added) => Follow::new(&session.engine, output).added(added, *wait).await,
                Err(error) => Err(error),
            };
            session.close().await;
            exit
        }
        Command::Watch { path, project, wanted } => {
            let one = path.as_deref().map(|path| (path, project.as_deref(), wanted));
            watch::watch(&folder, &args, one, output).await
        }
        Command::Folders(what) => folders::folders(&folder, &args, what, output).await,
        Command::Run => {
            let session = Session::open(&folder, &args).await?;
            let exit = Follow::new(&session.engine, output).work_off().await;
            session.close().await;
            exit
        }
        Command::Play { video_id } => {
            let playback = Session::team_only(&folder, &args).await?.playback(video_id).await?;
            match output {
                Output::Json => events::print(&playback),
                Output::Bars | Output::Lines => events::say(&playback.url),
            }
            Ok(Exit::Done)
        }
        Command::Login(how) => {
            login::login(&folder, &args, how, output).await?;
            Ok(Exit::Done)
        }
        Command::Logout => {
            login::logout(&folder, &args, output).await?;
            Ok(Exit::Done)
        }
        Command::Connections => {
            login::connections(&folder, output).await?;
            Ok(Exit::Done)
        }
        Command::List => {
            list(&folder, output).await?;
            Ok(Exit::Done)
        }
        Command::SendAnyway { ids } => steer(&folder, Request::SendAnyway(ids.clone())).await,
        Command::Prefer { duplicates, changes } => {
            let (duplicates, changes) = (duplicates.map(Into::into), changes.map(Into::into));
            let request = Request::Prefer { duplicates, changes };
            let chosen: Preferences = control::ask(&folder, request).await?;
            // Two words, for programs and for people.
            events::print(&chosen);
            Ok(Exit::Done)
        }
        Command::History { id } => {
            ledger::history(&folder, *id, output).await?;
            Ok(Exit::Done)
        }
        Command::Receipt { ids } => {
            ledger::receipts(&folder, ids, output).await?;
            Ok(Exit::Done)
        }
        Command::Pause { ids } => steer(&folder, Request::Pause(ids.clone())).await,
        Command::Resume { ids } => steer(&folder, Request::Resume(ids.clone())).await,
        Command::Cancel { ids } => steer(&folder, Request::Cancel(ids.clone())).await,
        Command::Limit { limit } => {
            let request = limit.map_or(Request::Rules, |Off(limit)| Request::Limit(limit));
            rules::set(&folder, request, output, rules::limit).await
        }
        Command::Schedule { rules } => {
            let set = rules.iter().filter_map(|Off(rule)| rule.as_ref()).map(ToString::to_string);
            let set = Request::Schedule(set.collect());
            let request = if rules.is_empty() { Request::Rules } else { set };
            rules::set(&folder, request, output, rules::schedule).await
        }
        Command::Parallel { uploads } => {
            let request = uploads.map_or(Request::Rules, |count| Request::Parallel(count.into()));
            rules::set(&folder, request, output, |rules| rules.uploads.to_string()).await
        }
        Command::PauseOnMetered { state } => {
            rules::turn(&folder, Switch::PauseOnMetered, *state, output).await
        }
        Command::PauseOnBattery { state } => {
            rules::turn(&folder, Switch::PauseOnBattery, *state, output).await
        }
        Command::KeepAwake { state } => {
            rules::turn(&folder, Switch::KeepAwake, *state, output).await
        }
        Command::SendHere => {
            let () = control::ask(&folder, Request::SendHere).await?;
            Ok(Exit::Done)
        }
        Command::Retry { ids } => steer(&folder, Request::Retry(ids.clone())).await,
    }
}

async fn add_version(
    session: &Session,
    paths: &[PathBuf],
    video_id: &str,
) -> Result<Added, EngineError> {
    match paths {
        [path] => session.engine.add_version(path.clone(), video_id.to_owned()).await,
        _ => Err(EngineError::new(Code::Refused, "one file is one version")),
    }
}

async fn steer(folder: &std::path::Path, request: Request) -> Result<Exit, EngineError> {
    let _: Vec<UploadId> = control::ask(folder, request).await?;
    Ok(Exit::Done)
}

async fn list(folder: &std::path::Path, output: Output) -> Result<(), EngineError> {
    let allowance: AllowanceView = control::ask(folder, Request::Allowance).await?;
    for list in List::ALL {
        let mut offset = 0;
        loop {
            let page: Page = control::ask(folder, Request::Page { list, offset }).await?;
            if page.uploads.is_empty() {
                break;
            }
            offset += page.uploads.len() as u64;
            for upload in &page.uploads {
                line(upload, allowance, output);
            }
        }
    }
    Ok(())
}

fn line(upload: &UploadView, allowance: AllowanceView, output: Output) {
    match output {
        Output::Json => events::print(upload),
        Output::Bars | Output::Lines => events::say(&format!(
            "{}  {:<10}  {:>3} %  {}",
            upload.id,
            events::state(upload, allowance),
            events::percent(upload),
            upload.path
        )),
    }
}
