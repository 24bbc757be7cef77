//! Clients that nobody here wrote, and what they need installed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use crate::programs::kept;

/// Of `counterparts/package.json`.
const NODE_PACKAGES: [&str; 6] = [
    "convex",
    "oidc-provider",
    "@mux/mux-node",
    "@mux/mux-player",
    "@mux/upchunk",
    "playwright-core",
];
/// A package registry may be slow.
const INSTALLING: Duration = Duration::from_secs(300);

/// The scripts of this package.
#[must_use]
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("counterparts")
}

/// Runs a command to its end and answers its output.
///
/// # Errors
/// With all it wrote, for any exit code but 0 and after `limit`.
pub async fn run(limit: Duration, command: &mut Command) -> Result<String> {
    let shown = format!("{:?}", command.as_std().get_program());
    let running = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{shown} cannot be run"))?;
    let Ok(done) = tokio::time::timeout(limit, running.wait_with_output()).await else {
        bail!("{shown} still runs after {limit:?}");
    };
    let done = done?;
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let errors = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{shown} ended with {}:\n{out}\n{errors}", done.status);
    Ok(out)
}

/// Installs the packages of `counterparts/package.json`, if they are not there.
///
/// # Errors
/// Where npm is missing or fails.
pub async fn node_packages() -> Result<()> {
    let lock = lock("node")?;
    let there = |name| scripts().join("node_modules").join(name).is_dir();
    if !NODE_PACKAGES.into_iter().all(there) {
        let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        run(INSTALLING, npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(scripts())).await?;
    }
    drop(lock);
    Ok(())
}

/// Installs what the web UI's own tests drive Chromium with, if it is not there; its folder.
///
/// # Errors
/// As [`node_packages`].
pub async fn browser_packages() -> Result<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    let lock = lock("browser")?;
    if !ui.join("node_modules/playwright-core").is_dir() {
        let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        run(INSTALLING, npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&ui)).await?;
    }
    drop(lock);
    Ok(ui)
}

/// An environment for Python with what `counterparts/requirements.txt` names: boto3, the AWS CLI,
/// rclone, s5cmd, an emulator of Google Cloud Storage. Answers the folder of its programs.
///
/// # Errors
/// Where Python is missing or the packages cannot be had.
pub async fn python() -> Result<PathBuf> {
    let lock = lock("python")?;
    let folder = kept("venv")?;
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let done = folder.join("e2e-packages.txt");
    let requirements = scripts().join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    if std::fs::read_to_string(&done).ok().as_ref() != Some(&wanted) {
        let python = if cfg!(windows) { "python" } else { "python3" };
        run(INSTALLING, Command::new(python).args(["-m", "venv"]).arg(&folder)).await?;
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        run(INSTALLING, pip.arg("--requirement").arg(requirements)).await?;
        std::fs::write(&done, wanted)?;
    }
    drop(lock);
    Ok(programs)
}

/// Tests run at the same time, each in a process of its own.
fn lock(name: &str) -> Result<File> {
    let lock = File::create(kept("venv")?.with_file_name(format!("{name}.lock")))?;
    lock.lock()?;
    Ok(lock)
}
