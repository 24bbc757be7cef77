//! `CompleteMultipartUpload`: one transaction turns the parts into an object. No byte is moved.

use std::collections::HashMap;

use rusqlite::Connection;
use s3s::S3Request;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};

use super::conditions::WriteConditions;
use super::{etag, full_object};
use crate::object_store::LOG;
use crate::object_store::checksums::{Algorithm, Crc64, tag};
use crate::object_store::index::completed::{self, Answer};
use crate::object_store::index::objects::{self, NewObject};
use crate::object_store::index::parts::{self, Part};
use crate::object_store::index::{Released, uploads};
use crate::object_store::part_lengths::PartLengths;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::{
    Extent, LEAST_PART_BYTES, MOST_OBJECT_BYTES, PartNumber, UploadId,
};
use crate::object_store::whole::Claim;

/// What a client asks to be completed.
struct Completion {
    bucket: String,
    key: String,
    id: UploadId,
    wanted: Vec<WantedPart>,
    conditions: WriteConditions,
    size: Option<u64>,
    claims: Vec<Claim>,
}

struct WantedPart {
    number: PartNumber,
    etag: String,
    checksums: Vec<Claim>,
}

/// What came of it.
struct Completed {
    answer: Answer,
    /// Bytes and parts, unless the upload had been completed before.
    made: Option<(u64, usize)>,
}

impl Store {
    pub(super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Result<CompleteMultipartUploadOutput, Refusal> {
        let input = request.input;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let completion = Completion::asked_by(input)?;
        let id = completion.id;
        let completed =
            self.commit(move |connection, released| completion.carry_out(connection, released));
        let Completed { answer, made } = completed.await?;
        if let Some((bytes, parts)) = made {
            tracing::info!(
                target: LOG, event = "object_stored", bucket, key, upload_id = %id, bytes, parts,
                etag = answer.etag, crc64nvme = answer.crc64.base64(), "completed an upload"
            );
        }
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{bucket}/{key}")),
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(etag(&answer.etag)),
            checksum_crc64nvme: Some(answer.crc64.base64()),
            checksum_type: Some(full_object()),
            ..Default::default()
        })
    }
}

impl Completion {
    fn asked_by(input: CompleteMultipartUploadInput) -> Result<Self, Refusal> {
        let asked = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        if asked.is_empty() {
            return Err(Refusal::MalformedXml);
        }
        let wanted = asked.into_iter().map(WantedPart::asked_by).collect::<Result<Vec<_>, _>>()?;
        if !wanted.is_sorted_by(|a, b| a.number < b.number) {
            return Err(Refusal::InvalidPartOrder);
        }
        let size = match input.mpu_object_size {
            Some(size) => Some(u64::try_from(size).map_err(|_| {
                Refusal::InvalidArgument("x-amz-mp-object-size cannot be less than nothing")
            })?),
            None => None,
        };
        Ok(Self {
            bucket: input.bucket,
            key: input.key,
            id: UploadId::parse(&input.upload_id)?,
            wanted,
            conditions: WriteConditions {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
            },
            size,
            claims: claims([
                (Algorithm::Crc32, input.checksum_crc32),
                (Algorithm::Crc32c, input.checksum_crc32c),
                (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
                (Algorithm::Sha1, input.checksum_sha1),
                (Algorithm::Sha256, input.checksum_sha256),
            ]),
        })
    }

    fn carry_out(
        self,
        connection: &Connection,
        released: &mut Released,
    ) -> Result<Completed, Refusal> {
        let identity = (self.bucket.as_str(), self.key.as_str(), self.id);
        let fingerprint = self.fingerprint();
        let upload = match uploads::require(connection, &self.bucket, &self.key, self.id) {
            Ok(upload) => upload,
            Err(Refusal::NoSuchUpload) => {
                // Asked again, because the answer was lost on the way.
                let answer = completed::recall(connection, identity, &fingerprint)?;
                let answer = answer.ok_or(Refusal::NoSuchUpload)?;
                return Ok(Completed { answer, made: None });
            }
            Err(refusal) => return Err(refusal),
        };
        let existing = objects::find(connection, &self.bucket, &self.key)?;
        self.conditions.check(existing.as_ref())?;
        let parts = self.found(connection)?;
        let (size, crc64) = parts.iter().fold((0, Crc64::EMPTY), |(size, crc64), part| {
            let length = part.extent.length;
            (size + length, crc64.followed_by(part.crc64, length))
        });
        self.compare(size, &parts)?;

        let answer = Answer { etag: format!("{fingerprint}-{}", parts.len()), crc64 };
        let object = NewObject {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            crc64,
            etag: answer.etag.clone(),
            attributes: upload.attributes.clone(),
            extents: Extent::merged(parts.iter().map(|part| part.extent)),
            parts: Some(PartLengths::of(parts.iter().map(|part| part.extent.length))),
            proven: self.claims.iter().find_map(Claim::of_all_bytes),
        };
        objects::put(connection, &object, released)?;
        uploads::remove(connection, &upload, released)?;
        completed::remember(connection, identity, &fingerprint, &answer)?;
        Ok(Completed { answer, made: Some((size, parts.len())) })
    }

    /// The parts asked for, as the upload holds them.
    fn found(&self, connection: &Connection) -> Result<Vec<Part>, Refusal> {
        let held = parts::list(connection, self.id, 0, usize::from(PartNumber::LAST))?;
        let mut held: HashMap<PartNumber, Part> =
            held.into_iter().map(|part| (part.number, part)).collect();
        let mut found = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let part = held.remove(&wanted.number).filter(|part| wanted.is(part));
            found.push(part.ok_or(Refusal::InvalidPart)?);
        }
        let but_last = found.len().saturating_sub(1);
        if found[..but_last].iter().any(|part| part.extent.length < LEAST_PART_BYTES) {
            return Err(Refusal::EntityTooSmall);
        }
        Ok(found)
    }

