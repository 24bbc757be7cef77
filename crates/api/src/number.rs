//! Whole numbers from an API whose JSON numbers are all Float64.
//!
//! A Convex deployment sends `"partCount":5.0` (Float64) or `{"$integer": base64}` (Int64, little
//! endian); <https://docs.convex.dev/functions/validation> and the JavaScript client's `values`.

use base64::Engine as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The largest whole number a Float64 holds exactly, 2^53 - 1.
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Whole(u64),
    Float(f64),
    Int64 {
        #[serde(rename = "$integer")]
        base64: String,
    },
}

impl Wire {
    fn whole(self) -> Result<u64, &'static str> {
        match self {
            Self::Whole(value) => Ok(value),
            Self::Float(value)
                if value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the guard leaves only whole numbers from 0 to 2^53 - 1"
                )]
                Ok(value as u64)
            }
            Self::Float(_) => Err("not a whole number that can be counted"),
            Self::Int64 { base64 } => {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(base64)
                    .map_err(|_| "$integer is not base64")?;
                let bytes = bytes.try_into().map_err(|_| "$integer is not eight bytes long")?;
                u64::try_from(i64::from_le_bytes(bytes)).map_err(|_| "a negative count")
            }
        }
    }
}

/// For `#[serde(deserialize_with)]`: a `u64` in any of the three forms.
///
/// # Errors
/// For a negative, fractional or unreadable number.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Wire::deserialize(deserializer)?.whole().map_err(D::Error::custom)
}

/// For `#[serde(default, deserialize_with)]`: the same where the field may be absent or null.
///
/// # Errors
/// For a negative, fractional or unreadable number.
pub fn whole_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::<Wire>::deserialize(deserializer)?
        .map(Wire::whole)
        .transpose()
        .map_err(D::Error::custom)
}

/// For part numbers and counts, which are `u32` everywhere.
///
/// # Errors
/// As [`whole`], and for more than `u32` holds.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    u32::try_from(whole(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "whole")]
        n: u64,
        #[serde(default, deserialize_with = "whole_if_any")]
        m: Option<u64>,
    }

    fn n(json: &str) -> Option<u64> {
        serde_json::from_str::<Row>(&format!("{{\"n\":{json}}}")).ok().map(|row| row.n)
    }

    #[test]
    fn whole_numbers_come_in_three_forms() {
        assert_eq!(n("5"), Some(5));
        assert_eq!(n("5.0"), Some(5));
        assert_eq!(n(r#"{"$integer":"BQAAAAAAAAA="}"#), Some(5));
        assert_eq!(n("64424509440.0"), Some(60 << 30));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        for json in ["-1", "1.5", "1e300", "\"5\"", "null", r#"{"$integer":"!"}"#] {
            assert_eq!(n(json), None, "{json}");
        }
        assert_eq!(n(r#"{"$integer":"//////////8="}"#), None, "minus one");
    }

    #[test]
    fn absent_and_null_are_none() {
        let row: Row = serde_json::from_str(r#"{"n":1,"m":null}"#).expect("null is none");
        assert_eq!(row.m, None);
        let row: Row = serde_json::from_str(r#"{"n":1}"#).expect("absent is none");
        assert_eq!(row.m, None);
    }
}
