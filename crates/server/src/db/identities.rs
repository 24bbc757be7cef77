//! `identities`: which user an account at an identity provider is.
//!
//! Found by issuer and subject, the only pair that a provider promises never to give to anybody
//! else; <https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability>.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::users::Email;

/// `name` and `email` are what the account said last, so that a user who has two accounts is not
/// renamed at every call by the one that came before.
pub(crate) const CREATE: &str = "
    CREATE TABLE identities (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL CHECK (subject <> ''),
        user_id TEXT NOT NULL REFERENCES users (id),
        name TEXT,
        email TEXT,
        email_verified INTEGER NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (issuer, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX identities_by_user ON identities (user_id)";

/// An account that a token speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Exactly as the configuration and the token write it.
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// What it says of its user; what it does not say changes nothing.
    pub(crate) name: Option<String>,
    pub(crate) email: Option<Email>,
}

/// What is known of an account.
#[derive(Clone, Debug)]
pub(crate) struct IdentityRow {
    pub(crate) user_id: String,
    /// The user has gone.
    pub(crate) removed: bool,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<Email>,
}

impl IdentityRow {
    /// Whether the account now says something else of its user.
    pub(crate) fn differs(&self, account: &Account) -> bool {
        (account.name.is_some() && account.name != self.name)
            || (account.email.is_some() && account.email != self.email)
    }
}

pub(crate) fn find(
    connection: &Connection,
    issuer: &str,
    subject: &str,
) -> Result<Option<IdentityRow>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT user_id, removed_at, i.name, i.email, i.email_verified
             FROM identities AS i JOIN users ON users.id = i.user_id
             WHERE issuer = ?1 AND subject = ?2",
        )?
        .query_row([issuer, subject], |row| {
            let address: Option<String> = row.get("email")?;
            let verified = row.get("email_verified")?;
            Ok(IdentityRow {
                user_id: row.get("user_id")?,
                removed: row.get::<_, Option<i64>>("removed_at")?.is_some(),
                name: row.get("name")?,
                email: address.map(|address| Email { address, verified }),
            })
        })
        .optional()?)
}

pub(crate) fn insert(
    connection: &Connection,
    account: &Account,
    user_id: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO identities
             (issuer, subject, user_id, name, email, email_verified, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            account.issuer,
            account.subject,
            user_id,
            account.name,
            account.email.as_ref().map(|email| &email.address),
            account.email.as_ref().is_some_and(|email| email.verified),
            now
        ],
    )?;
    Ok(())
}

/// Keeps what the account says now.
pub(crate) fn update(connection: &Connection, account: &Account) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE identities SET
             name = coalesce(?3, name),
             email_verified = CASE WHEN ?4 IS NULL THEN email_verified ELSE ?5 END,
             email = coalesce(?4, email)
         WHERE issuer = ?1 AND subject = ?2",
        params![
            account.issuer,
            account.subject,
            account.name,
            account.email.as_ref().map(|email| &email.address),
            account.email.as_ref().is_some_and(|email| email.verified),
        ],
    )?)
}

/// Whether the user already has an account at this provider.
pub(crate) fn knows(
    connection: &Connection,
    issuer: &str,
    user_id: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM identities WHERE issuer = ?1 AND user_id = ?2")?
        .exists([issuer, user_id])?)
}
