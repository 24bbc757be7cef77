//! `DeleteObject` and `DeleteObjects`.

use s3s::S3Request;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
};

use super::conditions::WriteConditions;
use crate::object_store::LOG;
use crate::object_store::index::{buckets, objects};
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;

/// Objects one request may delete.
const MOST_AT_ONCE: usize = 1000;

impl Store {
    pub(super) async fn remove_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Result<DeleteObjectOutput, Refusal> {
        let DeleteObjectInput { bucket, key, if_match, .. } = request.input;
        let conditions = WriteConditions { if_match, if_none_match: None };
        let (bucket, key) = self
            .commit(move |connection, released| {
                buckets::require(connection, &bucket)?;
                conditions.check(objects::find(connection, &bucket, &key)?.as_ref())?;
                objects::delete(connection, &bucket, &key, released)?;
                Ok((bucket, key))
            })
            .await?;
        tracing::info!(target: LOG, event = "object_deleted", bucket, key, "deleted an object");
        Ok(DeleteObjectOutput::default())
    }

    pub(super) async fn remove_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Result<DeleteObjectsOutput, Refusal> {
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        if delete.objects.is_empty() || delete.objects.len() > MOST_AT_ONCE {
            return Err(Refusal::MalformedXml);
        }
        let keys: Vec<String> = delete.objects.into_iter().map(|object| object.key).collect();
        let (bucket, keys) = self
            .commit(move |connection, released| {
                buckets::require(connection, &bucket)?;
                for key in &keys {
                    objects::delete(connection, &bucket, key, released)?;
                }
                Ok((bucket, keys))
            })
            .await?;
        for key in &keys {
            tracing::info!(target: LOG, event = "object_deleted", bucket, key, "deleted an object");
        }
        let quiet = delete.quiet == Some(true);
        let deleted = keys
            .into_iter()
            .filter(|_| !quiet)
            .map(|key| DeletedObject { key: Some(key), ..Default::default() })
            .collect();
        Ok(DeleteObjectsOutput { deleted: Some(deleted), ..Default::default() })
    }
}
