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

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::preferences::Preferences;
use dailies_engine::transfer::{List, UploadId};
use dailies_engine::view::{Page, UploadView};

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
        Command::Upload { paths, project, wait } => {
            let session = Session::open(&folder, &args).await?;
            let follow = Follow::new(&session.engine, output);
            let exit = follow.upload(paths.clone(), project.clone(), *wait).await;
            session.close().await;
            exit
        }
        Command::Watch { path, project, wanted } => {
            let one = path.as_deref().map(|path| (path, project.as_deref(), wanted));
            folders::watch(&folder, &args, one, output).await
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
        Command::Retry { ids } => steer(&folder, Request::Retry(ids.clone())).await,
    }
}

async fn steer(folder: &std::path::Path, request: Request) -> Result<Exit, EngineError> {
    let _: Vec<UploadId> = control::ask(folder, request).await?;
    Ok(Exit::Done)
}

async fn list(folder: &std::path::Path, output: Output) -> Result<(), EngineError> {
    for list in List::ALL {
        let mut offset = 0;
        loop {
            let page: Page = control::ask(folder, Request::Page { list, offset }).await?;
            if page.uploads.is_empty() {
                break;
            }
            offset += page.uploads.len() as u64;
            for upload in &page.uploads {
                line(upload, output);
            }
        }
    }
    Ok(())
}

fn line(upload: &UploadView, output: Output) {
    match output {
        Output::Json => events::print(upload),
        Output::Bars | Output::Lines => events::say(&format!(
            "{}  {:<10}  {:>3} %  {}",
            upload.id,
            events::state(upload),
            events::percent(upload),
            upload.path
        )),
    }
}
