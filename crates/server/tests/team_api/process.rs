//! The program itself: its one line, its signals, its exit codes, its log.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::harness::{clip, credentials};

struct Program {
    child: Child,
    line: Value,
}

fn command(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dailies-server"));
    command.args(["serve", "--listen", listen, "--data"]).arg(data);
    command.env("RUST_LOG", "info,dailies_server=debug");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = command(data, "127.0.0.1:0").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { line: serde_json::from_str(&line).unwrap(), child }
    }

    /// What it says and how it ends, where it should not run; within a limit, where it does.
    fn refused(data: &Path, listen: &str) -> (Option<i32>, String, String) {
        let mut program = Self { child: command(data, listen).spawn().unwrap(), line: Value::Null };
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = program.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it runs");
            std::thread::sleep(Duration::from_millis(20));
        };
        let (mut stdout, mut log) = (String::new(), String::new());
        program.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        program.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code(), stdout, log)
    }

    fn signal(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_line_on_stdout_and_zero_on_a_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let program = Program::start(data.path());
        assert!(started.elapsed() < Duration::from_secs(10), "ready in a moment, also when busy");
        assert_eq!(program.line["event"], "listening");
        let file = data.path().join("credentials.json");
        assert_eq!(program.line["credentials"], file.to_str().unwrap());
        assert_eq!(program.line["url"], credentials(data.path()).url);
        let (status, log) = program.signal(signal);
        assert_eq!(status.code(), Some(0), "{log}");
        for line in log.lines() {
            serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        }
    }
}

#[test]
fn a_busy_port_and_a_busy_folder_are_errors_in_words() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let address = program.line["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let other = tempfile::tempdir().unwrap();
    for (folder, listen, word) in [
        (other.path(), address.as_str(), "in use by another program"),
        (data.path(), "127.0.0.1:0", "another dailies-server is using"),
    ] {
        let (code, stdout, log) = Program::refused(folder, listen);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(log.contains(word), "{log}");
    }
    program.signal(Signal::TERM);
}

#[tokio::test]
async fn the_log_holds_no_secret_and_no_signed_address() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let known = credentials(data.path());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = async |kind: &str, path: &str, args: Value| {
        let body = json!({"path": path, "args": args, "format": "json"});
        let post = http.post(format!("{}/api/{kind}", known.url)).json(&body);
        let post = post.bearer_auth(known.api_key.expose_secret());
        post.send().await.unwrap().json::<Value>().await.unwrap()["value"].clone()
    };
    let bytes = clip();
    let create = json!({
        "projectId": known.project_id, "title": "t",
        "fileSize": bytes.len(), "contentType": "video/mp4",
    });
    let args = json!({"videoId": call("mutation", "videos:create", create).await});
    let url = call("action", "videoActions:getUploadUrl", args.clone()).await;
    let url = url["url"].as_str().unwrap();
    let put = http.put(url).header("Content-Type", "video/mp4").body(bytes).send().await.unwrap();
    assert_eq!(put.status(), 200);
    call("action", "videoActions:markUploadComplete", args.clone()).await;
    while call("query", "videos:get", args.clone()).await["status"] == "processing" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let session = call("action", "videoActions:getPlaybackSession", args).await;
    let token = session["token"].as_str().unwrap();
    assert_eq!(http.get(session["url"].as_str().unwrap()).send().await.unwrap().status(), 200);
    let (_, log) = program.signal(Signal::TERM);
    assert!(log.contains("webhook"), "the log is there: {log}");
    let secret = known.s3.secret_access_key.expose_secret();
    for secret in [known.api_key.expose_secret(), secret, token, "X-Amz-Signature", "?token="] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}
