//! The table of settings: what the engine remembers besides its uploads.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _};

/// A setting's name. Secrets are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The address of the team server that new files go to.
    Server,
    /// The most bytes a second, as [`Rate`](crate::transfer::Rate) writes them.
    Limit,
    /// When other limits hold, as [`Schedule`](crate::transfer::Schedule) writes it.
    Schedule,
    /// Uploads that work at the same time.
    Uploads,
    /// Whether uploads wait while the network is metered.
    PauseOnMetered,
    /// Whether uploads wait while the computer runs on battery.
    PauseOnBattery,
    /// Whether the computer stays awake while bytes are sent.
    KeepAwake,
    /// What becomes of files that the team has already.
    Duplicates,
    /// What becomes of uploads whose file was changed.
    Changes,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Limit => "limit",
            Self::Schedule => "schedule",
            Self::Uploads => "uploads",
            Self::PauseOnMetered => "pause_on_metered",
            Self::PauseOnBattery => "pause_on_battery",
            Self::KeepAwake => "keep_awake",
            Self::Duplicates => "duplicates",
            Self::Changes => "changes",
        }
    }
}

pub(super) fn get(
    connection: &Connection,
    setting: Setting,
) -> Result<Option<String>, DatabaseError> {
    let value = connection
        .query_row("SELECT value FROM settings WHERE name = ?1", [setting.name()], |r| r.get(0))
        .optional()?;
    Ok(value)
}

pub(super) fn set(
    connection: &Connection,
    setting: Setting,
    value: Option<&str>,
) -> Result<(), DatabaseError> {
    match value {
        Some(value) => connection.execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (setting.name(), value),
        )?,
        None => connection.execute("DELETE FROM settings WHERE name = ?1", [setting.name()])?,
    };
    Ok(())
}
