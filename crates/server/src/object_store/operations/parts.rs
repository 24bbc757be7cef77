//! `UploadPart` and `ListParts`.

use std::fs::File;

use s3s::S3Request;
use s3s::dto::{
    ChecksumAlgorithm, ListPartsInput, ListPartsOutput, Part as PartOutput, UploadPartInput,
    UploadPartOutput,
};

use super::write::body_length;
use super::{echo, etag, page_size, signed};
use crate::object_store::LOG;
use crate::object_store::checksums::Promise;
use crate::object_store::files::NewFile;
use crate::object_store::in_place::Reservation;
use crate::object_store::index::parts::{self, Part};
use crate::object_store::index::{Moment, uploads};
use crate::object_store::intake::Intake;
use crate::object_store::refusal::Refusal;
use crate::object_store::room::Promised;
use crate::object_store::store::Store;
use crate::object_store::values::{Extent, MOST_OBJECT_BYTES, PartNumber, UploadId};

/// The part of a request: which one of which upload, and how long.
#[derive(Debug, Clone)]
struct Arriving {
    bucket: String,
    key: String,
    upload: UploadId,
    number: PartNumber,
    length: u64,
}

/// Where a part is written, and what goes away if it does not arrive whole.
struct Place {
    extent: Extent,
    handle: File,
    keeper: Keeper,
    room: Promised,
}

/// What holds a place until the part is recorded.
enum Keeper {
    /// Its final place in the file of the upload.
    InPlace(Reservation),
    /// A file of its own.
    OwnFile(NewFile),
}

impl Store {
    pub(super) async fn write_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> Result<UploadPartOutput, Refusal> {
        let promise = Promise::of(&request.headers, request.trailing_headers)?;
        let input = request.input;
        let arriving = Arriving {
            number: PartNumber::parse(input.part_number)?,
            length: body_length(input.content_length)?,
            upload: UploadId::parse(&input.upload_id)?,
            bucket: input.bucket,
            key: input.key,
        };
        let Place { extent, handle, keeper, room: _room } = self.place(&arriving).await?;
        let turn = match &keeper {
            Keeper::InPlace(reservation) => Some(reservation.turn()),
            Keeper::OwnFile(_) => None,
        };
        let in_place = turn.is_some();
        let intake = Intake::new(handle, extent.start, promise.digests(), keeper).in_turn(turn);
        let (upload, number) = (arriving.upload, arriving.number.get());
        let not_stored = |reason: &Refusal| {
            tracing::info!(
                target: LOG, event = "part_not_stored", upload_id = %upload, part_number = number,
                %reason, "did not store a part"
            );
        };
        let received = intake.receive(input.body, arriving.length).await;
        let (computed, keeper) = received.inspect_err(not_stored)?;
        let proven = promise.check(&computed).inspect_err(not_stored)?;
        let part = Part {
            number: arriving.number,
            extent,
            crc64: computed.crc64,
            etag: computed.etag(arriving.length),
            proven: proven.clone(),
            stored: Moment::now(),
        };
        let tag = part.etag.clone();
        let recorded = self.record(arriving.clone(), part, keeper).await;
        let was_held = recorded.inspect_err(not_stored)?;
        tracing::info!(
            target: LOG, event = "part_stored", bucket = arriving.bucket, key = arriving.key,
            upload_id = %upload, part_number = number,
            bytes = arriving.length, in_place, was_held, crc64nvme = computed.crc64.base64(),
            "stored a part"
        );
        let mut output = UploadPartOutput {
            e_tag: Some(etag(&tag)),
            checksum_crc64nvme: Some(computed.crc64.base64()),
            ..Default::default()
        };
        echo!(output, proven);
        Ok(output)
    }

    /// Finds the place of a part: its final one, unless that is taken, full or too small.
    async fn place(&self, arriving: &Arriving) -> Result<Place, Refusal> {
        // Reserved before the index is asked: whoever held the place before has recorded by then.
        let reservation = self.in_place.reserve(arriving.upload, arriving.number);
        let Arriving { bucket, key, upload, number, length } = arriving.clone();
        let (upload, is_held) = self
            .index
            .read(move |connection| {
                let upload = uploads::require(connection, &bucket, &key, upload)?;
                let is_held = parts::is_held(connection, upload.id, number)?;
                Ok((upload, is_held))
            })
            .await?;
        let unit = match upload.unit {
            Some(unit) => unit,
            None if length == 0 => 0,
            None => {
                self.commit(move |connection, _| {
                    uploads::settle_unit(connection, upload.id, length)
                })
                .await?
            }
        };
        let start = number.offset(unit);
        let reservation = reservation.filter(|_| {
            !is_held && length <= unit && start.saturating_add(length) <= MOST_OBJECT_BYTES
        });
        let files = self.files.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let room = files.room_for(length)?;
            match reservation {
                Some(reservation) => {
                    let handle = files.open_to_write(upload.file)?;
                    let extent = Extent { file: upload.file, start, length };
                    Ok(Place { extent, handle, keeper: Keeper::InPlace(reservation), room })
                }
                None => {
                    let (file, handle) = files.create()?;
                    let extent = Extent { file: file.name(), start: 0, length };
                    Ok(Place { extent, handle, keeper: Keeper::OwnFile(file), room })
                }
            }
        });
        opened.await.map_err(std::io::Error::other)?.map_err(|error: std::io::Error| {
            // The upload was aborted or completed since the index was asked.
            if error.kind() == std::io::ErrorKind::NotFound {
                Refusal::NoSuchUpload
            } else {
                error.into()
            }
        })
    }

    /// Makes the part one the upload holds, and says whether it held one before.
    async fn record(
        &self,
        arriving: Arriving,
        part: Part,
        keeper: Keeper,
    ) -> Result<bool, Refusal> {
        let recorded = self.commit(move |connection, released| {
            let Arriving { bucket, key, upload, .. } = &arriving;
            uploads::require(connection, bucket, key, *upload)?;
            let was_held = parts::put(connection, *upload, &part, released)?;
            let reservation = match keeper {
                Keeper::InPlace(reservation) => Some(reservation),
                Keeper::OwnFile(file) => {
                    file.recorded();
                    None
                }
            };
            // Given back, because the place is free only once the transaction is on disk.
            Ok((was_held, reservation))
        });
        recorded.await.map(|(was_held, _)| was_held)
    }

    pub(super) async fn page_of_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> Result<ListPartsOutput, Refusal> {
        let input = request.input;
        let id = UploadId::parse(&input.upload_id)?;
        let limit = page_size(input.max_parts)?;
        let after = input.part_number_marker.unwrap_or(0);
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let (upload, mut found) = self
            .index
            .read(move |connection| {
                let upload = uploads::require(connection, &bucket, &key, id)?;
                let found = parts::list(connection, id, after, limit + 1)?;
                Ok((upload, found))
            })
            .await?;
        let is_truncated = found.len() > limit;
        found.truncate(limit);
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: Some(after),
            next_part_number_marker: found.last().map(|part| part.number.get()),
            max_parts: i32::try_from(limit).ok(),
            is_truncated: Some(is_truncated),
            checksum_algorithm: upload
                .checksum_algorithm
                .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            parts: Some(found.into_iter().map(listed).collect()),
            ..Default::default()
        })
    }
}

fn listed(part: Part) -> PartOutput {
    let mut output = PartOutput {
        part_number: Some(part.number.get()),
        size: Some(signed(part.extent.length)),
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(part.stored.timestamp()),
        checksum_crc64nvme: Some(part.crc64.base64()),
        ..Default::default()
    };
    echo!(output, part.proven);
    output
}
