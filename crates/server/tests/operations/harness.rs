//! A server on free ports, reached by HTTP as bytes and as a client would.

use std::path::Path;
use std::time::Duration;

use dailies_api::credentials::Credentials;
use dailies_server::app::App;
use dailies_server::config::Config;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any limit that a test sets, on a busy computer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) credentials: Credentials,
    pub(crate) http: reqwest::Client,
    pub(crate) data: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(data.path().to_owned());
        change(&mut config);
        let app = Box::pin(App::start(config)).await.unwrap();
        let credentials = credentials(data.path());
        Self { app, credentials, http: client(), data }
    }

    pub(crate) fn key(&self) -> &str {
        self.credentials.api_key.expose_secret()
    }

    /// Where the team API listens, without its scheme.
    pub(crate) fn address(&self) -> String {
        self.app.url().split_once("://").unwrap().1.to_owned()
    }

    /// A call of a function that only reads.
    pub(crate) fn query(&self, key: Option<&str>) -> reqwest::RequestBuilder {
        let body = json!({"path": "projects:listUploadTargets", "args": {}, "format": "json"});
        let post = self.http.post(format!("{}/api/query", self.app.url())).json(&body);
        match key {
            Some(key) => post.bearer_auth(key),
            None => post,
        }
    }

    /// The value of a function that must succeed.
    pub(crate) async fn call(&self, kind: &str, path: &str, args: Value) -> Value {
        call(&self.http, &self.credentials, kind, path, args).await
    }
}

pub(crate) async fn call(
    http: &reqwest::Client,
    credentials: &Credentials,
    kind: &str,
    path: &str,
    args: Value,
) -> Value {
    let body = json!({"path": path, "args": args, "format": "json"});
    let post = http.post(format!("{}/api/{kind}", credentials.url)).json(&body);
    let post = post.bearer_auth(credentials.api_key.expose_secret());
    let answer: Value = post.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["status"], "success", "{path}: {answer}");
    answer["value"].clone()
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

pub(crate) fn credentials(data: &Path) -> Credentials {
    serde_json::from_slice(&std::fs::read(data.join("credentials.json")).unwrap()).unwrap()
}

/// Sends bytes and gives back all that comes until the server closes.
pub(crate) async fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    until_closed(&mut stream).await
}

pub(crate) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end as well; what came before it counts.
    let read = async { while stream.read_buf(&mut answer).await.is_ok_and(|bytes| bytes > 0) {} };
    tokio::time::timeout(PATIENCE, read).await.expect("the server closes in time");
    String::from_utf8(answer).unwrap()
}

/// The code in a refusal's JSON.
#[track_caller]
pub(crate) fn code(answer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer}"));
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    body["code"].as_str().unwrap().to_owned()
}

/// The program itself.
pub(crate) struct Program {
    pub(crate) child: std::process::Child,
    /// What it said on stdout.
    pub(crate) line: Value,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Program {
    /// Serves on free ports with these variables.
    pub(crate) fn start(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dailies-server"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.envs(variables.iter().copied());
        Self::run(command)
    }

    fn run(mut command: std::process::Command) -> Self {
        use std::io::{BufRead as _, Read as _};
        use std::process::Stdio;
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        // Read all the time: a log that nobody takes stops whoever writes it.
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).map(|_| log).unwrap()
        });
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let line = serde_json::from_str(&line).unwrap_or_default();
        Self { child, line, log: Some(log) }
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> (std::process::ExitStatus, String) {
        let deadline = std::time::Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(std::time::Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// In a mount namespace of its own, with a data folder in memory of 6 MiB. `None` where users
    /// may make none.
    #[cfg(target_os = "linux")]
    pub(crate) fn on_a_small_disk() -> Option<(Self, std::path::PathBuf)> {
        let unshare = |script: &str| {
            let mut command = std::process::Command::new("unshare");
            command.args(["--mount", "--map-root-user", "sh", "-c", script]);
            command.arg(env!("CARGO_BIN_EXE_dailies-server"));
            command
        };
        let mount = "mount -t tmpfs -o size=6m dailies /mnt";
        let possible = unshare(mount).stderr(std::process::Stdio::null()).status();
        if !possible.is_ok_and(|status| status.success()) {
            return None;
        }
        let serve = "exec \"$0\" serve --listen 127.0.0.1:0 --data /mnt/data";
        let program = Self::run(unshare(&format!("{mount} && {serve}")));
        Some((program, "/mnt/data".into()))
    }

    /// A path as the program sees it.
    #[cfg(target_os = "linux")]
    fn seen(&self, path: &Path) -> std::path::PathBuf {
        let root = format!("/proc/{}/root", self.child.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap())
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        std::fs::read(self.seen(path)).unwrap()
    }

    /// Writes until the disk takes no more.
    #[cfg(target_os = "linux")]
    pub(crate) fn fill(&self, path: &Path) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.seen(path)).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn remove(&self, path: &Path) {
        std::fs::remove_file(self.seen(path)).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
