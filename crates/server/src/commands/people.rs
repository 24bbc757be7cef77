//! What `user`, `team` and `key` have in common: the database of a server that may be running,
//! people and teams by what somebody types, and what is printed.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};
use dailies_api::projects::Role;
use dailies_database::{Database, DatabaseError};
use rusqlite::Connection;
use serde::Serialize;

use super::say;
use crate::config::SettingsArgs;
use crate::db::settings::{self, Setting};
use crate::db::teams::TeamRow;
use crate::db::users::UserRow;
use crate::db::{self, members, teams, users};

/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// Where, and in which form.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    #[command(flatten)]
    settings: SettingsArgs,
    /// One JSON document instead of lines
    #[arg(long)]
    pub(super) json: bool,
}

/// A role, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    /// Watches
    Viewer,
    /// Uploads, too
    Member,
    /// Manages people and projects, too
    Admin,
    /// Owns the team
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

impl Common {
    /// Runs `work` in one transaction of the team's database, beside the server.
    pub(super) async fn change<T, F>(self, work: F) -> Result<T>
    where
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let database = self.database()?;
        let work = |connection: &Connection| work(connection).map_err(Failed);
        database.write(work).await.map_err(|Failed(error)| error)
    }

    fn database(self) -> Result<Database> {
        let folder = self.settings.data_folder(|name| std::env::var(name).ok())?;
        let shown = folder.display();
        let file = folder.join("team.db");
        // `serve` makes a folder; a folder that was mistyped is not to become one.
        ensure!(file.is_file(), "{shown} is no data folder of dailies-server (it has no team.db)");
        let database =
            db::open_existing(&file).with_context(|| format!("{shown} was not changed"))?;
        Ok(database)
    }
}

/// A failure of a work, whoever it comes from.
struct Failed(anyhow::Error);

impl From<DatabaseError> for Failed {
    fn from(error: DatabaseError) -> Self {
        Self(error.into())
    }
}

/// The exit code, and what went wrong in words on stderr.
pub(super) fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for people to stderr, where it is in no program's way.
pub(super) fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints rows: as one JSON document, or a line each.
pub(super) fn print<T: Serialize>(json: bool, rows: &T, lines: Vec<String>) -> Result<()> {
    if json {
        say(&serde_json::to_string_pretty(rows)?);
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(())
}

/// A name that people can read.
pub(super) fn name(name: &str) -> Result<String> {
    let name = name.trim();
    let readable =
        (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    ensure!(readable, "a name has 1 to {LONGEST_NAME} characters, all of them visible");
    Ok(name.to_owned())
}

/// A team by its id or its name in addresses.
pub(super) fn team(connection: &Connection, said: &str) -> Result<TeamRow> {
    let team = match teams::get(connection, said)? {
        Some(team) => Some(team),
        None => teams::by_slug(connection, said)?,
    };
    team.with_context(|| format!("no team `{said}`; `team list` shows them"))
}

/// A user by id, e-mail address or name; by the last two only where they are one's alone.
pub(super) fn user(connection: &Connection, said: &str) -> Result<UserRow> {
    if let Some(user) = users::get(connection, said)? {
        return Ok(user);
    }
    let is_said = |user: &UserRow| {
        user.name == said
            || user.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(said))
    };
    let mut found = users::list(connection)?;
    found.retain(is_said);
    match found.len() {
        0 => bail!("no user `{said}`; `user list` shows them"),
        1 => Ok(found.remove(0)),
        more => bail!("{more} users are called `{said}`: say an id, `user list` shows them"),
    }
}

/// Refuses to take the team from its only owner, or this computer's key from whoever it speaks for.
pub(super) fn may_leave(connection: &Connection, team: &TeamRow, user: &UserRow) -> Result<()> {
    let is_owner = members::role(connection, &team.id, &user.id)? == Some(Role::Owner);
    ensure!(
        !is_owner || members::other_owner(connection, &team.id, &user.id)?,
        "{} is the only owner of {}: make somebody else an owner first",
        user.name,
        team.slug
    );
    let founded = |setting, id: &str| {
        Ok::<_, DatabaseError>(settings::get(connection, setting)?.as_deref() == Some(id))
    };
    ensure!(
        !(founded(Setting::OwnerId, &user.id)? && founded(Setting::TeamId, &team.id)?),
        "the key in credentials.json speaks for {} in {}, and the app on this computer with it",
        user.name,
        team.slug
    );
    Ok(())
}
