//! What a server says of itself to anybody.

use dailies_api::about::{About, PATH};
use reqwest::StatusCode;
use url::Url;

use crate::net::{Clients, transport};
use crate::team::Answer;
use crate::transfer::Failure;

/// Asks a server what it says of itself; `None` for one that says nothing.
pub(crate) async fn about(server: &Url, clients: &Clients) -> Result<Option<About>, Failure> {
    let malformed = |_| Failure::UnexpectedAnswer("no address".into());
    let url = server.join(PATH.trim_start_matches('/')).map_err(malformed)?;
    let answer = Answer::read(clients.control().get(url).send().await.map_err(transport)?).await?;
    match answer.status {
        StatusCode::OK => answer.json::<About>("what the server says of itself").map(Some),
        StatusCode::NOT_FOUND => Ok(None),
        _ => Err(answer.refusal()),
    }
}
