//! Who paints the page on a computer without a graphics card (Linux).
//!
//! WebKitGTK paints by OpenGL since 2.46 (<https://blogs.igalia.com/carlosgc/2024/09/27>). Where no card does that
//! work, the processor does it in OpenGL's place, and slower than WebKit's own painting threads would:
//! docs/benchmarks.md. Which of the two it is, WebKit reads from the environment.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "WEBKIT_SKIA_ENABLE_CPU_RENDERING";
/// Where the kernel has what can compute a picture, as `renderD128` and on.
const DEVICES: &str = "/dev/dri";

/// Starts this program anew, in its own place, where WebKit's own threads are to paint. Whoever has
/// set the variable himself is left alone.
pub(crate) fn choose() {
    if std::env::var_os(VARIABLE).is_some() || has_card(Path::new(DEVICES)) {
        return;
    }
    let mut words = std::env::args_os();
    let (Ok(program), Some(name)) = (std::env::current_exe(), words.next()) else { return };
    let error = Command::new(program).arg0(name).args(words).env(VARIABLE, "1").exec();
    eprintln!("Dailies draws slowly here: it could not start itself anew ({error})");
}

fn has_card(devices: &Path) -> bool {
    let is_card = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"renderD");
    std::fs::read_dir(devices)
        .is_ok_and(|mut found| found.any(|entry| entry.is_ok_and(|e| is_card(&e.file_name()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_alone_is_no_card() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_card(&folder.path().join("dri")));
        std::fs::write(folder.path().join("card0"), "").unwrap();
        assert!(!has_card(folder.path()));
        std::fs::write(folder.path().join("renderD128"), "").unwrap();
        assert!(has_card(folder.path()));
    }
}
