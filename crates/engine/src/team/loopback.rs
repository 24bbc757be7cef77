//! Where the browser brings somebody back to after a sign-in: a listener of this computer alone,
//! for as long as it is waited for (RFC 8252, section 7.3).

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use oauth2::{CsrfToken, RedirectUrl};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::{Url, form_urlencoded};

/// Registered with issuers as `http://127.0.0.1/signed-in`: the port is free there.
const PATH: &str = "/signed-in";
/// Connections at the same time. Browsers open some that they never use.
const VISITORS: usize = 16;
/// For a request's headers.
const HEADERS: Duration = Duration::from_secs(10);
/// For the last page to reach the browser.
const GOODBYE: Duration = Duration::from_secs(2);

/// Listens on a free port.
#[derive(Debug)]
pub(super) struct Loopback {
    listener: TcpListener,
    address: Url,
}

/// What an issuer sends somebody back with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// A code that opens what they allowed.
    Code(String),
    /// The issuer's word for why not (RFC 6749, section 4.1.2.1).
    Refused(String),
}

impl Loopback {
    pub(super) async fn listen() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}{PATH}", listener.local_addr()?);
        let address = Url::parse(&address).map_err(std::io::Error::other)?;
        Ok(Self { listener, address })
    }

    pub(super) fn redirect(&self) -> RedirectUrl {
        RedirectUrl::from_url(self.address.clone())
    }

    /// Waits until somebody comes back with `state`. Whoever comes without it was sent by another,
    /// and ends nothing.
    pub(super) async fn back(self, state: &CsrfToken, issuer: &str) -> std::io::Result<Back> {
        let (say, mut said) = mpsc::channel(1);
        let mut visitors = JoinSet::new();
        loop {
            tokio::select! {
                Some(back) = said.recv() => {
                    let gone = async { while visitors.join_next().await.is_some() {} };
                    let _ = tokio::time::timeout(GOODBYE, gone).await;
                    return Ok(back);
                }
                visitor = self.listener.accept(), if visitors.len() < VISITORS => {
                    let expected = Expected { state: state.clone(), issuer: issuer.to_owned() };
                    visitors.spawn(serve(visitor?.0, expected, say.clone()));
                }
                Some(_) = visitors.join_next() => {}
            }
        }
    }
}

#[derive(Clone)]
struct Expected {
    state: CsrfToken,
    issuer: String,
}

async fn serve(stream: TcpStream, expected: Expected, say: mpsc::Sender<Back>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let answer = answer(&request, &expected, &say);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a visitor of the sign-in went away");
    }
}

fn answer(
    request: &Request<Incoming>,
    expected: &Expected,
    say: &mpsc::Sender<Back>,
) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return page(StatusCode::NOT_FOUND, "Nothing is here.");
    }
    if request.method() != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "This page is only for coming back.");
    }
    match back(request.uri().query().unwrap_or_default(), expected) {
        Some(back) => {
            let words = match back {
                Back::Code(_) => "Dailies goes on by itself. You can close this page.",
                Back::Refused(_) => "You were not signed in. Dailies says more.",
            };
            // A second answer to the same question is one too many.
            let _ = say.try_send(back);
            page(StatusCode::OK, words)
        }
        None => page(
            StatusCode::BAD_REQUEST,
            "This is not the sign-in that Dailies waits for. Begin again from Dailies.",
        ),
    }
}

/// Reads an answer to our question; `None` for any other. RFC 9207: where it names its issuer, that
/// is the one that was asked.
fn back(query: &str, expected: &Expected) -> Option<Back> {
    let of = |name| {
        let mut all = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let first = all.next().map(|(_, value)| value.into_owned());
        first.filter(|_| all.next().is_none())
    };
    let ours = of("state")? == *expected.state.secret()
        && of("iss").is_none_or(|issuer| issuer == expected.issuer);
    if !ours {
        return None;
    }
    match of("error") {
        Some(error) => Some(Back::Refused(error)),
        None => of("code").map(Back::Code),
    }
}

fn page(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Dailies</title>\
         <style>body{{font:1.2rem system-ui;margin:20vh auto;max-width:30rem;padding:0 1rem;\
         color-scheme:light dark}}</style><h1>Dailies</h1><p>{words}</p></html>"
    );
    let mut response = Response::new(Full::new(html.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Back> {
        let state = CsrfToken::new("s1".into());
        back(query, &Expected { state, issuer: "https://id.example".into() })
    }

    #[test]
    fn only_the_answer_to_our_question_counts() {
        assert_eq!(read("code=c&state=s1"), Some(Back::Code("c".into())));
        let named = "state=s1&code=c&iss=https%3A%2F%2Fid.example";
        assert_eq!(read(named), Some(Back::Code("c".into())));
        let refused = Some(Back::Refused("access_denied".into()));
        assert_eq!(read("error=access_denied&state=s1&code=c"), refused);
        for other in [
            "",
            "code=c",
            "state=s1",
            "code=c&state=s2",
            "code=c&state=",
            "error=access_denied",
            "code=c&state=s1&state=s1",
            "code=c&code=d&state=s1",
            "code=c&state=s1&iss=https%3A%2F%2Fother.example",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
