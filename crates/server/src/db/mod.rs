//! `team.db`: one file per table, each with its migration, its rows and its queries.
//!
//! Must not know: HTTP, storage, the media engine. A video's state changes only here, by `UPDATE`s
//! that carry the state they expect and assert that one row changed.

pub(crate) mod access_grants;
pub(crate) mod api_keys;
pub(crate) mod chunk_sessions;
pub(crate) mod folders;
pub(crate) mod idempotency;
pub(crate) mod identities;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod projects;
pub(crate) mod quota;
pub(crate) mod removals;
pub(crate) mod settings;
pub(crate) mod share_links;
pub(crate) mod snapshots;
pub(crate) mod sweeps;
pub(crate) mod teams;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod videos;
pub(crate) mod webhook_events;

use std::path::Path;

use dailies_database::{Database, DatabaseError, M, Migrations};

/// Opens or creates the team's database.
pub(crate) fn open(path: &Path) -> Result<Database, DatabaseError> {
    Database::open(path, &migrations())
}

/// Opens the database of a server that may be running.
pub(crate) fn open_existing(path: &Path) -> Result<Database, DatabaseError> {
    Database::open_existing(path, &migrations())
}

/// In the order they were released: add at the end, never change one.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(settings::CREATE),
        M::up(teams::CREATE),
        M::up(users::CREATE),
        M::up(members::CREATE),
        M::up(projects::CREATE),
        M::up(api_keys::CREATE),
        M::up(videos::CREATE),
        M::up(idempotency::CREATE),
        M::up(webhook_events::CREATE),
        M::up(members::BY_USER),
        M::up(users::KNOWN_ELSEWHERE),
        M::up(identities::CREATE),
        M::up(api_keys::NAMED),
        M::up(projects::TREE),
        M::up(videos::VERSIONS),
        M::up(invitations::CREATE),
        M::up(share_links::CREATE),
        M::up(access_grants::CREATE),
        M::up(removals::CREATE),
        M::up(quota::ADD),
        M::up(videos::idle::ADD),
        M::up(sweeps::CREATE),
        M::up(chunk_sessions::CREATE),
        M::up(uploads::ADD),
        M::up(videos::PLACED),
        M::up(videos::growing::ADD),
    ])
}

/// An enumeration's text as the wire writes it, which is also how tables hold it.
pub(crate) fn text<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => unreachable!("only enumerations without fields are stored as text"),
    }
}

/// The reverse of [`text`].
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(
    row: &rusqlite::Row<'_>,
    column: &str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An empty database in a folder of its own.
    pub(crate) fn scratch() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let database = open(&folder.path().join("team.db")).expect("a new database opens");
        (folder, database)
    }

    #[test]
    fn migrations_are_in_order() {
        migrations().validate().expect("every migration applies to the one before");
    }

    #[test]
    fn enumerations_are_stored_as_the_wire_writes_them() {
        use dailies_api::projects::Role;
        use dailies_api::videos::{VideoStatus, Visibility};
        assert_eq!(text(Role::Owner), "owner");
        assert_eq!(text(VideoStatus::Processing), "processing");
        assert_eq!(text(Visibility::Public), "public");
    }
}
