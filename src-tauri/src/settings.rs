//! What the shell remembers between two starts. No secrets.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use url::Url;

/// Which team this computer belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Choice {
    /// None was chosen.
    #[default]
    None,
    /// The one on this computer.
    ThisComputer,
    /// Another one. Its key is in the keychain, under this address.
    Server {
        /// Its address.
        url: Url,
    },
}

/// The remembered values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Values {
    /// Which team.
    pub(crate) team: Choice,
    /// It was said that uploads go on when the window is closed.
    pub(crate) told_that_uploads_go_on: bool,
}

/// The file that they are in.
#[derive(Debug)]
pub(crate) struct Settings {
    file: PathBuf,
    values: Values,
}

impl Settings {
    /// Reads them. A file that cannot be read means none: they can all be chosen again.
    #[must_use]
    pub(crate) fn open(folder: &Path) -> Self {
        let file = folder.join("settings.json");
        let values = match read(&file) {
            Ok(values) => values,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Values::default(),
            Err(error) => {
                tracing::warn!(%error, "the settings cannot be read; starting without");
                Values::default()
            }
        };
        Self { file, values }
    }

    /// What they are.
    #[must_use]
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// Changes them, and writes them if they did change.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Values)) {
        let before = self.values.clone();
        change(&mut self.values);
        if self.values != before
            && let Err(error) = write(&self.file, &self.values)
        {
            tracing::error!(%error, "the settings cannot be kept; they are lost at the next start");
        }
    }
}

fn read(file: &Path) -> io::Result<Values> {
    serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)
}

/// Whole or not at all, whenever the power goes.
fn write(file: &Path, values: &Values) -> io::Result<()> {
    let next = file.with_extension("json.next");
    let json = serde_json::to_vec_pretty(values).map_err(io::Error::other)?;
    {
        let mut written = fs::File::create(&next)?;
        io::Write::write_all(&mut written, &json)?;
        written.sync_all()?;
    }
    fs::rename(next, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::parse("https://team.example/").unwrap();
        let mut settings = Settings::open(folder.path());
        assert_eq!(settings.values(), &Values::default());
        settings.change(|values| values.team = Choice::Server { url: url.clone() });
        let again = Settings::open(folder.path());
        assert_eq!(again.values().team, Choice::Server { url });
    }

    #[test]
    fn a_damaged_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("settings.json"), "{").unwrap();
        assert_eq!(Settings::open(folder.path()).values(), &Values::default());
    }
}
