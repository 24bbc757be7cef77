//! The configuration file: TOML, of which only the keys in the table of settings are taken.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::oidc;
use super::settings::{Kind, SECTIONS, SETTINGS, Setting};

/// Bytes; a file of every setting has a few thousand.
const LARGEST: u64 = 1 << 20;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system does not give it.
    #[error("the configuration file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// Others than its owner and group may read it, and a secret is in it.
    #[error("{file} has a secret in it (`{key}`) and anyone may read it: chmod o-rwx {file}")]
    Exposed {
        /// The file.
        file: String,
        /// The secret's key.
        key: String,
    },
    /// A line is wrong.
    #[error("{file}, line {line}: {message}")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to do. Never a value.
        message: String,
    },
}

/// A setting as a file says it.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) value: String,
    pub(super) line: usize,
}

/// What a file says, by the setting's name in the environment.
pub(super) type Values = HashMap<&'static str, Said>;

/// What is wrong in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) message: String,
}

pub(super) fn read(path: &Path) -> Result<Values, FileError> {
    let unreadable = |error| FileError::Unreadable(path.to_owned(), error);
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.len() > LARGEST {
        return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let file = path.display().to_string();
    let values = parse(&text).map_err(|Wrong { line, message }| FileError::Line {
        file: file.clone(),
        line,
        message,
    })?;
    let secret = SETTINGS
        .iter()
        .find(|setting| setting.kind == Kind::Secret && values.contains_key(setting.variable));
    match secret {
        Some(Setting { section, key, .. }) if anyone_may_read(&metadata) => {
            Err(FileError::Exposed { file, key: format!("{section}.{key}") })
        }
        _ => Ok(values),
    }
}

fn anyone_may_read(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.mode() & 0o007 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// What the file says of each identity provider, where it names several: tables `[[oidc]]`.
pub(super) fn read_issuers(path: &Path) -> Result<Vec<Values>, FileError> {
    let unreadable = |error| FileError::Unreadable(path.to_owned(), error);
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    issuers(&text).map_err(|Wrong { line, message }| FileError::Line {
        file: path.display().to_string(),
        line,
        message,
    })
}

pub(super) fn issuers(text: &str) -> Result<Vec<Values>, Wrong> {
    let document = document(text)?;
    let list = document.get_ref().get(oidc::SECTION).and_then(|value| value.get_ref().as_array());
    let one = |item: &Spanned<DeValue<'_>>| {
        let wrong = || Wrong {
            line: line(text, item.span().start),
            message: format!("write each as a table [[{}]]", oidc::SECTION),
        };
        let mut values = Values::new();
        let table = item.get_ref().as_table().ok_or_else(wrong)?;
        section(text, oidc::SECTION, table, &mut values)?;
        Ok(values)
    };
    list.map(|list| list.iter().map(one).collect()).unwrap_or_else(|| Ok(Vec::new()))
}

fn document(text: &str) -> Result<Spanned<DeTable<'_>>, Wrong> {
    DeTable::parse(text).map_err(|error| {
        // The message names what was expected; the line it would also show may hold a secret.
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().next().unwrap_or_default();
        Wrong { line: line(text, at), message: format!("not TOML: {message}") }
    })
}

/// Counted from 1.
fn line(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

pub(super) fn parse(text: &str) -> Result<Values, Wrong> {
    let line = |at| line(text, at);
    let document = document(text)?;
    let mut values = Values::new();
    for (section, table) in document.get_ref() {
        let at = line(section.span().start);
        let name = section.get_ref().as_ref();
        if name == oidc::SECTION && table.get_ref().is_array() {
            continue;
        }
        let Some(table) = table.get_ref().as_table() else {
            let message = format!("`{name}` must be a table, such as [{}]", nearest_section(name));
            return Err(Wrong { line: at, message });
        };
        if !SECTIONS.iter().any(|(known, _)| *known == name) {
            let message = format!("no table [{name}]; did you mean [{}]?", nearest_section(name));
            return Err(Wrong { line: at, message });
        }
        self::section(text, name, table, &mut values)?;
    }
    Ok(values)
}

fn section(text: &str, name: &str, table: &DeTable<'_>, values: &mut Values) -> Result<(), Wrong> {
    for (key, value) in table {
        let at = line(text, key.span().start);
        let key = key.get_ref().as_ref();
        let known = SETTINGS.iter().find(|setting| setting.section == name && setting.key == key);
        let Some(setting) = known else {
            let message =
                format!("no setting `{name}.{key}`; did you mean {}?", nearest(name, key));
            return Err(Wrong { line: at, message });
        };
        let Some(value) = plain(value.get_ref()) else {
            let message = format!("`{name}.{key}` must be a text or a number");
            return Err(Wrong { line: at, message });
        };
        if !value.is_empty() {
            values.insert(setting.variable, Said { value, line: at });
        }
    }
    Ok(())
}

/// A value as the environment would write it.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.trim().to_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        DeValue::Boolean(is) => Some(is.to_string()),
        DeValue::Array(list) => {
            let texts: Option<Vec<String>> =
                list.iter().map(|item| plain(item.get_ref())).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

fn nearest_section(name: &str) -> &'static str {
    let names = SECTIONS.iter().map(|(known, _)| *known);
    names.min_by_key(|known| distance(known, name)).unwrap_or_default()
}

/// The known setting that looks most like it: first in its own table, then anywhere.
fn nearest(section: &str, key: &str) -> String {
    let alike = |setting: &&Setting| {
        (distance(setting.key, key), setting.section != section, distance(setting.section, section))
    };
    let same_key = SETTINGS.iter().find(|setting| setting.key == key);
    let nearest = same_key.or_else(|| SETTINGS.iter().min_by_key(alike));
    nearest.map_or_else(String::new, |setting| format!("`{}.{}`", setting.section, setting.key))
}

/// The known variable that looks most like it.
pub(crate) fn nearest_variable(name: &str) -> &'static str {
    let names = SETTINGS.iter().map(|setting| setting.variable);
    names.min_by_key(|known| distance(known, name)).unwrap_or_default()
}

