//! Clients that nobody here wrote, against the real server.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::time::Duration;

use e2e::clips::{MIB, Take};
use e2e::{Stage, counterparts, hash};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn the_convex_client_uploads() {
    counterparts::node_packages().await.unwrap();
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let mut client = Command::new("node");
    client.arg(counterparts::scripts().join("convex_client.mjs"));
    client.arg("--credentials").arg(&stage.server.credentials_file).arg("--file").arg(&file);
    let said = counterparts::run(LIMIT, &mut client).await.unwrap();
    println!("{said}");
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn boto3_drives_the_storage() {
    let programs = counterparts::python().await.unwrap();
    let stage = Stage::set().await.unwrap();
    let s3 = &stage.server.credentials.s3;
    let mut client = Command::new(programs.join("python"));
    client.arg(counterparts::scripts().join("s3_boto3.py"));
    client.args(["--endpoint", &s3.endpoint, "--region", &s3.region]);
    client.args(["--access-key", &s3.access_key_id]);
    client.args(["--secret-key", s3.secret_access_key.expose_secret()]);
    client.args(["--bucket", "boto3"]);
    let said = counterparts::run(LIMIT, &mut client).await.unwrap();
    assert!(said.contains("all ok"), "{said}");
    stage.strike().await.unwrap();
}

/// The AWS CLI with a server's keys, and nothing of whoever runs the tests.
struct Aws<'a> {
    stage: &'a Stage,
    program: std::path::PathBuf,
}

impl Aws<'_> {
    fn command(&self) -> Command {
        let s3 = &self.stage.server.credentials.s3;
        let mut aws = Command::new(&self.program);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_OUTPUT"] {
            aws.env_remove(name);
        }
        let nothing = self.stage.path("no-such-file");
        aws.env("AWS_CONFIG_FILE", &nothing).env("AWS_SHARED_CREDENTIALS_FILE", &nothing);
        aws.env("AWS_ACCESS_KEY_ID", &s3.access_key_id);
        aws.env("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.expose_secret());
        aws.args(["--endpoint-url", &s3.endpoint, "--region", &s3.region, "--output", "json"]);
        aws
    }

    async fn says(&self, arguments: &[&str]) -> Value {
        let said = counterparts::run(LIMIT, self.command().args(arguments)).await.unwrap();
        serde_json::from_str(&said).unwrap_or_default()
    }
}

#[tokio::test]
async fn the_aws_cli_sends_and_fetches() {
    let programs = counterparts::python().await.unwrap();
    let stage = Stage::set().await.unwrap();
    let aws = Aws { stage: &stage, program: programs.join("aws") };
    let bucket = stage.server.credentials.s3.bucket.as_str();
    let (up, down, piece) = (stage.path("up.bin"), stage.path("down.bin"), stage.path("piece"));
    let mut bytes = vec![0; usize::try_from(20 * MIB).unwrap()];
    fastrand::Rng::with_seed(20).fill(&mut bytes);
    std::fs::write(&up, &bytes).unwrap();

    // Above 8 MiB it sends and fetches in parts.
    let there = format!("s3://{bucket}/cli/up.bin");
    aws.says(&["s3", "cp", "--only-show-errors", up.to_str().unwrap(), &there]).await;
    aws.says(&["s3", "cp", "--only-show-errors", &there, down.to_str().unwrap()]).await;
    assert_eq!(hash::of_file(&down).unwrap(), hash::of_file(&up).unwrap());

    let object = ["--bucket", bucket, "--key", "cli/up.bin"];
    let mut get = vec!["s3api", "get-object", "--range", "bytes=8388600-8388619"];
    get.extend(object);
    get.push(piece.to_str().unwrap());
    let got = aws.says(&get).await;
    assert_eq!(got["ContentRange"], "bytes 8388600-8388619/20971520");
    assert_eq!(std::fs::read(&piece).unwrap(), bytes[8_388_600..8_388_620]);

    let never = ["--bucket", bucket, "--key", "cli/never"];
    let created = aws.says(&[&["s3api", "create-multipart-upload"], &never[..]].concat()).await;
    let id = created["UploadId"].as_str().unwrap();
    assert_eq!(stage.storage.open_uploads().await.unwrap(), [id]);
    let abort = ["s3api", "abort-multipart-upload", "--upload-id", id];
    aws.says(&[&abort[..], &never].concat()).await;
    stage.storage.nothing_open().await.unwrap();

    aws.says(&["s3", "rm", "--only-show-errors", &there]).await;
    assert_eq!(stage.storage.objects().await.unwrap(), [""; 0]);
    stage.strike().await.unwrap();
}
