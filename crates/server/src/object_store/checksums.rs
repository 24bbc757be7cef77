//! What a request promises about its bytes, what was computed, and whether the two agree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use dailies_api::crc64;
use http::HeaderMap;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use s3s::TrailingHeaders;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

use super::refusal::Refusal;

/// A CRC-64/NVME of a whole part or object: the one checksum every byte here has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Crc64(u64);

/// The checksums S3 takes besides CRC-64/NVME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A checksum a client sent and that was found right, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) algorithm: Algorithm,
    pub(super) value: String,
}

/// What a request says its body must hash to.
#[derive(Debug, Default)]
pub(super) struct Promise {
    content_md5: Option<[u8; 16]>,
    /// Without a value: it comes in the trailer.
    checksums: Vec<(Algorithm, Option<String>)>,
    trailers: Option<TrailingHeaders>,
}

/// The hashes of one body while it arrives.
pub(super) struct Digests {
    crc64: Crc64Nvme,
    md5: Option<Md5>,
    others: ChecksumHasher,
}

/// The hashes of one body that has arrived.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) crc64: Crc64,
    md5: Option<[u8; 16]>,
    others: s3s::dto::Checksum,
}

impl Crc64 {
    /// Of no bytes.
    pub(super) const EMPTY: Self = Self(0);

    /// Of these bytes followed by `next_length` bytes with the checksum `next`.
    pub(super) fn followed_by(self, next: Self, next_length: u64) -> Self {
        Self(crc64::joined(self.0, next.0, next_length))
    }

    /// The entity tag of `length` bytes with this checksum.
    ///
    /// It ends in `-1`, as that of an upload of one part does: clients take 32 hex digits alone for
    /// an MD5, and fail on it.
    pub(super) fn etag(self, length: u64) -> String {
        format!("{}-1", tag(&[&self.0.to_be_bytes(), &length.to_be_bytes()]))
    }

