//! What the shell remembers between two starts. No secrets.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use url::Url;

/// A team server that somebody connected to, other than the one on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Team {
    /// Its address.
    pub(crate) url: Url,
    /// What opens it.
    pub(crate) by: By,
}

/// What opens a team server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// An API key, which the keychain has under the server's address.
    Key,
    /// A sign-in in the browser, which the engine's vault has.
    Browser,
}

/// What somebody prefers of the app itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Preferences {
    /// The colours.
    pub(crate) theme: Theme,
    /// The words.
    pub(crate) language: Language,
    /// Whether it is said that a video can be played.
    pub(crate) notify_ready: bool,
    /// Whether it is said that an upload waits for somebody.
    pub(crate) notify_needs: bool,
    /// Whether it is said that everything is sent.
    pub(crate) notify_sent: bool,
    /// Whether the log says more than usual.
    pub(crate) detailed_log: bool,
    /// Whether newer versions are looked for without anybody asking.
    pub(crate) check_updates: bool,
}

/// One of the preferences, as somebody wants it from now on. The page says no more than that: what it knows of the
/// others may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) enum Preference {
    /// [`Preferences::theme`].
    Theme(Theme),
    /// [`Preferences::language`].
    Language(Language),
    /// [`Preferences::notify_ready`].
    NotifyReady(bool),
    /// [`Preferences::notify_needs`].
    NotifyNeeds(bool),
    /// [`Preferences::notify_sent`].
    NotifySent(bool),
    /// [`Preferences::detailed_log`].
    DetailedLog(bool),
    /// [`Preferences::check_updates`].
    CheckUpdates(bool),
}

impl Preferences {
    /// Changes one of them.
    pub(crate) fn set(&mut self, preference: Preference) {
        match preference {
            Preference::Theme(theme) => self.theme = theme,
            Preference::Language(language) => self.language = language,
            Preference::NotifyReady(on) => self.notify_ready = on,
            Preference::NotifyNeeds(on) => self.notify_needs = on,
            Preference::NotifySent(on) => self.notify_sent = on,
            Preference::DetailedLog(on) => self.detailed_log = on,
            Preference::CheckUpdates(on) => self.check_updates = on,
        }
    }
}

/// The colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// As the system's.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    /// The system's, where there are words for it.
    #[default]
    System,
    /// English.
    En,
    /// German.
    De,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            language: Language::default(),
            notify_ready: true,
            notify_needs: true,
            notify_sent: true,
            detailed_log: false,
            check_updates: true,
        }
    }
}

/// The remembered values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Values {
    /// The team servers, in the order in which they were connected.
    pub(crate) teams: Vec<Team>,
    /// The team server on this computer is wanted.
    pub(crate) this_computer: bool,
    /// It was said that uploads go on when the window is closed.
    pub(crate) told_that_uploads_go_on: bool,
    /// The app ended to start again. The system starts it with the command line of the first start,
    /// which was obeyed then.
    pub(crate) starts_again: bool,
    /// What somebody prefers.
    pub(crate) preferences: Preferences,
}

impl Values {
    /// A server is opened by something, from now on.
    pub(crate) fn put(&mut self, team: Team) {
        match self.teams.iter_mut().find(|other| other.url == team.url) {
            Some(known) => *known = team,
            None => self.teams.push(team),
        }
    }
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
        for by in [By::Key, By::Browser] {
            settings.change(|values| values.put(Team { url: url.clone(), by }));
        }
        settings.change(|values| values.preferences.theme = Theme::Dark);
        let again = Settings::open(folder.path());
        assert_eq!(again.values().teams, [Team { url, by: By::Browser }]);
        assert_eq!(again.values().preferences.theme, Theme::Dark);
        assert!(again.values().preferences.notify_ready);
    }

    #[test]
    fn a_damaged_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("settings.json"), "{").unwrap();
        assert_eq!(Settings::open(folder.path()).values(), &Values::default());
    }
}
