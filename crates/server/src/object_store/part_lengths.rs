//! How long the parts of an object were: what reading it part by part needs to know.

use std::ops::Range;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// The lengths of an object's parts in order, as runs of equal ones: mostly there are two.
///
/// Parts count from 1 here, whatever numbers they were sent under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartLengths(Vec<(u32, u64)>);

impl PartLengths {
    pub(super) fn of(lengths: impl IntoIterator<Item = u64>) -> Self {
        let mut runs: Vec<(u32, u64)> = Vec::new();
        for length in lengths {
            match runs.last_mut() {
                Some((count, same)) if *same == length => *count += 1,
                _ => runs.push((1, length)),
            }
        }
        Self(runs)
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|(count, _)| count).sum()
    }

    /// Where the bytes of a part are in the object; `None` where there is no such part.
    pub(super) fn bytes_of(&self, number: u32) -> Option<Range<u64>> {
        let mut before = number.checked_sub(1)?;
        let mut start = 0;
        for (count, length) in &self.0 {
            if before < *count {
                let start = start + u64::from(before) * length;
                return Some(start..start + length);
            }
            before -= count;
            start += u64::from(*count) * length;
        }
        None
    }
}

impl ToSql for PartLengths {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(self)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for PartLengths {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map_err(|error| FromSqlError::Other(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_its_number() {
        let lengths = PartLengths::of([5, 5, 5, 9, 5]);
        assert_eq!(lengths, PartLengths(vec![(3, 5), (1, 9), (1, 5)]));
        let found: Vec<_> = (0..=6).map(|number| lengths.bytes_of(number)).collect();
        let wanted =
            [None, Some(0..5), Some(5..10), Some(10..15), Some(15..24), Some(24..29), None];
        assert_eq!(found, wanted);
        assert_eq!(lengths.count(), 5);
        assert_eq!(PartLengths::of([0]).bytes_of(1), Some(0..0));
    }
}
