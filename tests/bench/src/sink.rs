//! A team server and an S3 storage that throw every byte away: what is left to measure is the client.
//!
//! Prints its address. Speaks just enough of both protocols for uploads by `dailies`, curl, rclone,
//! s5cmd, the AWS CLI, opendal and the AWS transfer manager, and checks nothing. No part of the
//! product.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The smallest part, and what a part's size is a multiple of, as `dailies-server` does it.
const PART_SIZE: u64 = 8 << 20;
const PART_STEP: u64 = 1 << 20;
const PARTS: u64 = 10_000;

/// How long a video is processed.
const PROCESSING: Duration = Duration::from_secs(5);

/// Throws away what is uploaded to it.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Speaks TLS, and writes the certificate to be trusted here.
    #[arg(long)]
    certificate: Option<PathBuf>,
}

#[derive(Default)]
struct Sink {
    address: String,
    /// Sizes by key, so that a client that looks finds what it sent.
    objects: Mutex<HashMap<String, u64>>,
    /// When the first payload byte of the last upload came.
    first_byte: Mutex<Option<SystemTime>>,
    /// Of the last upload that was registered.
    size: AtomicU64,
    /// Videos that were registered.
    videos: AtomicU64,
    /// Videos whose bytes are all there, and since when.
    complete: Mutex<HashMap<String, Instant>>,
    /// Payload bytes that ever came.
    received: AtomicU64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let tls = arguments.certificate.as_deref().map(tls).transpose()?;
    let listener = TcpListener::bind(&arguments.listen).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{}", listener.local_addr()?);
    #[expect(clippy::print_stdout, reason = "whoever starts it reads this")]
    {
        println!("{address}");
    }
    let sink = Arc::new(Sink { address, ..Sink::default() });
    loop {
        let (stream, _) = listener.accept().await.context("accepting")?;
        stream.set_nodelay(true)?;
        let (sink, tls) = (Arc::clone(&sink), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(sink, stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(sink, stream).await;
                    }
                }
            }
        });
    }
}

/// A certificate of its own, written to `file`.
fn tls(file: &std::path::Path) -> Result<TlsAcceptor> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = rcgen::generate_simple_self_signed(names)?;
    std::fs::write(file, own.cert.pem())?;
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(sink: Arc<Sink>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(move |request| answer(Arc::clone(&sink), request));
    // A client that hangs up is its own business.
    let _ = hyper::server::conn::http1::Builder::new()
        .max_buf_size(1 << 20)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    sink: Arc<Sink>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answer = match (request.method().clone(), path.starts_with("/api/")) {
        (Method::POST, true) => function(&sink, request).await,
        (Method::PUT, _) => put(&sink, &path, &query, request).await,
        (Method::POST, _) => post(&sink, &path, &query, request).await,
        (Method::HEAD, _) => head(&sink, &path),
        (Method::GET, _) if path == "/first-byte" => first_byte(&sink),
        (Method::GET, _) if path == "/received" => {
            Ok(Response::new(Full::from(sink.received.load(Relaxed).to_string())))
        }
        (Method::GET, _) => {
            xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
        _ => Response::builder().status(204).body(Full::default()),
    };
    Ok(answer.unwrap_or_else(|_| Response::new(Full::default())))
}

type Answer = hyper::http::Result<Response<Full<Bytes>>>;

/// When the first payload byte came, in seconds since 1970.
fn first_byte(sink: &Sink) -> Answer {
    let first = *sink.first_byte.lock().unwrap_or_else(PoisonError::into_inner);
    let since = first.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(Response::new(Full::from(since.as_secs_f64().to_string())))
}

fn xml(body: &str) -> Answer {
    Response::builder().header(CONTENT_TYPE, "application/xml").body(Full::from(body.to_owned()))
}

/// Throws a body away; its length.
async fn swallow(sink: &Sink, mut body: Incoming) -> u64 {
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            let mut first = sink.first_byte.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(SystemTime::now);
            length += data.len() as u64;
            sink.received.fetch_add(data.len() as u64, Relaxed);
        }
    }
    length
}

async fn put(sink: &Sink, path: &str, query: &str, request: Request<Incoming>) -> Answer {
    let said = request.body().size_hint().exact().unwrap_or_default();
    let length = swallow(sink, request.into_body()).await;
    if !query.contains("partNumber") {
        let mut objects = sink.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(path.to_owned(), length.max(said));
    }
    Response::builder().header(ETAG, "\"00000000000000000000000000000000\"").body(Full::default())
}

