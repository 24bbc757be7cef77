//! `UploadPartCopy`: a part that shares the bytes of an object, where they lie in one piece.

use futures_util::StreamExt as _;
use s3s::S3Request;
use s3s::dto::{CopyPartResult, StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput};

use super::conditions::ReadConditions;
use super::copy::source_of;
use super::{echo, etag};
use crate::object_store::LOG;
use crate::object_store::checksums::{Algorithm, Computed, Crc64, Digests, Proven};
use crate::object_store::files::{Lease, NewFile};
use crate::object_store::index::objects::{self, Object};
use crate::object_store::index::parts::{self, Part};
use crate::object_store::index::{Moment, uploads};
use crate::object_store::intake::Intake;
use crate::object_store::outlet::Outlet;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::{Extent, MOST_BODY_BYTES, PartNumber, UploadId};

const BAD_RANGE: Refusal =
    Refusal::InvalidArgument("x-amz-copy-source-range must be bytes=first-last within the source");

/// Bytes that a part is to have, and what keeps them where they are.
struct Source {
    extents: Vec<Extent>,
    leases: Vec<Lease>,
    length: u64,
    /// Of just these bytes, where that is known.
    crc64: Option<Crc64>,
}

/// Bytes that a part has now.
struct Taken {
    extent: Extent,
    crc64: Crc64,
    proven: Option<Proven>,
    file: Option<NewFile>,
    /// Until the part is recorded.
    _leases: Vec<Lease>,
}

impl Store {
    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Result<UploadPartCopyOutput, Refusal> {
        let input = request.input;
        let (from, key_from) = source_of(input.copy_source)?;
        let number = PartNumber::parse(input.part_number)?;
        let id = UploadId::parse(&input.upload_id)?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let upload = self
            .index
            .read(move |connection| uploads::require(connection, &bucket, &key, id))
            .await?;
        let (object, extents, leases) = self.leased(from, key_from).await?;
        conditions.check(&object).map_err(|_| Refusal::PreconditionFailed)?;
        let source = Source::of(&object, &extents, leases, input.copy_source_range.as_deref())?;
        let length = source.length;
        let taken = self.take(source, upload.checksum_algorithm).await?;

        let part = Part {
            number,
            extent: taken.extent,
            crc64: taken.crc64,
            etag: taken.crc64.etag(length),
            proven: taken.proven.clone(),
            stored: Moment::now(),
        };
        let (bucket, key) = (input.bucket, input.key);
        let part = self
            .commit(move |connection, released| {
                uploads::require(connection, &bucket, &key, id)?;
                // A shared file must not lose its last row before it gets this one.
                if taken.file.is_none() && !objects::is_there(connection, object.id)? {
                    return Err(Refusal::NoSuchKey);
                }
                parts::put(connection, id, &part, released)?;
                if let Some(file) = taken.file {
                    file.recorded();
                }
                Ok(part)
            })
            .await?;
        tracing::info!(
            target: LOG, event = "part_copied", upload_id = %id, part_number = number.get(),
            bytes = length, crc64nvme = part.crc64.base64(), "copied a part"
        );
        let mut result = CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(part.stored.timestamp()),
            checksum_crc64nvme: Some(part.crc64.base64()),
            ..Default::default()
        };
        echo!(result, part.proven);
        Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
    }

    async fn take(&self, source: Source, algorithm: Option<Algorithm>) -> Result<Taken, Refusal> {
        let algorithm = algorithm.filter(|algorithm| *algorithm != Algorithm::Crc64Nvme);
        let Source { extents, leases, length, crc64 } = source;
        if let ([extent], Some(crc64), None) = (&*extents, crc64, algorithm) {
            let extent = *extent;
            return Ok(Taken { extent, crc64, proven: None, file: None, _leases: leases });
        }
        let digests = Digests::with(algorithm);
        let bytes = Outlet::new(self.files.clone(), extents.clone(), Vec::new());
        let (computed, extent, file) = if let [extent] = *extents {
            (summed(bytes, digests).await?, extent, None)
        } else {
            let files = self.files.clone();
            let created =
                tokio::task::spawn_blocking(move || Ok((files.room_for(length)?, files.create()?)));
            let created: std::io::Result<_> = created.await.map_err(std::io::Error::other)?;
            let (_room, (file, handle)) = created?;
            let extent = Extent { file: file.name(), start: 0, length };
            let intake = Intake::new(handle, 0, digests, file);
            let (computed, file) = intake.receive(Some(StreamingBlob::new(bytes)), length).await?;
            (computed, extent, Some(file))
        };
        let proven = algorithm.and_then(|algorithm| computed.proven(algorithm));
        Ok(Taken { extent, crc64: computed.crc64, proven, file, _leases: leases })
    }
}

impl Source {
    fn of(
        object: &Object,
        extents: &[Extent],
        leases: Vec<Lease>,
        range: Option<&str>,
    ) -> Result<Self, Refusal> {
        let (first, end) = match range {
            Some(range) => parsed(range).filter(|(_, end)| *end <= object.size).ok_or(BAD_RANGE)?,
            None => (0, object.size),
        };
        let length = end - first;
        if length > MOST_BODY_BYTES {
            return Err(Refusal::EntityTooLarge);
        }
        Ok(Self {
            extents: Extent::within(extents, first, end),
            leases,
            length,
            crc64: (length == object.size).then_some(object.crc64),
        })
    }
}

/// `bytes=first-last`, as where the bytes begin and where they have ended.
fn parsed(range: &str) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last.checked_add(1)?))
}

/// Hashes bytes that stay where they are.
async fn summed(mut bytes: Outlet, mut digests: Digests) -> Result<Computed, Refusal> {
    while let Some(slice) = bytes.next().await {
        let slice = slice.map_err(std::io::Error::other)?;
        let hashed = tokio::task::spawn_blocking(move || {
            digests.update(&slice);
            digests
        });
        digests = hashed.await.map_err(std::io::Error::other)?;
    }
    Ok(digests.finish())
}
