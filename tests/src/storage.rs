//! The storage as its owner sees it, through AWS's own client.

use anyhow::{Result, ensure};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use dailies_api::credentials::S3Credentials;
use secrecy::ExposeSecret as _;

/// A client of the bucket in which originals are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    client: Client,
    bucket: String,
}

impl Storage {
    /// A client for these credentials.
    #[must_use]
    pub fn new(credentials: &S3Credentials) -> Self {
        let keys = Credentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose_secret(),
            None,
            None,
            "credentials.json",
        );
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&credentials.endpoint)
            .region(Region::new(credentials.region.clone()))
            .credentials_provider(keys)
            .force_path_style(true)
            .build();
        Self { client: Client::from_conf(config), bucket: credentials.bucket.clone() }
    }

    /// Ids of the multipart uploads that are open.
    ///
    /// # Errors
    /// Where the storage does not say.
    pub async fn open_uploads(&self) -> Result<Vec<String>> {
        let listing = self.client.list_multipart_uploads().bucket(&self.bucket);
        let listed = Box::pin(listing.send()).await?;
        let ids = listed.uploads().iter().filter_map(|upload| upload.upload_id());
        Ok(ids.map(str::to_owned).collect())
    }

    /// Asserts that no multipart upload is open.
    ///
    /// # Errors
    /// Where one is.
    pub async fn nothing_open(&self) -> Result<()> {
        let open = self.open_uploads().await?;
        ensure!(open.is_empty(), "multipart uploads were left open: {open:?}");
        Ok(())
    }

    /// Keys of the objects that are there.
    ///
    /// # Errors
    /// Where the storage does not say.
    pub async fn objects(&self) -> Result<Vec<String>> {
        let listing = self.client.list_objects_v2().bucket(&self.bucket);
        let listed = Box::pin(listing.send()).await?;
        let keys = listed.contents().iter().filter_map(|object| object.key());
        Ok(keys.map(str::to_owned).collect())
    }

    /// Aborts every multipart upload and deletes every object.
    ///
    /// # Errors
    /// Where the storage does not.
    pub async fn clear(&self) -> Result<()> {
        loop {
            let listing = self.client.list_multipart_uploads().bucket(&self.bucket);
            let listed = Box::pin(listing.send()).await?;
            for upload in listed.uploads() {
                let abort = self.client.abort_multipart_upload().bucket(&self.bucket);
                let abort =
                    abort.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
                Box::pin(abort.send()).await?;
            }
            if listed.is_truncated() != Some(true) {
                break;
            }
        }
        loop {
            let listing = self.client.list_objects_v2().bucket(&self.bucket);
            let listed = Box::pin(listing.send()).await?;
            for object in listed.contents() {
                let delete = self.client.delete_object().bucket(&self.bucket);
                Box::pin(delete.set_key(object.key.clone()).send()).await?;
            }
            if listed.is_truncated() != Some(true) {
                return Ok(());
            }
        }
    }
}
