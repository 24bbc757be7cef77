//! How many bytes a second.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Letters for thousands, millions and thousands of millions.
const UNITS: [(char, u64); 3] = [('G', 1_000_000_000), ('M', 1_000_000), ('K', 1_000)];

/// Bytes per second, at least one. In words: `20M`, `750K`, `1500`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(NonZeroU64);

/// Words that are no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of bytes a second, such as 20M or 750K")]
pub struct NoRate;

impl Rate {
    /// So many bytes a second; `None` for none.
    #[must_use]
    pub fn new(bytes: u64) -> Option<Self> {
        NonZeroU64::new(bytes).map(Self)
    }

    /// Bytes a second.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let unit = UNITS.iter().find(|(letter, _)| text.to_ascii_uppercase().ends_with(*letter));
        let (number, times) =
            unit.map_or((text, 1), |(_, times)| (&text[..text.len() - 1], *times));
        let number: u64 = number.parse().map_err(|_| NoRate)?;
        number.checked_mul(times).and_then(Self::new).ok_or(NoRate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, times)| self.get().is_multiple_of(*times)) {
            Some((letter, times)) => write!(f, "{}{letter}", self.get() / times),
            None => write!(f, "{}", self.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_rates_and_rates_words() {
        let rate = |text: &str| text.parse().map(Rate::get);
        assert_eq!(rate("20M"), Ok(20_000_000));
        assert_eq!(rate("750k"), Ok(750_000));
        assert_eq!(rate("1500"), Ok(1500));
        for none in ["", "M", "0", "-1", "1.5M", "20 M", "99999999999G", "20MB", "ä"] {
            assert_eq!(rate(none), Err(NoRate), "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in 1_u64..) {
            let rate = Rate::new(bytes).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
