//! Names of files that nobody means to send: hidden ones, and those of work in progress.

use std::ffi::OsStr;
use std::path::{Component, Path};

/// Endings of downloads, copies and renders that are not finished. What is finished is renamed.
const UNFINISHED: [&[u8]; 14] = [
    b"part",
    b"partial",
    b"filepart",
    b"crdownload",
    b"download",
    b"opdownload",
    b"tmp",
    b"temp",
    b"aria2",
    b"!ut",
    b"!qb",
    b"bc!",
    b"unfinished",
    b"incomplete",
];
/// Such words stand before the usual ending, too: `clip.temp.mp4`.
const UNFINISHED_INSIDE: [&[u8]; 4] = [b"part", b"partial", b"tmp", b"temp"];
/// What systems keep on a drive for themselves, besides what starts with a dot.
const OF_THE_SYSTEM: [&[u8]; 4] =
    [b"$recycle.bin", b"system volume information", b"lost+found", b"found.000"];

/// Whether a name hides what it names: of a file, or of a folder with all that is in it.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        || bytes.starts_with(b"~$")
        || OF_THE_SYSTEM.iter().any(|own| bytes.eq_ignore_ascii_case(own))
}

/// Whether a part of a path hides what it leads to.
pub(super) fn leads_through_hidden(relative: &Path) -> bool {
    relative.components().any(|part| match part {
        Component::Normal(name) => is_hidden(name),
        // A path that leaves its folder is none of the folder's.
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => true,
        Component::CurDir => false,
    })
}

/// Whether a name is that of a download, copy or render in progress.
pub(super) fn is_in_progress(name: &OsStr) -> bool {
    let mut words = name.as_encoded_bytes().rsplit(|byte| *byte == b'.');
    let (Some(ending), Some(before)) = (words.next(), words.next()) else { return false };
    let is = |word: &[u8], one: &[u8]| word.eq_ignore_ascii_case(one);
    UNFINISHED.iter().any(|one| is(ending, one))
        // With nothing before it, the word is the file's own name.
        || (words.next().is_some() && UNFINISHED_INSIDE.iter().any(|one| is(before, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_in_progress_has_its_names() {
        for name in
            ["a.mp4.part", "a.CRDOWNLOAD", "a.tmp", "talk.temp.mp4", "a.f137.part.mp4", "a.mov.!qB"]
        {
            assert!(is_in_progress(OsStr::new(name)), "{name}");
        }
        for name in ["a.mp4", "part.mp4", "temp.mov", "wedding part 2.mp4", "part", "a.parts.mkv"] {
            assert!(!is_in_progress(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_hidden_folder_hides_what_is_in_it() {
        for path in [".a.mp4", "x/.y/z.mp4", "$RECYCLE.BIN/a.mp4", "~$a.mov", "../a.mp4"] {
            assert!(leads_through_hidden(Path::new(path)), "{path}");
        }
        for path in ["a.mp4", "x/y.z/a.mp4", "~a.mp4"] {
            assert!(!leads_through_hidden(Path::new(path)), "{path}");
        }
    }
}
