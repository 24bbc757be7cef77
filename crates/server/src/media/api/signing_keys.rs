//! `/system/v1/signing-keys`: keys that sign playback tokens.
//!
//! The private half is in the answer that makes a key, and nowhere else.
//!
//! Source: <https://docs.mux.com/api-reference/system/signing-keys>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::mux::{Data, SigningKey};
use dailies_database::DatabaseError;
use http::StatusCode;
use ulid::Ulid;

use super::{Page, Query, query};
use crate::media::answer::Refusal;
use crate::media::engine::Shared;
use crate::media::store::{self, signing_keys};
use crate::rsa_pair::RsaPair;

/// More than anybody rotates; each is held in memory.
const MOST: u32 = 100;

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
) -> Result<(StatusCode, Json<Data<SigningKey>>), Refusal> {
    let RsaPair { private, public } = RsaPair::generate().await;
    let id = Ulid::new().to_string();
    let (key, pem) = (id.clone(), public.clone());
    let made = shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            if signing_keys::count(c)? >= MOST {
                return Ok(None);
            }
            signing_keys::insert(c, &key, &pem, store::now())?;
            signing_keys::get(c, &key)
        })
        .await?;
    let made = made.ok_or_else(|| {
        Refusal::invalid(format!("there are {MOST} signing keys already; delete one"))
    })?;
    shared.keys.add(&id, &public)?;
    tracing::info!(key = id, "a signing key was made");
    let data = SigningKey { private_key: Some(STANDARD.encode(private)), ..made };
    Ok((StatusCode::CREATED, Json(Data::new(data))))
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    page: Query<Page>,
) -> Result<Json<Data<Vec<SigningKey>>>, Refusal> {
    let page = query(page)?;
    let (limit, offset) = (page.limit(), page.offset());
    let data = shared.database.read(move |c| signing_keys::list(c, limit, offset)).await?;
    Ok(Json(Data::new(data)))
}

pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Data<SigningKey>>, Refusal> {
    let data = shared.database.read(move |c| signing_keys::get(c, &id)).await?;
    Ok(Json(Data::new(data.ok_or_else(Refusal::not_found)?)))
}

/// Its tokens open nothing from then on.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let key = id.clone();
    let deleted = shared.database.write(move |c| signing_keys::delete(c, &key)).await?;
    if !deleted {
        return Err(Refusal::not_found());
    }
    shared.keys.remove(&id);
    tracing::info!(key = id, "a signing key was deleted");
    Ok(StatusCode::NO_CONTENT)
}
