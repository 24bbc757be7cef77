//! Conditional requests: RFC 9110 §13.2.2 for reads, `If-Match` and `If-None-Match` for writes.

use s3s::dto::{ETag, ETagCondition, Timestamp};

use crate::object_store::index::objects::Object;
use crate::object_store::refusal::Refusal;

/// What must hold of an object for it to be read.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// What must hold of the object that is to be replaced.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl ReadConditions {
    /// # Errors
    /// [`Refusal::PreconditionFailed`] or [`Refusal::NotModified`].
    pub(super) fn check(&self, object: &Object) -> Result<(), Refusal> {
        let modified = object.modified.http_date();
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, object) => {
                return Err(Refusal::PreconditionFailed);
            }
            (None, Some(since)) if modified > *since => return Err(Refusal::PreconditionFailed),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition, object) => Err(Refusal::NotModified),
            (None, Some(since)) if modified <= *since => Err(Refusal::NotModified),
            _ => Ok(()),
        }
    }
}

impl WriteConditions {
    /// # Errors
    /// [`Refusal::PreconditionFailed`], or [`Refusal::NoSuchKey`] where `If-Match` meets nothing.
    pub(super) fn check(&self, existing: Option<&Object>) -> Result<(), Refusal> {
        match &self.if_none_match {
            Some(ETagCondition::Any) if existing.is_some() => {
                return Err(Refusal::PreconditionFailed);
            }
            // S3 takes no other value for a write.
            Some(ETagCondition::ETag(_)) => {
                return Err(Refusal::NotImplemented("If-None-Match with an entity tag"));
            }
            _ => {}
        }
        match (&self.if_match, existing) {
            (Some(_), None) => Err(Refusal::NoSuchKey),
            (Some(condition), Some(object)) if !matches(condition, object) => {
                Err(Refusal::PreconditionFailed)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag: &ETag| etag.value() == object.etag)
}
