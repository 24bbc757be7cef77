//! Amounts as people write them.

use std::time::Duration;

/// `8388608`, `8 MiB`, `50GB`: powers of 1024 with an `i`, of 1000 without.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// `10`, `10 s`, `5m`, `2 h`, `90d`, `500ms`.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split(text);
    let number: u64 = number.parse().ok()?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" | "min" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(24 * 3600),
        _ => None,
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        assert_eq!(bytes("8388608"), Some(8 << 20));
        assert_eq!(bytes("8 MiB"), Some(8 << 20));
        assert_eq!(bytes("50GB"), Some(50_000_000_000));
        for wrong in ["", "MiB", "-1", "8 parsecs", "99999999999 TiB", "1.5 GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(time("10"), Some(Duration::from_secs(10)));
        assert_eq!(time("5 m"), Some(Duration::from_secs(300)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("soon"), None);
    }
}
