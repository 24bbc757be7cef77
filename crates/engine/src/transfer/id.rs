//! Names of uploads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// An upload's name: also its intent's, and so the idempotency key at the team API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct UploadId(Ulid);

impl UploadId {
    /// A new name; names made in a later millisecond sort later.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each call gives another name")]
    pub fn new() -> Self {
        Self(Ulid::new())
    }

    /// New names that sort in the order in which they come: what is added together stays in order.
    pub fn in_order() -> impl Iterator<Item = Self> {
        let mut generator = ulid::Generator::new();
        // Within one millisecond the order ends after 2^80 names.
        std::iter::repeat_with(move || Self(generator.generate().unwrap_or_else(|_| Ulid::new())))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UploadId {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_made_together_sort_in_order() {
        let names: Vec<_> = UploadId::in_order().take(1000).collect();
        assert!(names.is_sorted());
    }
}
