//! Names of uploads.

use ulid::Ulid;

crate::id::id! {
    /// An upload's name: also its intent's, and so the idempotency key at the team API.
    UploadId
}

impl UploadId {
    /// New names that sort in the order in which they come: what is added together stays in order.
    pub fn in_order() -> impl Iterator<Item = Self> {
        let mut generator = ulid::Generator::new();
        // Within one millisecond the order ends after 2^80 names.
        std::iter::repeat_with(move || Self(generator.generate().unwrap_or_else(|_| Ulid::new())))
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
