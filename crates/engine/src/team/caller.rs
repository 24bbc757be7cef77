//! Requests to one server as one caller, whatever API it speaks.

use std::time::{Duration, SystemTime};

use dailies_api::error::ErrorData;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Code;
use crate::net::{Clients, is_portal, retry_after, send_body, transport};
use crate::source::Left;
use crate::team::Identity;
use crate::transfer::Failure;

/// Answers are small; a longer one comes from something that is no team server.
const LONGEST_ANSWER: usize = 4 << 20;

/// A server's address and whoever calls it.
#[derive(Clone, Debug)]
pub struct Caller {
    base: Url,
    identity: Identity,
    clients: Clients,
}

impl Caller {
    /// A caller of the server at `base`.
    #[must_use]
    pub fn new(base: Url, identity: Identity, clients: Clients) -> Self {
        Self { base, identity, clients }
    }

    /// The same caller at another address of the same server.
    pub(crate) fn at_base(&self, base: Url) -> Self {
        Self { base, ..self.clone() }
    }

    /// Waits until a renewal that is under way is kept.
    pub(crate) async fn settle(&self) {
        self.identity.settle().await;
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The HTTP clients it calls with.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Sends a request to `path` below the server's address and reads the answer, whatever its
    /// status. `fill` adds headers and a body; it may be called more than once: one 401 leads to a
    /// new token, where the identity can have one.
    ///
    /// # Errors
    /// [`Failure::Transport`], [`Failure::Portal`], [`Failure::UnexpectedAnswer`] for an answer
    /// without end, and [`Code::SignedOut`] where a sign-in has ended.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let url = self.at(path)?;
        let token = self.identity.token().await?;
        let answer = self.ask_once(&method, &url, &fill, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let Some(token) = self.identity.instead_of(&token).await? else { return Ok(answer) };
        let answer = self.ask_once(&method, &url, &fill, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.identity.refused(&token);
        }
        Ok(answer)
    }

    async fn ask_once(
        &self,
        method: &Method,
        url: &Url,
        fill: &impl Fn(RequestBuilder) -> RequestBuilder,
        token: &SecretString,
    ) -> Result<Answer, Failure> {
        let request = self.clients.control().request(method.clone(), url.clone());
        let request = fill(request.bearer_auth(token.expose_secret()));
        Answer::read(request.send().await.map_err(transport)?).await
    }

    /// Posts a form with a part of a file in it, of which so much is `left`. Slow is never ended.
    ///
    /// # Errors
    /// As [`Self::ask`], and those of the file.
    pub(crate) async fn send_form(
        &self,
        path: &str,
        form: Form,
        left: Left,
    ) -> Result<Answer, Failure> {
        let token = self.identity.token().await?;
        let request = self.clients.control().post(self.at(path)?);
        let request = request.bearer_auth(token.expose_secret()).multipart(form);
        let answer = Answer::read(send_body(&self.clients, request, left).await?).await?;
        if answer.status == StatusCode::UNAUTHORIZED
            && self.identity.instead_of(&token).await?.is_some()
        {
            // The form is spent; the next one has the new token.
            return Err(Failure::Busy { after: Some(Duration::ZERO) });
        }
        Ok(answer)
    }

    fn at(&self, path: &str) -> Result<Url, Failure> {
        let malformed = |_| Failure::UnexpectedAnswer(format!("{path} makes no address"));
        self.base.join(path).map_err(malformed)
    }
}

/// An answer of a JSON API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `Retry-After`.
    after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(mut response: Response) -> Result<Self, Failure> {
        if is_portal(&response) {
            return Err(Failure::Portal);
        }
        let status = response.status();
        let after = retry_after(response.headers(), SystemTime::now());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failure::UnexpectedAnswer("an answer without end".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, after, body })
    }

    /// Its body, of which `what` says whose it is.
    pub(crate) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::UnexpectedAnswer(format!("{what}: {error}")))
    }

    /// Why it refuses, if it says so.
    pub(crate) fn error(&self) -> Option<ErrorData> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What a status that is no success means on every API.
    pub(crate) fn refusal(&self) -> Failure {
        let (status, after) = (self.status, self.after);
        let reason = self.error().map_or_else(|| status.to_string(), |data| data.message);
        match status.as_u16() {
            401 => Failure::Refused { code: Code::SignedOut, reason },
            403 => Failure::Refused { code: Code::Forbidden, reason },
            408 | 429 | 503 => Failure::Busy { after },
            407 => Failure::Transport("the network's proxy wants a sign-in".into()),
            402 | 413 | 507 => Failure::Refused { code: Code::QuotaExceeded, reason },
            500..=599 => Failure::ServerFault { status: status.as_u16() },
            _ => Failure::UnexpectedAnswer(format!("the team server answered {status}")),
        }
    }
}
