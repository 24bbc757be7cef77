//! The data folder: whether it is ours to write, and whether there is room.

use std::path::Path;

use super::Report;
use crate::config::Config;

const GIB: u64 = 1 << 30;
/// Below this an upload of one usual original does not fit.
const LITTLE: u64 = 10 * GIB;
/// Below this not even the databases can be trusted to grow.
const NOTHING: u64 = GIB / 4;

pub(super) fn writable(config: &Config) -> Report {
    const NAME: &str = "data_folder";
    let folder = &config.data;
    let existing = nearest(folder);
    // In the folder that is there: one that `serve` would make is not made by asking.
    match tempfile_in(existing) {
        Ok(()) if existing == folder.as_path() => {
            Report::ok(NAME, format!("{} can be written", folder.display()))
        }
        Ok(()) => Report::ok(NAME, format!("{} can be made", folder.display())),
        Err(error) => Report::failed(
            NAME,
            format!("{} cannot be written ({error}): give it to this user", existing.display()),
        ),
    }
}

pub(super) fn space(config: &Config) -> Report {
    const NAME: &str = "disk";
    match crate::data_folder::free_space(nearest(&config.data)) {
        Err(error) => Report::warning(NAME, format!("free space cannot be asked for ({error})")),
        Ok(free) => {
            let message = format!("{:.1} GiB are free", free as f64 / GIB as f64);
            match free {
                ..NOTHING => Report::failed(NAME, format!("only {message}: make room")),
                NOTHING..LITTLE => Report::warning(NAME, format!("only {message}")),
                _ => Report::ok(NAME, message),
            }
        }
    }
}

/// The folder itself, or the nearest above it that is there.
fn nearest(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|folder| folder.exists());
    there.unwrap_or_else(|| Path::new("."))
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".dailies-check-{}", crate::random::id()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
    drop(made);
    std::fs::remove_file(&probe)
}
