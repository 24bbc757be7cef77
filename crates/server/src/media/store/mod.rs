//! All SQL of the media engine: one file per table with its schema, rows and queries.
//!
//! Must not know: FFmpeg, HTTP.

pub(super) mod assets;
pub(super) mod backlog;
pub(super) mod deliveries;
pub(super) mod jobs;
pub(super) mod playback_ids;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use dailies_database::{Database, DatabaseError, M, Migrations};

/// Opens or creates `media.db` at `path`.
pub(super) fn open(path: &Path) -> Result<Database, DatabaseError> {
    Database::open(path, &migrations())
}

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(assets::SCHEMA),
        M::up(playback_ids::SCHEMA),
        M::up(jobs::SCHEMA),
        M::up(deliveries::SCHEMA),
    ])
}

/// Milliseconds since 1970 by this computer's clock.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_sound() {
        migrations().validate().expect("every migration applies");
    }
}
