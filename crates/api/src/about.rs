//! `GET /.well-known/dailies`: what a team server says of itself to anybody.

use serde::{Deserialize, Serialize};

/// The path, below the server's address.
pub const PATH: &str = "/.well-known/dailies";

/// What a team server is, and how people sign in to it. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The program that answers.
    pub name: String,
    /// The ways in which it takes uploads.
    pub protocols: Vec<Protocol>,
    /// It takes parts of a file before its size is known: `videoActions:initiateVideoUpload` and
    /// `POST /upload` without a `fileSize`.
    #[serde(default)]
    pub growing_files: bool,
    /// Issuers at which people sign in. None: only keys and tokens that were made elsewhere.
    #[serde(default)]
    pub sign_in: Vec<SignIn>,
}

/// A way in which a server takes uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Convex functions over HTTP.
    VideoActions,
    /// Serverpod's `videoUpload`.
    ChunkedSessions,
    /// An HTTP action that opens Mux direct uploads.
    MuxDirect,
    /// One form per video.
    UploadsApi,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// How a program signs somebody in by OpenID Connect: authorization code with PKCE, as a public
/// client (RFC 8252).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// The issuer, to the letter; its endpoints are found by OpenID Connect Discovery.
    pub issuer: String,
    /// The public client to sign in as.
    pub client_id: String,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// Whom the access token is for (RFC 8707), where its issuer wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The token that the server wants to be called with.
    pub presents: Presents,
}

/// Which of an issuer's tokens a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presents {
    /// The access token.
    AccessToken,
    /// The ID token: the server knows the program itself as its tokens' audience.
    IdToken,
}
