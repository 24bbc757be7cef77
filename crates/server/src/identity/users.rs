//! Which user an account is. Seen for the first time, it becomes one.

use dailies_database::{Database, DatabaseError};
use rusqlite::Connection;

use crate::clock::now_millis;
use crate::config::oidc::OidcIssuer;
use crate::db::identities::{self, Account};
use crate::db::users;
use crate::random;

/// Why an account that proved itself is nobody here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    /// It is not known and is not to become known, or its user has gone.
    #[error("no user for this account")]
    NotAdmitted,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The id of the account's user. Writes only where the account is new, or says something new.
pub(crate) async fn user_of(
    database: &Database,
    issuer: &OidcIssuer,
    account: Account,
) -> Result<String, UserError> {
    let (of, subject) = (account.issuer.clone(), account.subject.clone());
    let known = database
        .read::<_, DatabaseError, _>(move |connection| identities::find(connection, &of, &subject))
        .await?;
    match known {
        Some(known) if known.removed => Err(UserError::NotAdmitted),
        Some(known) if !known.differs(&account) => Ok(known.user_id),
        Some(known) => {
            let write = database
                .write::<_, DatabaseError, _>(move |connection| follow(connection, &account))
                .await;
            // A name that is not kept keeps nobody out.
            if let Err(error) = write {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what an account says of its user was not kept");
            }
            Ok(known.user_id)
        }
        None => {
            let (create, by_email) = (issuer.create_users, issuer.match_email);
            let admit = move |connection: &Connection| {
                admit(connection, &account, create, by_email)?.ok_or(UserError::NotAdmitted)
            };
            database.write(admit).await
        }
    }
}

/// Takes over what the account says of its user.
fn follow(connection: &Connection, account: &Account) -> Result<(), DatabaseError> {
    let Some(known) = identities::find(connection, &account.issuer, &account.subject)? else {
        return Ok(());
    };
    if known.removed || !known.differs(account) {
        return Ok(());
    }
    identities::update(connection, account)?;
    if let Some(name) = &account.name
        && known.name.as_ref() != Some(name)
    {
        users::rename(connection, &known.user_id, name)?;
    }
    if let Some(email) = &account.email {
        users::set_email(connection, &known.user_id, email)?;
    }
    Ok(())
}

/// The user of an account that was not known when we looked, if there is to be one.
fn admit(
    connection: &Connection,
    account: &Account,
    create: bool,
    by_email: bool,
) -> Result<Option<String>, DatabaseError> {
    // Two first calls at once: the second finds what the first has made.
    if let Some(known) = identities::find(connection, &account.issuer, &account.subject)? {
        return Ok((!known.removed).then_some(known.user_id));
    }
    let now = now_millis();
    let user_id = match same_email(connection, account, by_email)? {
        Some(user_id) => user_id,
        None if !create => return Ok(None),
        None => {
            let user_id = random::id();
            let email = account.email.as_ref().map(|email| &email.address);
            let name = account.name.as_ref().or(email).unwrap_or(&account.subject);
            users::insert(connection, &user_id, name, now)?;
            if let Some(email) = &account.email {
                users::set_email(connection, &user_id, email)?;
            }
            user_id
        }
    };
    identities::insert(connection, account, &user_id, now)?;
    Ok(Some(user_id))
}

/// The one user who is sure to have the account's address, which its issuer vouches for; nobody who
/// has another account there already.
fn same_email(
    connection: &Connection,
    account: &Account,
    by_email: bool,
) -> Result<Option<String>, DatabaseError> {
    let Some(email) = account.email.as_ref().filter(|email| by_email && email.verified) else {
        return Ok(None);
    };
    let found = users::by_verified_email(connection, &email.address)?;
    let [user_id] = found.as_slice() else { return Ok(None) };
    let elsewhere = !identities::knows(connection, &account.issuer, user_id)?;
    Ok(elsewhere.then(|| user_id.clone()))
}
