//! PUT to an upload's address.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use dailies_api::mux::UploadStatus;
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::asked::{Asked, End};
use super::intake::{Incoming, Place, Stop};
use super::seats::Taken;
use super::{cors, finish};
use crate::media::answer::Refusal;
use crate::media::engine::Shared;
use crate::media::store::uploads::{GRANULE, Session};
use crate::media::store::{self, uploads};

/// New bytes after which what came so far is brought to disk and counts.
const STEP: u64 = 32 << 20;
/// Bytes, and time, of a body that are read although its answer is known: a sender that is busy
/// sending would not see the answer before the connection breaks.
const DRAINED: usize = 16 << 20;
const DRAINING: Duration = Duration::from_secs(10);

/// The routes.
pub(in crate::media) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/{id}/{key}", put(take).options(preflight))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// What a sender learns.
enum Standing {
    /// All bytes are there.
    Whole,
    /// So many are.
    Part(u64),
}

impl IntoResponse for Standing {
    fn into_response(self) -> Response {
        match self {
            Self::Whole => StatusCode::OK.into_response(),
            Self::Part(0) => StatusCode::PERMANENT_REDIRECT.into_response(),
            Self::Part(stored) => {
                let range = [(RANGE, format!("bytes=0-{}", stored - 1))];
                (StatusCode::PERMANENT_REDIRECT, range).into_response()
            }
        }
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path((id, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let session = match open(&shared, &id, &key).await {
        Ok(session) => session,
        Err(refusal) => return refusal.into_response(),
    };
    let cors_origin = session.cors_origin.clone();
    let mut answer = match answer(&shared, &id, &session, &headers, body).await {
        Ok(standing) => standing.into_response(),
        Err(refusal) => refusal.into_response(),
    };
    cors::allow(answer.headers_mut(), cors_origin.as_deref(), &headers);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn preflight(
    State(shared): State<Arc<Shared>>,
    Path((id, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    // Nobody learns here whether an address is good: without one, no origin is let in.
    if let Ok(session) = open(&shared, &id, &key).await {
        cors::allow(answer.headers_mut(), session.cors_origin.as_deref(), &headers);
        cors::allow_before(answer.headers_mut(), session.cors_origin.as_deref(), &headers);
    }
    answer
}

async fn open(shared: &Shared, id: &str, key: &str) -> Result<Session, Refusal> {
    if !shared.uploads.opens(id, key) {
        return Err(Refusal::not_found());
    }
    standing(shared, id).await
}

async fn standing(shared: &Shared, id: &str) -> Result<Session, Refusal> {
    let id = id.to_owned();
    shared.database.read(move |c| uploads::session(c, &id)).await?.ok_or_else(Refusal::not_found)
}

async fn answer(
    shared: &Arc<Shared>,
    id: &str,
    session: &Session,
    headers: &HeaderMap,
    body: Body,
) -> Result<Standing, Refusal> {
    let asked = match Asked::read(headers) {
        Ok(asked) => asked,
        Err(senseless) => return drained(body, Err(Refusal::invalid(senseless.to_string()))).await,
    };
    if let Some(known) = known(shared, session, &asked) {
        return drained(body, known).await;
    }
    let Some(taken) = shared.uploads.seats.take(id).await else {
        return drained(body, Err(Refusal::busy())).await;
    };
    // What came before has stored what it had.
    let session = standing(shared, id).await?;
    let told = known(shared, &session, &asked).or_else(|| told(&session, &asked).map(Ok));
    if let Some(told) = told {
        drop(taken);
        return drained(body, told).await;
    }
    let (shared, id) = (Arc::clone(shared), id.to_owned());
    // On its own, so that what has come is stored also where nobody waits for the answer any more.
    let tasks = shared.uploads.tasks.clone();
    let receiving =
        tasks.spawn(async move { receive(&shared, &id, session, asked, body, &taken).await });
    receiving.await.map_err(std::io::Error::other)?
}

/// What can be said without a byte of the body.
fn known(shared: &Shared, session: &Session, asked: &Asked) -> Option<Result<Standing, Refusal>> {
    match session.status {
        UploadStatus::Waiting => {}
        UploadStatus::AssetCreated => return Some(Ok(Standing::Whole)),
        UploadStatus::Errored | UploadStatus::Cancelled | UploadStatus::TimedOut => {
            return Some(Err(Refusal::gone()));
        }
    }
    if session.expires_at <= store::now() {
        shared.uploads.look();
        return Some(Err(Refusal::gone()));
    }
    if asked.reaches() > shared.uploads.largest {
        return Some(Err(Refusal::too_large(shared.uploads.largest)));
    }
    if let Some(total) = session.total {
        let differs = asked.total().is_some_and(|asked| asked != total);
        if differs || asked.reaches() > total {
            let message = format!("this upload has {total} bytes, as was said before");
            return Some(Err(Refusal::invalid(message)));
        }
    }
    if asked.total().is_some_and(|total| total < session.stored) {
        let message = format!("{} bytes are stored already, more than the total", session.stored);
        return Some(Err(Refusal::invalid(message)));
    }
    None
}

/// What there is, where that is the answer.
fn told(session: &Session, asked: &Asked) -> Option<Standing> {
    let tells = match *asked {
        // Where the total is what is stored, the question is the end.
        Asked::Standing { total } => total != Some(session.stored),
        // There is a gap: what is stored says where to go on. (Google's own answer is a 503 that
        // says it in words.)
        Asked::Bytes { first, .. } => first > session.stored,
    };
    tells.then_some(Standing::Part(session.stored))
}

/// Takes the body. The caller has made sure that the request fits to the session.
async fn receive(
    shared: &Shared,
    id: &str,
    session: Session,
    asked: Asked,
    body: Body,
    taken: &Taken,
) -> Result<Standing, Refusal> {
    let path = shared.uploads.file(id);
    let Some(place) = Place::open(&path, session.stored).await? else {
        finish::lost(shared, id).await?;
        return Err(Refusal::gone());
    };
    let stored = store_body(shared, id, &session, asked, body, taken, place).await;
    // It was cancelled or timed out meanwhile, and its file may have been made anew after that.
    let now = standing(shared, id).await?.status;
    if !matches!(now, UploadStatus::Waiting | UploadStatus::AssetCreated) {
        let _ = tokio::fs::remove_file(&path).await;
        return Err(Refusal::gone());
    }
    stored
}

async fn store_body(
    shared: &Shared,
    id: &str,
    session: &Session,
    asked: Asked,
    body: Body,
    taken: &Taken,
    mut place: Place,
) -> Result<Standing, Refusal> {
    let Asked::Bytes { first, length, end } = asked else {
        // The question named as its total what is stored: that was all.
        place.close().await?;
        finish::complete(shared, id, session.stored, session.stored).await?;
        return Ok(Standing::Whole);
    };
    let mut seen = session.stored;
    let total = asked.total().or(session.total);
    let mut incoming = Incoming::new(body, session.stored - first, length, taken.interrupted());
    let stop = loop {
        let (grown, stop) = incoming.write_to(place, STEP).await?;
        place = grown;
        if place.at() > shared.uploads.largest {
            return Err(Refusal::too_large(shared.uploads.largest));
        }
        let whole = stop == Some(Stop::Whole)
            && match end {
                End::At(total) => place.at() == total,
                // A body that ends among what is stored is not the whole of which that is a part.
                End::Here => incoming.passed() && session.total.is_none_or(|all| all == place.at()),
                End::Later => false,
            };
        if whole {
            let total = place.at();
            place.close().await?;
            finish::complete(shared, id, seen, total).await?;
            return Ok(Standing::Whole);
        }
        let counts = place.at() / GRANULE * GRANULE;
        if counts > seen {
            place = place.sync().await?;
            finish::grow(shared, id, seen, counts, total).await?;
            seen = counts;
        }
        if let Some(stop) = stop {
            break stop;
        }
    };
    match stop {
        Stop::Whole if end == End::Here => {
            Err(Refusal::invalid("the body is not as long as was said or sent before"))
        }
        Stop::Whole => Ok(Standing::Part(seen)),
        Stop::Short | Stop::Cut => Err(Refusal::invalid("the body ended before its last byte")),
        Stop::Long => Err(Refusal::invalid("the body is longer than Content-Range says")),
        Stop::Idle => Err(Refusal::too_slow()),
        Stop::Interrupted => Err(Refusal::busy()),
    }
}

/// Answers once the body is out of the way.
async fn drained<T>(body: Body, answer: T) -> T {
    let mut body = body.into_data_stream();
    let drain = async {
        let mut left = DRAINED;
        while let Some(Ok(bytes)) = body.next().await {
            match left.checked_sub(bytes.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, drain).await;
    answer
}
