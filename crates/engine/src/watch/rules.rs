//! Which files of a watched folder are sent.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

use dailies_api::videos::Visibility;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::watch::Template;
use crate::watch::names::{is_hidden, is_in_progress, leads_through_hidden};

/// Where files go that were sent, inside the watched folder, if somebody wants that.
pub const UPLOADED: &str = "Uploaded";

/// Endings that name videos. What a file holds decides, whatever its ending …
const ENDINGS: [&str; 8] = ["mp4", "m4v", "mov", "qt", "webm", "mkv", "m2ts", "m2t"];
/// … but for these: pictures, sound and previews in the containers of videos.
const OTHERS: [&str; 13] =
    ["m4a", "m4b", "m4p", "m4r", "aax", "mka", "mks", "heic", "heif", "avif", "cr3", "lrv", "thm"];

/// What somebody wants of a watched folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// Globs of which one must match, if there are any. Of the path inside the folder, or, for a
    /// glob without a slash, of the name; in letters of either case.
    #[cfg_attr(feature = "typescript", ts(type = "Array<string>"))]
    pub include: Vec<Pattern>,
    /// Globs of which none may match, of a file or of a folder that it lies in.
    #[cfg_attr(feature = "typescript", ts(type = "Array<string>"))]
    pub exclude: Vec<Pattern>,
    /// Smaller files are not sent. Bytes.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub smallest: u64,
    /// What becomes of files that are there when watching begins.
    pub existing: Existing,
    /// How videos are called.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub title: Template,
    /// What becomes of a file here once the team has it.
    pub afterwards: Afterwards,
    /// To which project files go.
    pub projects: Projects,
    /// Who may watch their videos without being of the team; `None` for whatever the team does.
    #[cfg_attr(feature = "typescript", ts(type = "\"public\" | \"private\" | null"))]
    pub visibility: Option<Visibility>,
    /// Its files go before all others of the queue that do not.
    pub first: bool,
    /// What becomes of a file for which its project has a video of the same title.
    pub namesakes: Namesakes,
    /// The folder is not watched for now. What comes into it meanwhile is new when it is again.
    pub paused: bool,
}

/// What becomes of a file for which its project has a video of the same title.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Namesakes {
    /// It becomes a video of its own.
    #[default]
    Another,
    /// It becomes the next version of that video.
    Version,
}

/// To which project the files of a watched folder go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Projects {
    /// All to the folder's own.
    #[default]
    One,
    /// What lies in a subfolder, however deep, to the team's project that is called like it. It is
    /// made where there is none.
    PerSubfolder,
}

impl Projects {
    /// The name of the project for the file at this path inside the folder; `None` for the folder's
    /// own. As teams keep names: without blanks around.
    ///
    /// # Errors
    /// [`NoName`].
    pub fn name_for(self, relative: &Path) -> Result<Option<&str>, NoName> {
        let mut parts = relative.components();
        let (Self::PerSubfolder, Some(Component::Normal(subfolder)), Some(_)) =
            (self, parts.next(), parts.next())
        else {
            return Ok(None);
        };
        match subfolder.to_str().map(str::trim) {
            Some(name) if !name.is_empty() => Ok(Some(name)),
            _ => Err(NoName),
        }
    }
}

/// A subfolder whose name no project can have: it is no Unicode, or blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no project can be called like its subfolder")]
pub struct NoName;

/// What becomes of a file that was sent, after its team has verified it. None is ever deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// It stays where it is.
    #[default]
    Nothing,
    /// It is moved into the folder [`UPLOADED`] of the watched folder.
    Move,
    /// It is put into the system's trash.
    Trash,
}

/// What becomes of files that are there when a folder is watched for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// They stay here, until they are changed.
    #[default]
    Leave,
    /// They are sent like new ones.
    Send,
}

