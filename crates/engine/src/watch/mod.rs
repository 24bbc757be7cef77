//! Watched folders: which of their files are videos to be sent, and when such a file is finished.
//!
//! Events are hints, a scan is the truth: what an event says is looked at, and what no event said is
//! found by the next scan. Nothing is ever concluded from a file's absence: a drive that is not
//! there looks like one that is empty.
//!
//! Must not know: transfers, teams, SQL.

mod container;
mod drive;
mod events;
mod growth;
mod health;
mod hints;
mod id;
mod looks;
mod mounts;
mod names;
mod offers;
mod rules;
mod scan;
mod settle;
mod title;
mod unsettled;
mod watcher;

pub use container::{Container, inspect};
pub use growth::{Growing, Head};
pub use health::{Blind, Health, Sight, Tally};
pub use id::FolderId;
pub use looks::{Content, content_of};
pub(crate) use names::is_hidden;
pub use offers::{Answer, Ready, Stage};
pub use rules::{
    Afterwards, Existing, Filter, Namesakes, NoName, NoPattern, Pattern, Projects, Rules, Skip,
    UPLOADED, is_named_like_a_video,
};
pub use scan::{Entry, Unreadable, scan};
pub use settle::{Senses, Settle, Verdict, Version};
pub use title::{NoTemplate, Template};
pub use watcher::Watcher;

#[cfg(test)]
mod trace_tests;
#[cfg(test)]
mod watcher_tests;
