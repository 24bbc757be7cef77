//! Whole files for FFmpeg, on a port of this computer alone.
//!
//! FFmpeg may open nothing but http(s), because what it reads comes from strangers; so the files
//! come to it by http, behind a secret of this process.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::media::file_response::file_response;
use crate::media::signature::hex;

/// How a job names an upload as its input; the rest is the upload's id.
pub(super) const SCHEME: &str = "upload:";

/// Where the files are served.
#[derive(Clone)]
pub(in crate::media) struct Inputs {
    address: SocketAddr,
    secret: String,
    folder: PathBuf,
}

impl Inputs {
    /// Takes a free port of this computer for the files in `folder`.
    pub(in crate::media) async fn bind(folder: PathBuf) -> std::io::Result<(Self, TcpListener)> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret)
            .map_err(|_| std::io::Error::other("the system gives no randomness"))?;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        Ok((Self { address, secret: hex(&secret), folder }, listener))
    }

    /// Serves until `closing`.
    pub(in crate::media) async fn serve(self, listener: TcpListener, closing: CancellationToken) {
        let router = Router::new().route("/{secret}/{id}", get(file)).with_state(self);
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(async move { closing.cancelled().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "uploaded files cannot be handed to FFmpeg any more");
        }
    }

    pub(super) fn address(&self, id: &str) -> String {
        format!("http://{}/{}/{id}", self.address, self.secret)
    }
}

async fn file(
    State(inputs): State<Inputs>,
    Path((secret, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let known = bool::from(secret.as_bytes().ct_eq(inputs.secret.as_bytes()));
    let Some(id) = Ulid::from_string(&id).ok().filter(|_| known) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let path = inputs.folder.join(id.to_string());
    match file_response(&path, "application/octet-stream", &headers).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%error, upload = %id, "an uploaded file cannot be read");
            StatusCode::NOT_FOUND.into_response()
        }
    }
}
