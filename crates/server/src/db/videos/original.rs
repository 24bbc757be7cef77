//! `videos.original`: where a video's original is.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// The column once held keys of the storage only.
pub(crate) const PLACED: &str = "
    ALTER TABLE videos RENAME COLUMN s3_key TO original;
    ALTER TABLE removals RENAME COLUMN s3_key TO original";

/// Of what is [`Original::Direct`].
pub(crate) const IS_DIRECT: &str = "original LIKE 'direct/%'";

/// What no key of the storage begins with; see [`crate::keys`].
const DIRECT: &str = "direct/";

/// Where an original is, or is on its way to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Original {
    /// In the storage, under this key.
    Stored(String),
    /// With the media engine alone, by its direct upload of this id.
    Direct(String),
}

impl ToSql for Original {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Stored(key) => key.to_sql(),
            Self::Direct(upload_id) => Ok(format!("{DIRECT}{upload_id}").into()),
        }
    }
}

impl FromSql for Original {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Ok(match text.strip_prefix(DIRECT) {
            Some(upload_id) => Self::Direct(upload_id.to_owned()),
            None => Self::Stored(text.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let connection = Connection::open_in_memory().expect("memory");
        let key = crate::keys::object_key("v");
        for original in [Original::Stored(key), Original::Direct("Up-1".into())] {
            let read = connection.query_row("SELECT ?1", [&original], |row| row.get(0));
            assert_eq!(read, Ok(original));
        }
    }
}
