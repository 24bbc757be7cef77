//! Pages of keys in S3's order, folded at a delimiter.

use rusqlite::{CachedStatement, Connection, Row, params};

use super::Moment;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::count;

/// Keys read at a time where common prefixes may be among them.
const FOLDING_BATCH: usize = 32;

/// Which keys a page is made of.
#[derive(Debug, Default)]
pub(in crate::object_store) struct Selection {
    pub(in crate::object_store) bucket: String,
    pub(in crate::object_store) prefix: String,
    pub(in crate::object_store) delimiter: Option<String>,
    /// The key or common prefix the page begins after.
    pub(in crate::object_store) after: Option<String>,
    /// Keys and common prefixes together.
    pub(in crate::object_store) limit: usize,
}

/// A page of keys.
#[derive(Debug, Default)]
pub(in crate::object_store) struct Page {
    pub(in crate::object_store) entries: Vec<Entry>,
    pub(in crate::object_store) common_prefixes: Vec<String>,
    /// What the next page begins after, if there is more.
    pub(in crate::object_store) next: Option<String>,
}

#[derive(Debug)]
pub(in crate::object_store) struct Entry {
    pub(in crate::object_store) key: String,
    pub(in crate::object_store) size: u64,
    pub(in crate::object_store) etag: String,
    pub(in crate::object_store) modified: Moment,
}

/// A position between keys. SQLite compares text as bytes, which is S3's order of UTF-8.
struct Position {
    key: String,
    /// Whether a key equal to `key` is still to come.
    inclusive: bool,
}

impl Page {
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub(in crate::object_store) fn of(
        connection: &Connection,
        selection: &Selection,
    ) -> Result<Self, Refusal> {
        super::buckets::require(connection, &selection.bucket)?;
        let mut page = Self::default();
        if selection.limit == 0 {
            return Ok(page);
        }
        let mut position = selection.start();
        let mut last = None;
        loop {
            let found = selection.next_keys(connection, &position)?;
            if found.is_empty() {
                return Ok(page);
            }
            for entry in found {
                if !entry.key.starts_with(&selection.prefix) {
                    return Ok(page);
                }
                if page.entries.len() + page.common_prefixes.len() == selection.limit {
                    page.next = last;
                    return Ok(page);
                }
                if let Some(folded) = selection.fold(&entry.key) {
                    // What is folded may be long: the next query begins behind all of it.
                    position = Position::behind_all(folded);
                    last = Some(folded.to_owned());
                    page.common_prefixes.push(folded.to_owned());
                    break;
                }
                position = Position { key: entry.key.clone(), inclusive: false };
                last = Some(entry.key.clone());
                page.entries.push(entry);
            }
        }
    }
}

impl Selection {
    fn start(&self) -> Position {
        match &self.after {
            Some(after) if self.fold(after) == Some(after) => Position::behind_all(after),
            Some(after) if *after >= self.prefix => {
                Position { key: after.clone(), inclusive: false }
            }
            _ => Position { key: self.prefix.clone(), inclusive: true },
        }
    }

    /// The common prefix `key` is folded into.
    fn fold<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let end = rest.find(delimiter)? + delimiter.len();
        Some(&key[..self.prefix.len() + end])
    }

    fn next_keys(
        &self,
        connection: &Connection,
        position: &Position,
    ) -> Result<Vec<Entry>, Refusal> {
        // Where keys are folded, most of a long batch would be read for nothing.
        let limit = if self.delimiter.is_some() { FOLDING_BATCH } else { self.limit + 1 };
        let mut statement: CachedStatement<'_> = connection.prepare_cached(
            "SELECT key, size, etag, modified_ms FROM objects
             WHERE bucket = ?1 AND key >= ?2 AND (?3 OR key > ?2) ORDER BY key LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![self.bucket, position.key, position.inclusive, limit], entry)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Position {
    /// Behind every key that begins with `prefix`.
    fn behind_all(prefix: &str) -> Self {
        let mut key = prefix.to_owned();
        while let Some(last) = key.pop() {
            // The next character there is: surrogates are none.
            let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
            if let Some(next) = next {
                key.push(next);
                return Self { key, inclusive: true };
            }
        }
        // Every character was the last there is, so nothing but such keys can follow.
        Self { key: format!("{prefix}{}", char::MAX), inclusive: false }
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get("key")?,
        size: count(row, "size")?,
        etag: row.get("etag")?,
        modified: row.get("modified_ms")?,
    })
}
