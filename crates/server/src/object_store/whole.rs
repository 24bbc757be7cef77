//! The checksum a client claims for a whole upload, held against those of its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use dailies_api::crc64;

use super::checksums::{Algorithm, Proven, digest};
use super::index::parts::Part;
use super::refusal::Refusal;

/// A checksum sent with `CompleteMultipartUpload`.
///
/// Either of all bytes (`FULL_OBJECT`, CRCs only), or of the checksums of the parts one after the
/// other, with their number behind a hyphen (`COMPOSITE`):
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) algorithm: Algorithm,
    pub(super) value: String,
}

impl Claim {
    /// # Errors
    /// [`Refusal::BadDigest`] if it does not hold, [`Refusal::InvalidRequest`] if the parts were
    /// sent without the checksums it would have to be computed from.
    pub(super) fn check(&self, parts: &[Part]) -> Result<(), Refusal> {
        let computed = match self.value.rsplit_once('-') {
            Some(_) => self.composite(parts),
            None => self.full_object(parts),
        };
        let computed = computed.ok_or(Refusal::InvalidRequest(
            "the parts were not sent with the checksums this one is made of",
        ))?;
        if computed == self.value { Ok(()) } else { Err(Refusal::BadDigest(self.algorithm.name())) }
    }

    /// What it says, if that is not of the checksums of the parts, and not what is known anyway.
    pub(super) fn of_all_bytes(&self) -> Option<Proven> {
        let known = self.value.contains('-') || self.algorithm == Algorithm::Crc64Nvme;
        (!known).then(|| Proven { algorithm: self.algorithm, value: self.value.clone() })
    }

    fn composite(&self, parts: &[Part]) -> Option<String> {
        let digests: Option<Vec<_>> = parts.iter().map(|part| self.of(part)).collect();
        let digest = digest(self.algorithm, &digests?.concat());
        Some(format!("{}-{}", digest?, parts.len()))
    }

    fn full_object(&self, parts: &[Part]) -> Option<String> {
        let joined =
            |kind| move |whole, next, length| crc_fast::checksum_combine(kind, whole, next, length);
        let (joined, width): (&dyn Fn(u64, u64, u64) -> u64, _) = match self.algorithm {
            Algorithm::Crc32 => (&joined(CrcAlgorithm::Crc32IsoHdlc), 4),
            Algorithm::Crc32c => (&joined(CrcAlgorithm::Crc32Iscsi), 4),
            Algorithm::Crc64Nvme => (&crc64::joined, 8),
            Algorithm::Sha1 | Algorithm::Sha256 => return None,
        };
        let mut whole = 0;
        for part in parts {
            let digest = self.of(part)?;
            let crc = digest.iter().fold(0, |crc, byte| crc << 8 | u64::from(*byte));
            whole = joined(whole, crc, part.extent.length);
        }
        Some(BASE64.encode(&whole.to_be_bytes()[8 - width..]))
    }

    /// The bytes of the checksum of a part.
    fn of(&self, part: &Part) -> Option<Vec<u8>> {
        let value = match &part.proven {
            _ if self.algorithm == Algorithm::Crc64Nvme => part.crc64.base64(),
            Some(proven) if proven.algorithm == self.algorithm => proven.value.clone(),
            _ => return None,
        };
        BASE64.decode(value).ok()
    }
}
