//! The same request again and again over many connections, and how long its answers took.
//!
//! Prints one JSON line: answers per second and the median and 99th percentile in milliseconds. An
//! answer other than the one wanted counts as an error, and is no answer. No part of the product.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::{Parser, Subcommand};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

/// Loads a server with one request over many connections.
#[derive(Parser)]
struct Options {
    /// Connections at once, each with one request at a time.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long, after a tenth of that for warming up.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Subcommand)]
enum What {
    /// GETs an address, all of its body.
    Get {
        /// The address.
        url: Url,
    },
    /// Calls a function of a team API. Its key is read from `DAILIES_API_KEY`.
    Call {
        /// The team API's base address.
        url: Url,
        /// `query`, `mutation` or `action`.
        kind: String,
        /// `module:function`.
        path: String,
        /// Its arguments, JSON.
        #[arg(value_parser = parsed)]
        args: Value,
    },
}

/// Said by name, or clap would take any text for a JSON string.
fn parsed(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

#[derive(Serialize)]
struct Figures {
    per_second: f64,
    median_ms: f64,
    p99_ms: f64,
    worst_ms: f64,
    bytes_per_second: f64,
    errors: usize,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    took: Vec<Duration>,
    bytes: u64,
    errors: usize,
}

/// A request that can be made any number of times.
struct Again {
    address: String,
    method: Method,
    target: String,
    bearer: Option<String>,
    body: Bytes,
}

impl Again {
    fn new(what: &What) -> Result<Self> {
        let (url, method, target, bearer, body) = match what {
            What::Get { url } => {
                let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                (url, Method::GET, format!("{}{query}", url.path()), None, Bytes::new())
            }
            What::Call { url, kind, path, args } => {
                let key = std::env::var("DAILIES_API_KEY").context("DAILIES_API_KEY is not set")?;
                let call = json!({"path": path, "args": args, "format": "json"}).to_string();
                let target = format!("/api/{kind}");
                (url, Method::POST, target, Some(format!("Bearer {key}")), Bytes::from(call))
            }
        };
        let host = url.host_str().context("the address has no host")?;
        let port = url.port_or_known_default().context("the address has no port")?;
        Ok(Self { address: format!("{host}:{port}"), method, target, bearer, body })
    }

    fn request(&self) -> hyper::http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.target)
            .header(HOST, &self.address)
            .header(CONTENT_TYPE, "application/json");
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        request.body(Full::new(self.body.clone()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let again = Arc::new(Again::new(&options.what)?);
    let from = Instant::now() + Duration::from_secs_f64(options.seconds / 10.0);
    let until = from + Duration::from_secs_f64(options.seconds);
    let mut connections = JoinSet::new();
    for _ in 0..options.connections {
        connections.spawn(connection(Arc::clone(&again), from, until));
    }
    let mut all = Seen::default();
    while let Some(seen) = connections.join_next().await {
        let seen = seen??;
        all.took.extend(seen.took);
        all.bytes += seen.bytes;
        all.errors += seen.errors;
    }
    ensure!(!all.took.is_empty(), "nothing was answered as wanted; {} errors", all.errors);
    all.took.sort_unstable();
    #[expect(clippy::print_stdout, reason = "whoever starts it reads this")]
    {
        println!("{}", serde_json::to_string(&figures(&all, options.seconds))?);
    }
    Ok(())
}

/// One connection's requests, one after the other.
async fn connection(again: Arc<Again>, from: Instant, until: Instant) -> Result<Seen> {
    let stream = TcpStream::connect(&again.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut seen = Seen::default();
    while Instant::now() < until {
        let asked = Instant::now();
        let answered = ask(&mut sender, &again).await?;
        if asked < from {
            continue;
        }
        match answered {
            Some(bytes) => {
                seen.took.push(asked.elapsed());
                seen.bytes += bytes;
            }
            None => seen.errors += 1,
        }
    }
    drop(sender);
    // It ends with its sender; how is of no interest any more.
    let _ = driver.await;
    Ok(seen)
}

/// The answer's length; `None` for an answer that is none.
async fn ask(sender: &mut SendRequest<Full<Bytes>>, again: &Again) -> Result<Option<u64>> {
    sender.ready().await?;
    let answer = sender.send_request(again.request()?).await?;
    let good = answer.status().is_success();
    let body = answer.into_body().collect().await?.to_bytes();
    // A function's refusal is a 200, too.
    let refused = again.bearer.is_some() && !body.starts_with(br#"{"status":"success""#);
    Ok((good && !refused).then_some(body.len() as u64))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn figures(all: &Seen, seconds: f64) -> Figures {
    let at = |share: f64| {
        let index = ((all.took.len() - 1) as f64 * share).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between zero and the length"
        )]
        let took = all.took[index as usize];
        took.as_secs_f64() * 1000.0
    };
    Figures {
        per_second: all.took.len() as f64 / seconds,
        median_ms: at(0.5),
        p99_ms: at(0.99),
        worst_ms: at(1.0),
        bytes_per_second: all.bytes as f64 / seconds,
        errors: all.errors,
    }
}
