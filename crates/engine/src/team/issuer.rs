//! An OpenID Connect issuer, as a public client sees it: discovery, codes and refresh tokens for
//! tokens.
//!
//! Sources: OpenID Connect Core and Discovery 1.0, RFC 6749, RFC 7636 (PKCE), RFC 8252 (native
//! apps), RFC 8707 (resources), RFC 9700 (what goes wrong).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dailies_api::about::{Presents, SignIn};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

use crate::clock::{Clock as _, SystemClock};
use crate::error::Code;
use crate::net::{Clients, transport};
use crate::team::renewal::signed_out;
use crate::team::{Answer, Tokens};
use crate::transfer::{Failure, Timestamp};

/// By how much the issuer's clock may be behind this computer's.
const CLOCKS_APART: Duration = Duration::from_secs(15 * 60);
/// Asks for refresh tokens; OpenID Connect Core, section 11.
const OFFLINE: &str = "offline_access";
const PKCE_METHOD: &str = "S256";

type Client = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;
type Answered = StandardTokenResponse<IdToken, BasicTokenType>;
type Refused = RequestTokenError<Failure, BasicErrorResponse>;

/// An issuer that has said where it does what.
#[derive(Debug)]
pub(super) struct Issuer {
    with: SignIn,
    found: Discovery,
    client: Client,
    clients: Clients,
}

/// What somebody is sent to the browser with, and what their answer is known by.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) url: Url,
    pub(super) state: CsrfToken,
    pub(super) redirect: RedirectUrl,
    verifier: PkceCodeVerifier,
    nonce: CsrfToken,
}

#[derive(Clone, Debug, Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    revocation_endpoint: Option<Url>,
    scopes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// What OpenID Connect adds to an answer of OAuth.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct IdToken {
    #[serde(skip_serializing)]
    id_token: Option<SecretString>,
}

