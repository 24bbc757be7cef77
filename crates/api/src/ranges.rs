//! What a request asks for of a file by its `Range` (RFC 9110, section 14.2).

/// What a `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedRange {
    /// All of it.
    Whole,
    /// Some of it.
    Part {
        /// Bytes before it.
        first: u64,
        /// Bytes, at least one.
        length: u64,
    },
    /// Nothing of the file: 416.
    Outside,
}

impl AskedRange {
    /// Of a file of `size` bytes. What is not understood, several ranges among it, is answered with
    /// the whole.
    #[must_use]
    pub fn read(header: Option<&str>, size: u64) -> Self {
        let Some(ranges) = header.and_then(|header| header.strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = ranges.trim().split_once('-') else { return Self::Whole };
        let part = |first, length| Self::Part { first, length };
        match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
            (Some(first), _) if first >= size => Self::Outside,
            (Some(first), None) if last.is_empty() => part(first, size - first),
            (Some(first), Some(last)) if last >= first => {
                part(first, last.min(size - 1) - first + 1)
            }
            (None, Some(count)) if first.is_empty() => match count.min(size) {
                0 => Self::Outside,
                length => part(size - length, length),
            },
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AskedRange::{self, Outside, Part, Whole};

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let part = |first, length| Part { first, length };
        let cases = [
            (None, Whole),
            (Some("bytes=0-9"), part(0, 10)),
            (Some("bytes=40-49"), part(40, 10)),
            (Some("bytes=90-"), part(90, 10)),
            (Some("bytes=90-400"), part(90, 10)),
            (Some("bytes=99-99"), part(99, 1)),
            (Some("bytes=-10"), part(90, 10)),
            (Some("bytes=-400"), part(0, 100)),
            (Some("bytes=100-"), Outside),
            (Some("bytes=100-200"), Outside),
            (Some("bytes=-0"), Outside),
            (Some("bytes=9-1"), Whole),
            (Some("bytes=0-1,4-5"), Whole),
            (Some("bytes=0-x"), Whole),
            (Some("bytes=x-1"), Whole),
            (Some("bytes=-"), Whole),
            (Some("bytes=0-18446744073709551615"), part(0, 100)),
            (Some("bytes=0-18446744073709551616"), Whole),
            (Some("items=0-1"), Whole),
        ];
        for (header, asked) in cases {
            assert_eq!(AskedRange::read(header, 100), asked, "{header:?}");
        }
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(AskedRange::read(Some(header), 0), Outside, "{header} of nothing");
        }
    }
}