    /// As S3 writes it: base64 of the big-endian bytes.
    pub(super) fn base64(self) -> String {
        BASE64.encode(self.0.to_be_bytes())
    }
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The checksum of a row that has `algorithm` and `checksum`.
    pub(super) fn proven(row: &Row<'_>) -> rusqlite::Result<Option<Proven>> {
        let algorithm: Option<String> = row.get("algorithm")?;
        let checksum: Option<String> = row.get("checksum")?;
        let algorithm = algorithm.as_deref().and_then(Self::from_name);
        Ok(algorithm.zip(checksum).map(|(algorithm, value)| Proven { algorithm, value }))
    }

    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    fn digest_length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl Promise {
    /// Reads `Content-MD5`, the `x-amz-checksum-*` headers and `x-amz-trailer`.
    ///
    /// # Errors
    /// [`Refusal::InvalidDigest`] for a value that cannot be a digest of its kind.
    pub(super) fn of(
        headers: &HeaderMap,
        trailers: Option<TrailingHeaders>,
    ) -> Result<Self, Refusal> {
        let content_md5 = match headers.get("content-md5") {
            Some(value) => Some(
                decoded(value.to_str().unwrap_or_default())
                    .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
                    .ok_or(Refusal::InvalidDigest("Content-MD5"))?,
            ),
            None => None,
        };
        let mut checksums = Vec::new();
        for algorithm in Algorithm::ALL {
            if let Some(value) = headers.get(algorithm.header()) {
                let value = value.to_str().unwrap_or_default();
                let length = decoded(value).map(|bytes| bytes.len());
                if length != Some(algorithm.digest_length()) {
                    return Err(Refusal::InvalidDigest(algorithm.name()));
                }
                checksums.push((algorithm, Some(value.to_owned())));
            } else if trailers.is_some() && announced(headers, algorithm) {
                checksums.push((algorithm, None));
            }
        }
        Ok(Self { content_md5, checksums, trailers })
    }

    /// The hashes that have to be computed to keep this promise, and always CRC-64/NVME.
    pub(super) fn digests(&self) -> Digests {
        let wanted = |algorithm| self.checksums.iter().any(|(wanted, _)| *wanted == algorithm);
        Digests {
            crc64: Crc64Nvme::new(),
            md5: self.content_md5.map(|_| Md5::new()),
            others: ChecksumHasher {
                crc32: wanted(Algorithm::Crc32).then(Crc32::new),
                crc32c: wanted(Algorithm::Crc32c).then(Crc32c::new),
                sha1: wanted(Algorithm::Sha1).then(Sha1::new),
                sha256: wanted(Algorithm::Sha256).then(Sha256::new),
                crc64nvme: None,
            },
        }
    }

    /// Compares, after the last byte: a trailer is there only then.
    ///
    /// # Errors
    /// [`Refusal::BadDigest`] names the first that does not hold.
    pub(super) fn check(&self, computed: &Computed) -> Result<Option<Proven>, Refusal> {
        if self.content_md5.is_some() && self.content_md5 != computed.md5 {
            return Err(Refusal::BadDigest("Content-MD5"));
        }
        let mut proven = None;
        for (algorithm, value) in &self.checksums {
            let trailer = || {
                self.trailers.as_ref()?.read(|headers| {
                    headers.get(algorithm.header())?.to_str().ok().map(str::to_owned)
                })?
            };
            let sent = value.clone().or_else(trailer);
            if sent.is_none() || sent != computed.value(*algorithm) {
                return Err(Refusal::BadDigest(algorithm.name()));
            }
            proven = sent.map(|value| Proven { algorithm: *algorithm, value });
        }
        Ok(proven)
    }
}

impl Digests {
    /// CRC-64/NVME, and `algorithm` if it is another.
    pub(super) fn with(algorithm: Option<Algorithm>) -> Self {
        let checksums = algorithm.into_iter().map(|algorithm| (algorithm, None)).collect();
        Promise { checksums, ..Promise::default() }.digests()
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.crc64.update(bytes);
        self.others.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    pub(super) fn finish(self) -> Computed {
        Computed {
            crc64: Crc64(u64::from_be_bytes(self.crc64.finalize())),
            md5: self.md5.map(s3s::crypto::Checksum::finalize),
            others: self.others.finalize(),
        }
    }
}

impl Computed {
    /// The entity tag of a body of `length` bytes.
    ///
    /// The MD5 where the client sent one to compare; otherwise [`Crc64::etag`].
    pub(super) fn etag(&self, length: u64) -> String {
        match &self.md5 {
            Some(md5) => hex(md5),
            None => self.crc64.etag(length),
        }
    }

    /// The digest by `algorithm`, if it was computed.
    pub(super) fn proven(&self, algorithm: Algorithm) -> Option<Proven> {
        self.value(algorithm).map(|value| Proven { algorithm, value })
    }

    fn value(&self, algorithm: Algorithm) -> Option<String> {
        match algorithm {
            Algorithm::Crc32 => self.others.checksum_crc32.clone(),
            Algorithm::Crc32c => self.others.checksum_crc32c.clone(),
            Algorithm::Crc64Nvme => Some(self.crc64.base64()),
            Algorithm::Sha1 => self.others.checksum_sha1.clone(),
            Algorithm::Sha256 => self.others.checksum_sha256.clone(),
        }
    }
}

impl ToSql for Crc64 {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.cast_signed().into())
    }
}

impl FromSql for Crc64 {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(|bits| Self(bits.cast_unsigned()))
    }
}

/// The digest of `bytes` as S3 writes it.
pub(super) fn digest(algorithm: Algorithm, bytes: &[u8]) -> Option<String> {
    let mut digests = Digests::with(Some(algorithm));
    digests.update(bytes);
    digests.finish().value(algorithm)
}

/// 32 hex digits that stand for `pieces`.
pub(super) fn tag(pieces: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for piece in pieces {
        sha.update(piece);
    }
    hex(&sha.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decoded(value: &str) -> Option<Vec<u8>> {
    BASE64.decode(value.trim()).ok()
}

fn announced(headers: &HeaderMap, algorithm: Algorithm) -> bool {
    headers
        .get_all("x-amz-trailer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case(algorithm.header()))
}
