//! Buckets: made, found, listed, removed.

use s3s::S3Request;
use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};

use crate::object_store::index::buckets;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;

/// The region whose buckets say that they are in none.
const NAMELESS_REGION: &str = "us-east-1";

impl Store {
    pub(super) async fn make_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Result<CreateBucketOutput, Refusal> {
        let name = request.input.bucket;
        let location = Some(format!("/{name}"));
        if !self.commit(move |connection, _| buckets::create(connection, &name)).await? {
            return Err(Refusal::BucketAlreadyOwnedByYou);
        }
        Ok(CreateBucketOutput { location })
    }

    pub(super) async fn look_up_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> Result<HeadBucketOutput, Refusal> {
        self.require_bucket(request.input.bucket).await?;
        let bucket_region = Some(self.region.to_string());
        Ok(HeadBucketOutput { bucket_region, ..Default::default() })
    }

    pub(super) async fn all_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> Result<ListBucketsOutput, Refusal> {
        let prefix = request.input.prefix;
        let wanted = prefix.clone().unwrap_or_default();
        let buckets = self.index.read(buckets::list).await?.into_iter();
        let buckets = buckets
            .filter(|bucket| bucket.name.starts_with(&wanted))
            .map(|bucket| Bucket {
                name: Some(bucket.name),
                creation_date: Some(bucket.created.timestamp()),
                bucket_region: Some(self.region.to_string()),
            })
            .collect();
        Ok(ListBucketsOutput { buckets: Some(buckets), prefix, ..Default::default() })
    }

    pub(super) async fn remove_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Result<DeleteBucketOutput, Refusal> {
        let name = request.input.bucket;
        self.commit(move |connection, _| buckets::delete(connection, &name)).await?;
        Ok(DeleteBucketOutput {})
    }

    pub(super) async fn locate_bucket(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Result<GetBucketLocationOutput, Refusal> {
        self.require_bucket(request.input.bucket).await?;
        let location_constraint = (&*self.region != NAMELESS_REGION)
            .then(|| BucketLocationConstraint::from(self.region.to_string()));
        Ok(GetBucketLocationOutput { location_constraint })
    }

    /// No bucket has versions.
    pub(super) async fn versions_of_bucket(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> Result<GetBucketVersioningOutput, Refusal> {
        self.require_bucket(request.input.bucket).await?;
        Ok(GetBucketVersioningOutput::default())
    }

    async fn require_bucket(&self, name: String) -> Result<(), Refusal> {
        self.index.read(move |connection| buckets::require(connection, &name)).await
    }
}
