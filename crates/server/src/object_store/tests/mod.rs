//! The store served on a port of this computer and used through `aws-sdk-s3`, `reqwest` and bare TCP.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod checksums;
mod durability;
mod gate;
mod listing;
mod multipart;
mod objects;
mod part_copy;
mod sweep;
mod values;

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

const BUCKET: &str = "dailies";
/// How long uploads are kept.
const WEEK: Duration = Duration::from_hours(7 * 24);
const MIB: usize = 1 << 20;
/// The least a part that is not the last may have.
const PART: usize = 5 * MIB;

/// A store on a port, and a client of its owner.
struct Served {
    client: Client,
    store: ObjectStore,
    endpoint: String,
    folder: TempDir,
    server: JoinHandle<()>,
}

fn owner() -> Owner {
    Owner {
        access_key_id: "DAILIESOWNER".into(),
        secret_access_key: "a secret of the tests".into(),
        region: "local".into(),
    }
}

async fn serve() -> Served {
    serve_folder(tempfile::tempdir().unwrap()).await
}

async fn serve_folder(folder: TempDir) -> Served {
    let store = ObjectStore::open(folder.path(), owner(), WEEK).await.unwrap();
    store.ensure_bucket(BUCKET).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = store.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = client(&endpoint, "DAILIESOWNER", "a secret of the tests");
    Served { client, store, endpoint, folder, server }
}

fn client(endpoint: &str, key: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("local"))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// Bytes that do not repeat.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let words = length.div_ceil(8);
    let mut bytes = Vec::with_capacity(words * 8);
    for _ in 0..words {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    let Err(error) = result else { panic!("it was not refused") };
    error.meta().code().unwrap_or("none").to_owned()
}

fn soon() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().build().unwrap()
}

fn crc64nvme(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
    base64::engine::general_purpose::STANDARD.encode(crc.to_be_bytes())
}

impl Served {
    /// Ends the server without a word and starts another on the same folder.
    async fn restarted(self) -> Self {
        let Self { store, folder, server, .. } = self;
        server.abort();
        let _ = server.await;
        drop(store);
        serve_folder(folder).await
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> String {
        let put = self.client.put_object().bucket(BUCKET).key(key);
        let put = put.body(ByteStream::from(bytes.to_vec())).send().await.unwrap();
        put.e_tag.unwrap()
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        let got = self.client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        got.body.collect().await.unwrap().to_vec()
    }

    async fn begin(&self, key: &str) -> String {
        let begun = self.client.create_multipart_upload().bucket(BUCKET).key(key);
        begun.content_type("video/mp4").send().await.unwrap().upload_id.unwrap()
    }

    async fn part(&self, key: &str, upload: &str, number: i32, bytes: &[u8]) -> CompletedPart {
        let part = self.client.upload_part().bucket(BUCKET).key(key).upload_id(upload);
        let part = part.part_number(number).body(ByteStream::from(bytes.to_vec()));
        let part = part.send().await.unwrap();
        assert_eq!(part.checksum_crc64_nvme.as_deref(), Some(&*crc64nvme(bytes)));
        CompletedPart::builder().part_number(number).e_tag(part.e_tag.unwrap()).build()
    }

    async fn presigned_part(&self, key: &str, upload: &str, number: i32) -> PresignedRequest {
        let part = self.client.upload_part().bucket(BUCKET).key(key).upload_id(upload);
        part.part_number(number).presigned(soon()).await.unwrap()
    }

    fn completion(
        &self,
        key: &str,
        upload: &str,
        parts: &[CompletedPart],
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder
    {
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let complete = self.client.complete_multipart_upload().bucket(BUCKET).key(key);
        complete.upload_id(upload).multipart_upload(list)
    }

    /// The number and size of every part the upload holds.
    async fn held(&self, key: &str, upload: &str) -> Vec<(i32, i64)> {
        let list = self.client.list_parts().bucket(BUCKET).key(key).upload_id(upload);
        let list = list.send().await.unwrap();
        list.parts().iter().map(|p| (p.part_number.unwrap(), p.size.unwrap())).collect()
    }

    /// Waits until `data/` holds this many files.
    async fn data_files(&self, wanted: usize) {
        for _ in 0..200 {
            if self.store.store.files.list().unwrap().len() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.store.store.files.list().unwrap().len(), wanted);
    }
}