    fn compare(&self, size: u64, parts: &[Part]) -> Result<(), Refusal> {
        if size > MOST_OBJECT_BYTES {
            return Err(Refusal::EntityTooLarge);
        }
        if self.size.is_some_and(|wanted| wanted != size) {
            return Err(Refusal::InvalidRequest(
                "x-amz-mp-object-size is not the size of the parts",
            ));
        }
        self.claims.iter().try_for_each(|claim| claim.check(parts))
    }

    /// Stands for the list of parts: the same list of the same upload is the same request.
    fn fingerprint(&self) -> String {
        let lines: Vec<String> = self
            .wanted
            .iter()
            .map(|part| format!("{} {}\n", part.number.get(), part.etag))
            .collect();
        tag(&lines.iter().map(String::as_bytes).collect::<Vec<_>>())
    }
}

impl WantedPart {
    fn asked_by(part: CompletedPart) -> Result<Self, Refusal> {
        Ok(Self {
            number: PartNumber::parse(part.part_number.ok_or(Refusal::MalformedXml)?)?,
            etag: part.e_tag.map(ETag::into_value).ok_or(Refusal::InvalidPart)?,
            checksums: claims([
                (Algorithm::Crc32, part.checksum_crc32),
                (Algorithm::Crc32c, part.checksum_crc32c),
                (Algorithm::Crc64Nvme, part.checksum_crc64nvme),
                (Algorithm::Sha1, part.checksum_sha1),
                (Algorithm::Sha256, part.checksum_sha256),
            ]),
        })
    }

    fn is(&self, part: &Part) -> bool {
        let holds = |claim: &Claim| match &part.proven {
            _ if claim.algorithm == Algorithm::Crc64Nvme => claim.value == part.crc64.base64(),
            Some(proven) => proven.algorithm == claim.algorithm && proven.value == claim.value,
            None => false,
        };
        self.etag == part.etag && self.checksums.iter().all(holds)
    }
}

fn claims(sent: [(Algorithm, Option<String>); 5]) -> Vec<Claim> {
    sent.into_iter()
        .filter_map(|(algorithm, value)| Some(Claim { algorithm, value: value? }))
        .collect()
}
