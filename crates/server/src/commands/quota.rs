//! `dailies-server team quota`.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::people::{self, Common};
use crate::config::units;
use crate::db::quota::{self, TeamStorage};

/// What a team keeps and may keep; with --set or --default, from now on. Prints bytes
#[derive(Args, Clone, Debug)]
pub(super) struct Quota {
    #[command(flatten)]
    common: Common,
    /// Id, or name in addresses
    team: String,
    /// What it may keep: `500 GiB`, `1TB`
    #[arg(long, value_name = "BYTES", conflicts_with = "default")]
    set: Option<String>,
    /// What teams may keep that have no quota of their own
    #[arg(long)]
    default: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// `None`: none of its own.
    quota: Option<u64>,
    used: u64,
    reserved: u64,
}

impl Quota {
    pub(super) async fn run(self) -> Result<()> {
        let json = self.common.json;
        let quota = match (self.set.as_deref(), self.default) {
            (None, false) => None,
            (None, true) => Some(None),
            (Some(text), _) => match units::bytes(text) {
                Some(bytes) => Some(Some(bytes)),
                None => bail!("`{text}` is no amount of bytes, such as 500 GiB"),
            },
        };
        let team = self.team;
        let storage = self
            .common
            .change(move |connection| {
                let team = people::team(connection, &team)?;
                if let Some(quota) = quota {
                    quota::set(connection, &team.id, quota)?;
                }
                Ok(quota::of_team(connection, &team.id)?)
            })
            .await?;
        let TeamStorage { quota, used, reserved } = storage;
        let own = quota.map_or("the server's own".to_owned(), |quota| quota.to_string());
        let lines = [format!("used {used}  reserved {reserved}  quota {own}")];
        people::print(json, &Shown { quota, used, reserved }, &lines)
    }
}
