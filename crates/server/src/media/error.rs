//! What can keep the engine from starting.

use dailies_database::DatabaseError;

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The folder cannot be made, read or written.
    #[error("the media folder cannot be used")]
    Folder(#[source] std::io::Error),
    /// `media.db` cannot be used.
    #[error("the media database cannot be used")]
    Database(#[from] DatabaseError),
    /// A signing key is no RSA public key.
    #[error("the playback signing key `{id}` is no RSA public key")]
    SigningKey {
        /// Its id.
        id: String,
        /// What the parser says.
        #[source]
        source: jsonwebtoken::errors::Error,
    },
    /// The webhook's address is no http(s) address.
    #[error("the webhook address is not an http or https address")]
    WebhookUrl,
    /// The client for webhooks could not be made.
    #[error("no HTTP client could be made")]
    HttpClient(#[source] reqwest::Error),
}
