//! The embedded S3 endpoint, held against the cases that any endpoint can be held against, with
//! boto3, the AWS CLI, rclone and s5cmd. `make peers` does the same to garage.

use std::time::Duration;

use e2e::{Stage, counterparts};
use secrecy::ExposeSecret as _;
use tokio::process::Command;

/// The programs among the cases take a minute on two busy cores.
const LIMIT: Duration = Duration::from_secs(600);

#[tokio::test]
async fn every_case_holds_but_those_known_not_to() {
    let programs = counterparts::python().await.unwrap();
    let stage = Stage::set().await.unwrap();
    let s3 = &stage.server.credentials.s3;
    let scripts = counterparts::scripts();
    let mut cases = Command::new(programs.join("python"));
    cases.arg("-B").arg(scripts.join("s3_conformance.py"));
    // Past the proxy, which is for presigned addresses that this server gives out.
    cases.args(["--endpoint", &s3.endpoint, "--region", &s3.region]);
    cases.arg("--known").arg(scripts.join("s3_embedded.txt"));
    cases.env("AWS_ACCESS_KEY_ID", &s3.access_key_id);
    cases.env("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.expose_secret());
    let said = counterparts::run(LIMIT, &mut cases).await.unwrap();
    println!("{said}");
    assert!(said.contains("cases hold; 1 known deviations"), "{said}");

    // The cases clean up after themselves, and the storage after them.
    assert_eq!(stage.storage.objects().await.unwrap(), [""; 0]);
    let data = stage.path("server").join("objects/data");
    for _ in 0..100 {
        if std::fs::read_dir(&data).unwrap().count() == 0 {
            return stage.strike().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().collect();
    panic!("files are left that no object has: {left:?}");
}