/// Why a file is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// It is hidden, or lies in a folder that is.
    Hidden,
    /// Its name is that of a download, copy or render in progress.
    InProgress,
    /// It is no video, and is not named like one.
    NoVideo,
    /// It is named like a video, and is none by its content.
    NoVideoInside,
    /// A rule leaves it out.
    Excluded,
    /// No rule takes it in.
    NotIncluded,
    /// It is smaller than the rules want.
    TooSmall,
}

/// A glob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    glob: Glob,
}

/// Text that is no glob, or globs that are too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPattern(String);

impl FromStr for Pattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let anywhere = if text.contains('/') {
            text.trim_start_matches('/').into()
        } else {
            format!("**/{text}")
        };
        let mut glob = GlobBuilder::new(&anywhere);
        let glob = glob.literal_separator(true).case_insensitive(true).build();
        let glob = glob.map_err(|error| NoPattern(error.kind().to_string()))?;
        Ok(Self { text: text.to_owned(), glob })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = NoPattern;

    fn try_from(text: String) -> Result<Self, NoPattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

/// [`Rules`], ready to be asked about files.
#[derive(Clone, Debug)]
pub struct Filter {
    include: Option<GlobSet>,
    exclude: GlobSet,
    smallest: u64,
}

impl Filter {
    /// Makes rules ready.
    ///
    /// # Errors
    /// Where the patterns together are more than can be matched at once.
    pub fn new(rules: &Rules) -> Result<Self, NoPattern> {
        Ok(Self {
            include: match rules.include.as_slice() {
                [] => None,
                globs => Some(compiled(globs)?),
            },
            exclude: compiled(&rules.exclude)?,
            // No team takes an empty file, and many files are empty for a while.
            smallest: rules.smallest.max(1),
        })
    }

    /// Whether files in a folder can be taken at all. The path is inside the watched folder.
    #[must_use]
    pub fn enters(&self, relative: &Path) -> bool {
        !relative.file_name().is_some_and(is_hidden)
            && relative != Path::new(UPLOADED)
            && !self.exclude.is_match(relative)
    }

    /// Whether nothing in a file's name and place speaks against it. The path is inside the watched folder.
    ///
    /// # Errors
    /// The reason why not.
    pub fn takes(&self, relative: &Path) -> Result<(), Skip> {
        if relative.starts_with(UPLOADED) {
            return Err(Skip::Excluded);
        }
        if leads_through_hidden(relative) {
            return Err(Skip::Hidden);
        }
        if relative.file_name().is_some_and(is_in_progress) {
            return Err(Skip::InProgress);
        }
        if relative.extension().is_some_and(|ending| is_one_of(&OTHERS, ending)) {
            return Err(Skip::NoVideo);
        }
        if relative.ancestors().any(|part| self.exclude.is_match(part)) {
            return Err(Skip::Excluded);
        }
        match &self.include {
            Some(include) if !include.is_match(relative) => Err(Skip::NotIncluded),
            _ => Ok(()),
        }
    }

    /// Whether a file is sent, of that path and size.
    #[must_use]
    pub fn takes_all_of(&self, relative: &Path, size: u64) -> bool {
        self.takes(relative).and_then(|()| self.fits(size)).is_ok()
    }

    /// Whether a file is large enough.
    ///
    /// # Errors
    /// [`Skip::TooSmall`].
    pub fn fits(&self, size: u64) -> Result<(), Skip> {
        if size < self.smallest { Err(Skip::TooSmall) } else { Ok(()) }
    }
}

/// Whether a file is named like a video.
#[must_use]
pub fn is_named_like_a_video(path: &Path) -> bool {
    path.extension().is_some_and(|ending| is_one_of(&ENDINGS, ending))
}

fn is_one_of(endings: &[&str], ending: &OsStr) -> bool {
    endings.iter().any(|one| ending.eq_ignore_ascii_case(one))
}

