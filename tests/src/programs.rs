//! Where the programs under test lie.

use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

/// Below what Linux and others hand out.
const PORTS: Range<u32> = 20_000..32_000;
const TRIES: usize = 20;
/// The next to be tried: in one process none is handed out again before all others were, because whoever
/// was told one may take it some time later. Other processes begin elsewhere.
static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(fastrand::u16(..).into()));

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

/// How often a test kills a program again and again: so often, or as `DAILIES_KILLS` says.
///
/// # Errors
/// Where that is no number.
pub fn kills(usual: u64) -> Result<u64> {
    std::env::var("DAILIES_KILLS").map_or(Ok(usual), |kills| kills.parse().context("DAILIES_KILLS"))
}

/// A call of a program with a folder of its own on a disk of so many bytes, in memory. Linux lets
/// whoever may make a namespace mount one there.
pub(crate) fn on_a_small_disk(folder: &Path, bytes: u64, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=$1 tmpfs \"$2\" && shift 2 && exec \"$@\"");
    command.arg("sh").arg(bytes.to_string()).arg(folder).arg(program);
    command
}

/// A call of a program with mounts and limits of its own, after a shell has done something to them.
pub(crate) fn after_shell(prelude: &str, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg(format!("{prelude} && exec \"$@\"")).arg("sh").arg(program);
    command
}

/// A shell that sees the mounts of a process that was called like that.
pub(crate) fn inside(process: u32, script: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &process.to_string(), "--user", "--mount"]);
    command.args(["--preserve-credentials", "sh", "-c", script]);
    command
}

/// The library that tells programs another time of day.
///
/// # Errors
/// Where it is not installed.
#[cfg(target_os = "linux")]
pub(crate) fn faketime() -> Result<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    // Debian has a folder for each architecture.
    let below = std::fs::read_dir(&folders[0])?.flatten().map(|entry| entry.path());
    let below: Vec<_> = below.filter(|path| path.is_dir()).collect();
    let found = folders.into_iter().chain(below).find_map(|folder| {
        let library = folder.join("faketime/libfaketimeMT.so.1");
        library.is_file().then_some(library)
    });
    found.context("libfaketime is not there: install faketime")
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

/// A free address, for a program that has to be told one. Of ports that no system hands out by
/// itself: whoever asks for any port in between gets another.
///
/// # Errors
/// Where there is none.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let mut taken = None;
    for _ in 0..TRIES {
        let port = PORTS.start + NEXT.fetch_add(1, Relaxed) % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).context("no such port")?;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return Ok(listener.local_addr()?),
            Err(error) => taken = Some(error),
        }
    }
    bail!("no port is free: {taken:?}")
}
