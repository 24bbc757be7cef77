//! Each target on edits of its seeds. `PROPTEST_CASES` says how many; what fails is made smaller.
//!
//! `DAILIES_FUZZ_SEEDS=FOLDER` writes the seeds instead, as the first corpora of `fuzz/`.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{TARGETS, Target, find};

/// Of each target, in a usual test run.
const CASES: u32 = 2000;
/// Edits of one input at the most.
const EDITS: usize = 6;

/// What parsers trip over.
const SPLINTERS: [&str; 28] = [
    "",
    "\0",
    "\n",
    "\r\n",
    "\n\n",
    " ",
    "\"",
    "'",
    "\\",
    "/",
    "../",
    "%00",
    "%2e%2e%2f",
    "=",
    ",",
    ".",
    "{",
    "[[",
    "<",
    "&#0;",
    "]]>",
    "-1",
    "0",
    "18446744073709551616",
    "1e999",
    "null",
    "\u{202e}",
    "\u{fffd}é漢",
];

#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Insert(Index, &'static str),
    Cut(Index, Index),
    /// A piece, again and again.
    Repeat(Index, Index, u16),
    /// Goes on as another seed does.
    Cross(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (at(), proptest::sample::select(&SPLINTERS[..])).prop_map(|(at, it)| Edit::Insert(at, it)),
        (at(), at()).prop_map(|(one, other)| Edit::Cut(one, other)),
        (at(), at(), 2..200_u16).prop_map(|(one, other, n)| Edit::Repeat(one, other, n)),
        (at(), at(), at()).prop_map(|(at, seed, from)| Edit::Cross(at, seed, from)),
    ]
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[&str]) {
        let ends = |bytes: &[u8], one: &Index, other: &Index| {
            let (one, other) = (one.index(bytes.len() + 1), other.index(bytes.len() + 1));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Flip(at, bit) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Flip(..) => {}
            Self::Insert(at, splinter) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, splinter.bytes());
            }
            Self::Cut(one, other) => drop(bytes.drain(ends(bytes, one, other))),
            Self::Repeat(one, other, times) => {
                let piece = ends(bytes, one, other);
                // Large enough for every limit but those on a whole body.
                let times = usize::from(*times).min((64 << 10) / piece.len().max(1));
                let again = bytes[piece.clone()].repeat(times);
                bytes.splice(piece.end..piece.end, again);
            }
            Self::Cross(at, seed, from) => {
                let seed = seed.get(seeds).as_bytes();
                bytes.truncate(at.index(bytes.len() + 1));
                bytes.extend_from_slice(&seed[from.index(seed.len() + 1)..]);
            }
        }
    }
}

fn hold(target: &Target) {
    target.seeds.iter().for_each(|seed| target.run(seed.as_bytes()));
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config =
        Config { cases: cases.unwrap_or(CASES), failure_persistence: None, ..Config::default() };
    let input =
        (any::<Index>(), proptest::collection::vec(edit(), 1..=EDITS)).prop_map(|(seed, edits)| {
            let mut bytes = seed.get(target.seeds).as_bytes().to_vec();
            edits.iter().for_each(|edit| edit.apply(&mut bytes, target.seeds));
            bytes
        });
    let held = TestRunner::new(config).run(&input, |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        std::panic::catch_unwind(|| target.run(&bytes)).map_err(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            TestCaseError::fail(format!(
                "{}: {} on {text:?}",
                target.name,
                said.unwrap_or_default()
            ))
        })
    });
    held.unwrap_or_else(|failure| panic!("{failure}"));
}

/// One test for each row of the table, so that they run at the same time and fail by name.
macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() { hold(find(stringify!($name)).expect("it is in the table")); })*

        #[test]
        fn every_target_has_a_test() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
        }
    };
}

tests! {
    function_call content_type token key_set playback_token playlist range webhook configuration
    s3_request s3_xml direct_upload form chunked_session
}

#[test]
fn seeds_are_written_where_they_are_wanted() {
    let Some(folder) = std::env::var_os("DAILIES_FUZZ_SEEDS") else { return };
    for target in TARGETS {
        let folder = std::path::Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (number, seed) in target.seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).expect("it can be written");
        }
    }
}