fn compiled(patterns: &[Pattern]) -> Result<GlobSet, NoPattern> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(pattern.glob.clone());
    }
    set.build().map_err(|error| NoPattern(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let own = |globs: &[&str]| globs.iter().map(|glob| glob.parse().unwrap()).collect();
        let rules = Rules { include: own(include), exclude: own(exclude), ..Rules::default() };
        Filter::new(&rules).unwrap()
    }

    fn verdict(filter: &Filter, path: &str) -> Result<(), Skip> {
        filter.takes(Path::new(path))
    }

    #[test]
    fn each_reason_is_told() {
        let all = filter(&[], &["proxies", "*_draft.*"]);
        assert_eq!(verdict(&all, "day 1/A001.MOV"), Ok(()));
        assert_eq!(verdict(&all, "day 1/.A001.mov"), Err(Skip::Hidden));
        assert_eq!(verdict(&all, "A001.temp.mov"), Err(Skip::InProgress));
        assert_eq!(verdict(&all, "A001.mov.part"), Err(Skip::InProgress));
        assert_eq!(verdict(&all, "A001.M4A"), Err(Skip::NoVideo));
        assert_eq!(verdict(&all, "A001.dat"), Ok(()), "what is in it decides");
        assert_eq!(verdict(&all, "day 1/Proxies/x/A001.mov"), Err(Skip::Excluded));
        assert_eq!(verdict(&all, "cut_DRAFT.mov"), Err(Skip::Excluded));
        assert_eq!(verdict(&all, "Uploaded/A001.mov"), Err(Skip::Excluded));
        let some = filter(&["export/**", "*.mkv"], &[]);
        assert_eq!(verdict(&some, "export/a/b.mov"), Ok(()));
        assert_eq!(verdict(&some, "x/b.mkv"), Ok(()));
        assert_eq!(verdict(&some, "x/b.mov"), Err(Skip::NotIncluded));
        assert_eq!(some.fits(0), Err(Skip::TooSmall));
        assert_eq!(some.fits(1), Ok(()));
    }

    #[test]
    fn a_pattern_is_kept_as_its_text() {
        assert!("a[".parse::<Pattern>().is_err());
        let rules = Rules { exclude: vec!["/a/*.mov".parse().unwrap()], ..Rules::default() };
        let json = serde_json::to_string(&rules).unwrap();
        assert!(json.contains(r#""exclude":["/a/*.mov"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
        assert!(serde_json::from_str::<Rules>(r#"{"include":["a["]}"#).is_err());
    }

    #[test]
    fn the_topmost_subfolder_names_the_project() {
        let name = |projects: Projects, path| {
            projects.name_for(Path::new(path)).map(|name| name.map(str::to_owned))
        };
        assert_eq!(name(Projects::One, "day 1/a.mp4"), Ok(None));
        assert_eq!(name(Projects::PerSubfolder, "a.mp4"), Ok(None));
        assert_eq!(name(Projects::PerSubfolder, " day 1/card/a.mp4"), Ok(Some("day 1".into())));
        assert_eq!(name(Projects::PerSubfolder, " /a.mp4"), Err(NoName));
    }

    #[cfg(unix)]
    #[test]
    fn a_name_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = OsStr::from_bytes(b"clip \xff\n\xe2\x80\xae.mp4");
        assert_eq!(filter(&["*.mp4"], &[]).takes(Path::new(name)), Ok(()));
        let inside = Path::new(name).join("a.mp4");
        assert_eq!(Projects::PerSubfolder.name_for(&inside), Err(NoName));
    }

    proptest! {
        /// A folder that is not entered has no file that is taken: a scan and an event agree.
        #[test]
        fn scans_and_events_agree(parts in prop::collection::vec("[.]?[a-c~$]{1,3}|Uploaded", 1..5)) {
            let filter = filter(&[], &["b*", "a/c"]);
            let path = parts.join("/") + "/x.mp4";
            let path = Path::new(&path);
            let folders = path.ancestors().skip(1).filter(|folder| folder.parent().is_some());
            let entered = folders.into_iter().all(|folder| filter.enters(folder));
            prop_assert_eq!(filter.takes(path).is_ok(), entered);
        }
    }
}
