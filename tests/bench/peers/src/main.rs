//! `opendal` and the AWS transfer manager as programs: `bench-peers KIND ENDPOINT BUCKET FILE…`.
//!
//! Each with the settings that made it fastest where it was measured first: parts of 8 MiB, eight at
//! once, for `opendal`; for the transfer manager its own. Keys come from the environment.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3_transfer_manager::io::InputStream;
use clap::{Parser, ValueEnum};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use opendal::Operator;
use opendal::services::S3;
use tokio::io::AsyncReadExt as _;

/// Of one part, and of what is read at once.
const PART: usize = 8 << 20;
/// Parts of one file, or small files, at once.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Opendal,
    TransferManager,
}

/// Sends files to an S3.
#[derive(Parser)]
struct Arguments {
    kind: Kind,
    endpoint: String,
    bucket: String,
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    key: String,
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY")]
    secret: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.kind {
        Kind::Opendal => opendal(&arguments).await,
        Kind::TransferManager => transfer_manager(&arguments).await,
    }
}

async fn opendal(to: &Arguments) -> Result<()> {
    opendal::install_default();
    let service = S3::default()
        .endpoint(&to.endpoint)
        .bucket(&to.bucket)
        .region("us-east-1")
        .access_key_id(&to.key)
        .secret_access_key(&to.secret)
        .disable_config_load();
    let storage = Operator::new(service)?;
    let files = stream::iter(&to.files);
    files
        .map(|file| {
            let storage = storage.clone();
            async move {
                let mut source = tokio::fs::File::open(file).await?;
                let mut writer =
                    storage.writer_with(name(file)?).chunk(PART).concurrent(AT_ONCE).await?;
                loop {
                    let mut part = Vec::with_capacity(PART);
                    let limit = PART as u64;
                    if (&mut source).take(limit).read_to_end(&mut part).await? == 0 {
                        break;
                    }
                    writer.write(part).await?;
                }
                writer.close().await?;
                anyhow::Ok(())
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn transfer_manager(to: &Arguments) -> Result<()> {
    let s3 = aws_sdk_s3::config::Builder::new()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .endpoint_url(&to.endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(&to.key, &to.secret, None, None, "arguments"));
    let config = aws_sdk_s3_transfer_manager::Config::builder().s3_config(s3).build();
    let client = aws_sdk_s3_transfer_manager::Client::new(config);
    let mut sending = Vec::new();
    for file in &to.files {
        let upload = client.upload().bucket(&to.bucket).key(name(file)?);
        sending.push(upload.body(InputStream::from_path(file)?).initiate()?);
    }
    for upload in sending {
        upload.join().await?;
    }
    Ok(())
}

fn name(file: &Path) -> Result<&str> {
    file.file_name().and_then(|name| name.to_str()).context("a file without a readable name")
}