/// Levenshtein's.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> (usize, String) {
        match parse(text) {
            Err(Wrong { line, message }) => (line, message),
            Ok(_) => panic!("taken: {text}"),
        }
    }

    #[test]
    fn values_of_every_form_are_read_as_the_environment_writes_them() {
        let text = "[uploads]\npart_size = 8_388_608\n[server]\n\
                    trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nlisten = \"127.0.0.1:1\"\n";
        let values = parse(text).expect("it is good");
        assert_eq!(values["DAILIES_PART_SIZE"].value, "8388608");
        assert_eq!(values["DAILIES_PART_SIZE"].line, 2);
        assert_eq!(values["DAILIES_TRUSTED_PROXIES"].value, "10.0.0.0/8,::1");
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_nearest_name() {
        let (line, message) = refused("[storage]\n\nbuckett = \"b\"\n");
        assert_eq!(
            (line, message.as_str()),
            (3, "no setting `storage.buckett`; did you mean `storage.bucket`?")
        );
        let (_, message) = refused("[storge]\nbucket = \"b\"\n");
        assert!(message.ends_with("did you mean [storage]?"), "{message}");
        let (_, message) = refused("[server]\nbucket = \"b\"\n");
        assert!(message.ends_with("did you mean `storage.bucket`?"), "{message}");
    }

    #[test]
    fn several_issuers_stand_in_tables_of_their_own() {
        let text = "[[oidc]]\nissuer = \"https://a.test\"\naudience = [\"d\", \"e\"]\n\
                    [[oidc]]\nissuer = \"https://b.test\"\ncreate_users = false\n";
        assert_eq!(parse(text).map(|values| values.len()).ok(), Some(0));
        let issuers = issuers(text).ok().expect("both are good");
        let said = |at: usize, name| issuers[at].get(name).map(|said: &Said| said.value.as_str());
        assert_eq!(said(0, "DAILIES_OIDC_AUDIENCE"), Some("d,e"));
        assert_eq!(said(1, "DAILIES_OIDC_ISSUER"), Some("https://b.test"));
        assert_eq!(said(1, "DAILIES_OIDC_CREATE_USERS"), Some("false"));
        let wrong = super::issuers("[[oidc]]\n\nissuers = \"https://a.test\"\n").err();
        let wrong = wrong.expect("no such key");
        assert_eq!(wrong.line, 3);
        assert!(wrong.message.ends_with("did you mean `oidc.issuer`?"), "{}", wrong.message);
    }

    #[test]
    fn a_broken_line_is_named_and_not_shown() {
        let (line, message) = refused("[mux]\ntoken_secret = \"canary\n");
        assert_eq!(line, 2);
        assert!(!message.contains("canary"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_anyone_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("c.toml");
        let mode = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, mode).expect("it is ours");
        };
        std::fs::write(&file, "[metrics]\ntoken = \"canary\"\n").expect("it can be written");
        mode(0o644);
        assert!(matches!(read(&file), Err(FileError::Exposed { .. })));
        mode(0o640);
        assert_eq!(read(&file).map_err(|error| error.to_string()).expect("private").len(), 1);
        std::fs::write(&file, "[server]\ndrain = 5\n").expect("it can be written");
        mode(0o644);
        assert!(read(&file).is_ok(), "without a secret anyone may read it");
    }
}
