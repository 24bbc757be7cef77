//! What an asset's owner says of it and may change: `passthrough` and `meta` of table `assets`.

use dailies_api::mux::{AssetMeta, UpdateAsset};
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, params};

pub(super) const SCHEMA: &str = "ALTER TABLE assets ADD COLUMN meta TEXT";

/// Changes what is given.
pub(in crate::media) fn update(
    connection: &Connection,
    asset: &str,
    update: &UpdateAsset,
) -> Result<(), DatabaseError> {
    if let Some(passthrough) = &update.passthrough {
        exactly_one(connection.execute(
            "UPDATE assets SET passthrough = ?2 WHERE id = ?1",
            params![asset, passthrough],
        )?)?;
    }
    if let Some(meta) = &update.meta {
        set_meta(connection, asset, meta.as_ref())?;
    }
    Ok(())
}

/// Sets or empties an asset's `meta`.
pub(in crate::media) fn set_meta(
    connection: &Connection,
    asset: &str,
    meta: Option<&AssetMeta>,
) -> Result<(), DatabaseError> {
    let text = meta.map(|meta| serde_json::to_string(meta).expect("meta has only string keys"));
    exactly_one(
        connection.execute("UPDATE assets SET meta = ?2 WHERE id = ?1", params![asset, text])?,
    )
}

pub(super) fn meta(
    connection: &Connection,
    asset: &str,
) -> Result<Option<AssetMeta>, DatabaseError> {
    let text: Option<String> =
        connection.query_row("SELECT meta FROM assets WHERE id = ?1", [asset], |row| row.get(0))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