impl oauth2::ExtraTokenFields for IdToken {}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    nonce: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Issuer {
    /// Asks an issuer where it does what.
    ///
    /// # Errors
    /// [`Failure::UnexpectedAnswer`] for what is no issuer that can be trusted; those of the network.
    pub(super) async fn discover(with: &SignIn, clients: &Clients) -> Result<Self, Failure> {
        let no = |why: &str| Failure::UnexpectedAnswer(format!("{}: {why}", with.issuer));
        let base = with.issuer.trim_end_matches('/');
        let address = Url::parse(&format!("{base}/.well-known/openid-configuration"));
        let address = address.map_err(|_| no("it is no address"))?;
        if !untouched(&address) {
            return Err(no("others on the way could answer for it"));
        }
        let answer = clients.control.get(address.clone()).send().await.map_err(transport)?;
        let answer = Answer::read(answer).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.refusal());
        }
        let found: Discovery = answer.json(&with.issuer)?;
        // To the letter; OpenID Connect Discovery, section 4.3.
        if found.issuer != with.issuer {
            return Err(no("it says that it is another issuer"));
        }
        let endpoints = [&found.authorization_endpoint, &found.token_endpoint];
        let sound = |url: &Url| untouched(url) && (nearby(&address) || !nearby(url));
        if !endpoints.into_iter().chain(&found.revocation_endpoint).all(sound) {
            return Err(no("others on the way could answer for one of its addresses"));
        }
        if let Some(methods) = &found.code_challenge_methods_supported
            && !methods.iter().any(|method| method == PKCE_METHOD)
        {
            return Err(no("it does not know PKCE by S256"));
        }
        let client = oauth2::Client::new(ClientId::new(with.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(found.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(found.token_endpoint.clone()));
        Ok(Self { with: with.clone(), found, client, clients: clients.clone() })
    }

    /// Who it is, to the letter.
    pub(super) fn name(&self) -> &str {
        &self.with.issuer
    }

    /// The page on which somebody signs in, and then comes back to `redirect`.
    pub(super) fn question(&self, redirect: RedirectUrl) -> Question {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let client = self.client.clone().set_redirect_uri(redirect.clone());
        let scopes = self.with.scopes.iter().filter(|scope| self.offers(scope));
        let scopes: Vec<_> = scopes.cloned().map(Scope::new).collect();
        let offline = scopes.iter().any(|scope| scope.as_str() == OFFLINE);
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.secret());
        if let Some(resource) = &self.with.resource {
            request = request.add_extra_param("resource", resource);
        }
        if offline {
            // Without it, issuers need not give leave for so long.
            request = request.add_extra_param("prompt", "consent");
        }
        let (url, state) = request.url();
        Question { url, state, redirect, verifier, nonce }
    }

    /// Tokens for the code that somebody came back with.
    ///
    /// # Errors
    /// [`Failure::Refused`] by the issuer's word, [`Failure::UnexpectedAnswer`] for tokens that were
    /// not made for this question; those of the network.
    pub(super) async fn redeem(&self, question: Question, code: String) -> Result<Tokens, Failure> {
        let client = self.client.clone().set_redirect_uri(question.redirect);
        let mut request =
            client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(question.verifier);
        if let Some(resource) = &self.with.resource {
            request = request.add_extra_param("resource", resource);
        }
        let clients = self.clients.clone();
        let http = move |request| http(clients.clone(), request);
        let answered = request.request_async(&http).await.map_err(refused)?;
        let nonce = Some(question.nonce.secret().as_str());
        self.tokens(&answered, |claims| claims.nonce.as_deref() == nonce)
    }

    /// Tokens for a refresh token, which is spent then.
    ///
    /// # Errors
    /// [`Failure::Refused`] where the issuer gives none any more; those of the network.
    pub(super) async fn renew(&self, refresh: &SecretString) -> Result<Tokens, Failure> {
        let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
        let mut request = self.client.exchange_refresh_token(&refresh);
        if let Some(resource) = &self.with.resource {
            request = request.add_extra_param("resource", resource);
        }
        let clients = self.clients.clone();
        let http = move |request| http(clients.clone(), request);
        let answered =
            request.request_async(&http).await.map_err(|error| match refused(error) {
                Failure::Refused { reason, .. } => {
                    tracing::warn!(issuer = self.with.issuer, reason, "a sign-in has ended");
                    signed_out()
                }
                other => other,
            })?;
        self.tokens(&answered, |_| true)
    }

    /// Has a sign-in forgotten, where the issuer does that; RFC 7009.
    ///
    /// # Errors
    /// Of the network.
    pub(super) async fn revoke(&self, refresh: &SecretString) -> Result<(), Failure> {
        let Some(endpoint) = &self.found.revocation_endpoint else { return Ok(()) };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", refresh.expose_secret())
            .append_pair("token_type_hint", "refresh_token")
            .append_pair("client_id", &self.with.client_id)
            .finish();
        let request = self.clients.control.post(endpoint.clone());
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let answer = Answer::read(request.send().await.map_err(transport)?).await?;
        if answer.status == StatusCode::OK { Ok(()) } else { Err(answer.refusal()) }
    }

    fn offers(&self, scope: &str) -> bool {
        let listed = self.found.scopes_supported.as_ref();
        scope != OFFLINE || listed.is_none_or(|all| all.iter().any(|one| one == OFFLINE))
    }

    fn tokens(
        &self,
        answered: &Answered,
        fits: impl Fn(&Claims) -> bool,
    ) -> Result<Tokens, Failure> {
        let now = SystemClock.now();
        let no = |why: &str| Failure::UnexpectedAnswer(format!("{}: {why}", self.with.issuer));
        let id_token = answered.extra_fields().id_token.as_ref();
        let claims = match id_token {
            Some(token) => {
                let claims = claims(token).ok_or_else(|| no("its ID token cannot be read"))?;
                let ours = claims.iss == self.with.issuer
                    && claims.aud.names(&self.with.client_id)
                    && Timestamp(claims.exp.saturating_mul(1000)).after(CLOCKS_APART) > now
                    && fits(&claims);
                Some(ours.then_some(claims).ok_or_else(|| no("its ID token is for another"))?)
            }
            None => None,
        };
        let (presented, lifetime) = match (self.with.presents, id_token, &claims) {
            (Presents::AccessToken, _, _) => {
                let token = answered.access_token().secret().clone();
                (token.into(), answered.expires_in())
            }
            (Presents::IdToken, Some(token), Some(claims)) => {
                let left = u64::try_from(claims.exp.saturating_mul(1000) - now.0).unwrap_or(0);
                (token.clone(), Some(Duration::from_millis(left)))
            }
            (Presents::IdToken, _, _) => return Err(no("it gave no ID token")),
        };
        let refresh = answered.refresh_token().map(|token| token.secret().clone().into());
        // Early enough for what is under way, and not all the time where tokens are good for seconds.
        let renew_at = lifetime.map(|lifetime| now.after(lifetime * 9 / 10));
        Ok(Tokens { presented, refresh, renew_at })
    }
}

impl Audience {
    fn names(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::Many(many) => many.iter().any(|one| one == client),
        }
    }
}

/// A request of `oauth2`'s, by our own client.
async fn http(clients: Clients, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let request = reqwest::Request::try_from(request).map_err(transport)?;
    let answer = clients.control.execute(request).await.map_err(transport)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let answer = Answer::read(answer).await?;
    // Whatever it says then, it says nothing of the sign-in.
    if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        return Err(answer.refusal());
    }
    let mut response = HttpResponse::new(answer.body);
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

/// Its signature is not looked at: it came from the issuer itself, over a connection that proved
/// that; OpenID Connect Core, section 3.1.3.7, item 6.
fn claims(token: &SecretString) -> Option<Claims> {
    let claims = token.expose_secret().split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn refused(error: Refused) -> Failure {
    match error {
        RequestTokenError::Request(failure) => failure,
        RequestTokenError::ServerResponse(said) => {
            let reason = format!("the issuer refused: {}", said.error().as_ref());
            Failure::Refused { code: Code::SignedOut, reason }
        }
        // What came may hold a token.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Failure::UnexpectedAnswer("the issuer's answer cannot be read".into())
        }
    }
}

/// Whether nobody on the way can change what this address answers.
fn untouched(url: &Url) -> bool {
    let safe = url.scheme() == "https" || (url.scheme() == "http" && nearby(url));
    safe && url.username().is_empty() && url.password().is_none()
}

/// Whether the address is on this computer.
fn nearby(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
