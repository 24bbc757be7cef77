//! Where the programs under test lie.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// The folder of this build's programs: tests lie one deeper, in `deps/`.
///
/// # Errors
/// Where the system does not say what runs.
pub fn build_folder() -> Result<PathBuf> {
    let own = std::env::current_exe().context("the system does not say where this test lies")?;
    let beside = own.parent().context("this test lies in no build folder")?;
    let folder = if beside.ends_with("deps") { beside.parent() } else { Some(beside) };
    Ok(folder.context("this test lies in no build folder")?.to_owned())
}

/// One of the programs under test.
///
/// # Errors
/// Where it was not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = build_folder()?.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    ensure!(
        path.is_file(),
        "{} is not there: run `cargo build -p dailies-server -p dailies-cli` first",
        path.display()
    );
    Ok(path)
}

/// A folder for what is kept between runs, such as clips, beside the builds.
///
/// # Errors
/// Where it cannot be made.
pub(crate) fn kept(name: &str) -> Result<PathBuf> {
    let build = build_folder()?;
    let folder = build.parent().context("the build folder has no parent")?.join(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

/// A free address now, for a program that has to be told one; who takes it in between makes the
/// start fail.
///
/// # Errors
/// Where there is none.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
