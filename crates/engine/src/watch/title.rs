//! Titles of videos out of a template.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Characters of a title, at the most.
const LONGEST: usize = 200;

/// How a video is called: text with `{name}`, `{date}` and `{folder}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The file's name without its ending.
    Name,
    /// The day of its last change, as 2026-11-21.
    Date,
    /// The name of the folder that it lies in.
    Folder,
}

/// Text that is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTemplate {
    /// There is no such word.
    #[error("{{{0}}} is none of {{name}}, {{date}} and {{folder}}")]
    Unknown(String),
    /// A brace stands alone.
    #[error("a brace has no other")]
    Brace,
    /// Every video would have the same title, or none.
    #[error("a title has {{name}}, {{date}} or {{folder}} in it")]
    Fixed,
}

impl Default for Template {
    fn default() -> Self {
        Self(vec![Piece::Name])
    }
}

impl FromStr for Template {
    type Err = NoTemplate;

    fn from_str(text: &str) -> Result<Self, NoTemplate> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, braced) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let braced = braced.strip_prefix('{').ok_or(NoTemplate::Brace)?;
            let (word, after) = braced.split_once('}').ok_or(NoTemplate::Brace)?;
            pieces.push(match word {
                "name" => Piece::Name,
                "date" => Piece::Date,
                "folder" => Piece::Folder,
                _ => return Err(NoTemplate::Unknown(word.to_owned())),
            });
            rest = after;
        }
        if pieces.is_empty() || pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(NoTemplate::Fixed);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Name => f.write_str("{name}"),
            Piece::Date => f.write_str("{date}"),
            Piece::Folder => f.write_str("{folder}"),
        })
    }
}

impl TryFrom<String> for Template {
    type Error = NoTemplate;

    fn try_from(text: String) -> Result<Self, NoTemplate> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

impl Template {
    /// The title of the file at `path`, which was changed last on `date`. Never blank: no team
    /// takes a title of blanks only.
    #[must_use]
    pub fn title(&self, path: &Path, date: Date) -> String {
        let lossy = |name: Option<&std::ffi::OsStr>| {
            name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let mut title = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => title.push_str(text),
                Piece::Name => title.push_str(&lossy(path.file_stem())),
                Piece::Date => title.push_str(&date.to_string()),
                Piece::Folder => title.push_str(&lossy(path.parent().and_then(Path::file_name))),
            }
        }
        if title.trim().is_empty() {
            title = lossy(path.file_name());
        }
        title.chars().take(LONGEST).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in() {
        let date = Date::constant(2026, 11, 21);
        let title = |template: &str, path: &str| {
            template.parse::<Template>().unwrap().title(Path::new(path), date)
        };
        assert_eq!(title("{name}", "/f/reel 4.final.mov"), "reel 4.final");
        assert_eq!(title("{date} {folder}: {name}", "/x/day 1/a.mp4"), "2026-11-21 day 1: a");
        assert_eq!(title("{name}", "/f/ .mov"), " .mov");
        assert_eq!(title("{name}", &format!("/f/{}.mov", "ü".repeat(250))).chars().count(), 200);
    }

    #[test]
    fn what_is_no_template_says_why() {
        let error = |text: &str| text.parse::<Template>().unwrap_err();
        assert_eq!(error("{nam}"), NoTemplate::Unknown("nam".into()));
        assert_eq!(error("{name"), NoTemplate::Brace);
        assert_eq!(error("name}"), NoTemplate::Brace);
        assert_eq!(error(""), NoTemplate::Fixed);
        assert_eq!(error("rushes"), NoTemplate::Fixed);
    }

    #[test]
    fn a_template_is_kept_as_its_text() {
        for text in ["{name}", "{date} – {folder}/{name} (raw)"] {
            let template: Template = text.parse().unwrap();
            assert_eq!(template.to_string(), text);
            let json = serde_json::to_string(&template).unwrap();
            assert_eq!(serde_json::from_str::<Template>(&json).unwrap(), template);
        }
    }
}
