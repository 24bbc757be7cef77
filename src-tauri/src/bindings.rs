//! The TypeScript types of what crosses to the page: generated, checked in, and current.
//!
//! `DAILIES_WRITE_BINDINGS=1 cargo test -p dailies-desktop bindings` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dailies_engine::activity::{EndedView, Form};
use dailies_engine::error::EngineError;
use dailies_engine::folders::{FolderView, Preview};
use dailies_engine::library::{DownloadView, LibraryView, NewShareLink, ShareLinkView, VideosView};
use dailies_engine::part_map::PartsView;
use dailies_engine::rules::{RulesView, Switch};
use dailies_engine::store::{EndedBefore, Episode, Spot};
use dailies_engine::view::{Added, Change, DestinationView, Page, PlaybackView, Snapshot};
use ts_rs::{Config, ExportError, TS};

use crate::opening::Opening;
use crate::own_folders::OwnFolder;
use crate::settings::Preference;
use crate::view::{ChosenFolder, DragView, RuleFaults, ServerFolder, ShellView};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/bindings");

/// With all that they are made of.
fn export(config: &Config) -> Result<(), ExportError> {
    Snapshot::export_all(config)?;
    Page::export_all(config)?;
    Spot::export_all(config)?;
    Change::export_all(config)?;
    Added::export_all(config)?;
    PlaybackView::export_all(config)?;
    DestinationView::export_all(config)?;
    PartsView::export_all(config)?;
    Episode::export_all(config)?;
    EndedView::export_all(config)?;
    EndedBefore::export_all(config)?;
    Form::export_all(config)?;
    EngineError::export_all(config)?;
    FolderView::export_all(config)?;
    Preview::export_all(config)?;
    LibraryView::export_all(config)?;
    VideosView::export_all(config)?;
    ShareLinkView::export_all(config)?;
    NewShareLink::export_all(config)?;
    DownloadView::export_all(config)?;
    RulesView::export_all(config)?;
    Switch::export_all(config)?;
    ShellView::export_all(config)?;
    Preference::export_all(config)?;
    ServerFolder::export_all(config)?;
    OwnFolder::export_all(config)?;
    Opening::export_all(config)?;
    ChosenFolder::export_all(config)?;
    RuleFaults::export_all(config)?;
    DragView::export_all(config)
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "ts"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn bindings_are_current() {
    let folder = tempfile::tempdir().unwrap();
    export(&Config::new().with_out_dir(folder.path())).unwrap();
    let (generated, kept) = (files(folder.path()), Path::new(FOLDER));
    if std::env::var_os("DAILIES_WRITE_BINDINGS").is_some() {
        for name in files(kept).keys().filter(|name| !generated.contains_key(*name)) {
            fs::remove_file(kept.join(name)).unwrap();
        }
        for (name, text) in &generated {
            fs::write(kept.join(name), text).unwrap();
        }
    }
    let kept = files(kept);
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept), names(&generated), "run `make bindings`");
    for (name, text) in &generated {
        assert_eq!(&kept[name], text, "{name} is not current: run `make bindings`");
    }
}