async fn post(sink: &Sink, path: &str, query: &str, request: Request<Incoming>) -> Answer {
    swallow(sink, request.into_body()).await;
    if query.split('&').any(|pair| pair == "uploads" || pair == "uploads=") {
        return xml("<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>\
             <UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    let mut objects = sink.objects.lock().unwrap_or_else(PoisonError::into_inner);
    objects.insert(path.to_owned(), sink.size.load(Relaxed));
    xml("<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>\
         <ETag>\"00000000000000000000000000000000-1\"</ETag></CompleteMultipartUploadResult>")
}

fn head(sink: &Sink, path: &str) -> Answer {
    let objects = sink.objects.lock().unwrap_or_else(PoisonError::into_inner);
    match objects.get(path) {
        Some(size) => Response::builder()
            .header(CONTENT_LENGTH, *size)
            .header(ETAG, "\"00000000000000000000000000000000\"")
            .header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            .body(Full::default()),
        None => Response::builder().status(StatusCode::NOT_FOUND).body(Full::default()),
    }
}

/// One PUT up to two parts, then parts.
fn initiate(sink: &Sink) -> Value {
    let size = sink.size.load(Relaxed);
    if size <= 2 * PART_SIZE {
        let url = format!("{}/b/k", sink.address);
        return json!({"strategy": "single", "key": "k", "url": url});
    }
    let part_size = PART_SIZE.max(size.div_ceil(PARTS).next_multiple_of(PART_STEP));
    json!({
        "strategy": "multipart", "key": "k", "uploadId": "u", "partSizeBytes": part_size,
        "partCount": size.div_ceil(part_size), "uploadedParts": [],
        "checksumAlgorithm": "CRC64NVME",
    })
}

fn video(sink: &Sink, id: &str) -> Value {
    let complete = sink.complete.lock().unwrap_or_else(PoisonError::into_inner);
    let status = match complete.get(id).map(Instant::elapsed) {
        None => "uploading",
        Some(since) if since < PROCESSING => "processing",
        Some(_) => "ready",
    };
    json!({
        "_id": id, "_creationTime": 0, "projectId": "p", "title": "t", "publicId": "x",
        "visibility": "private", "status": status, "s3Key": "k", "s3MultipartUploadId": "u",
    })
}

/// A page of the videos, newest first; the cursor is how many are left.
fn list(sink: &Sink, page: &Value) -> Value {
    let cursor = page["cursor"].as_str().and_then(|cursor| cursor.parse().ok());
    let left = cursor.unwrap_or_else(|| sink.videos.load(Relaxed));
    let after = left.saturating_sub(page["numItems"].as_u64().unwrap_or(50));
    let videos: Vec<_> =
        (after..left).rev().map(|number| video(sink, &format!("v{number}"))).collect();
    json!({"page": videos, "isDone": after == 0, "continueCursor": after.to_string()})
}

async fn function(sink: &Sink, request: Request<Incoming>) -> Answer {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let call: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let args = &call["args"];
    let value = match call["path"].as_str().unwrap_or_default() {
        "projects:listUploadTargets" => json!([{
            "projectId": "p", "projectName": "P", "projectPath": "P", "teamId": "t",
            "teamName": "T", "teamSlug": "t", "role": "owner",
        }]),
        "videos:create" => {
            sink.size.store(args["fileSize"].as_u64().unwrap_or_default(), Relaxed);
            *sink.first_byte.lock().unwrap_or_else(PoisonError::into_inner) = None;
            json!(format!("v{}", sink.videos.fetch_add(1, Relaxed)))
        }
        "videoActions:initiateVideoUpload" => initiate(sink),
        "videoActions:signUploadParts" => {
            let part = |number: &Value| {
                let url = format!("{}/b/k?partNumber={number}&uploadId=u", sink.address);
                json!({"partNumber": number, "url": url})
            };
            let numbers = args["partNumbers"].as_array().cloned().unwrap_or_default();
            json!({"parts": numbers.iter().map(part).collect::<Vec<_>>()})
        }
        "videoActions:markUploadComplete" => {
            let id = args["videoId"].as_str().unwrap_or_default().to_owned();
            let mut complete = sink.complete.lock().unwrap_or_else(PoisonError::into_inner);
            complete.insert(id, Instant::now());
            json!({"success": true})
        }
        "videos:get" => video(sink, args["videoId"].as_str().unwrap_or_default()),
        "videos:list" => list(sink, &args["paginationOpts"]),
        _ => json!({"success": true}),
    };
    let answer = json!({"status": "success", "value": value}).to_string();
    Response::builder().header(CONTENT_TYPE, "application/json").body(Full::from(answer))
}
