//! A team server and an S3 storage that throw every byte away: what is left to measure is the client.
//!
//! Prints its address. Speaks just enough of both protocols for one upload by `dailies`, curl,
//! rclone, s5cmd and the AWS CLI, and checks nothing. No part of the product.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Of every part but the last, as `dailies-server` does it.
const PART_SIZE: u64 = 8 << 20;

#[derive(Default)]
struct Sink {
    address: String,
    /// Sizes by key, so that a client that looks finds what it sent.
    objects: Mutex<HashMap<String, u64>>,
    /// When the first payload byte of the last upload came.
    first_byte: Mutex<Option<SystemTime>>,
    /// Of the last upload that was registered.
    size: AtomicU64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    #[expect(clippy::print_stdout, reason = "whoever starts it reads this")]
    {
        println!("{address}");
    }
    let sink = Arc::new(Sink { address, ..Sink::default() });
    loop {
        let (stream, _) = listener.accept().await.context("accepting")?;
        stream.set_nodelay(true)?;
        let sink = Arc::clone(&sink);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&sink), request));
            // A client that hangs up is its own business.
            let _ = hyper::server::conn::http1::Builder::new()
                .max_buf_size(1 << 20)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
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
            json!("v")
        }
        "videoActions:initiateVideoUpload" => json!({
            "strategy": "multipart", "key": "k", "uploadId": "u", "partSizeBytes": PART_SIZE,
            "partCount": sink.size.load(Relaxed).div_ceil(PART_SIZE), "uploadedParts": [],
            "checksumAlgorithm": "CRC64NVME",
        }),
        "videoActions:signUploadParts" => {
            let part = |number: &Value| {
                let url = format!("{}/b/k?partNumber={number}&uploadId=u", sink.address);
                json!({"partNumber": number, "url": url})
            };
            let numbers = args["partNumbers"].as_array().cloned().unwrap_or_default();
            json!({"parts": numbers.iter().map(part).collect::<Vec<_>>()})
        }
        "videos:get" => json!({
            "_id": "v", "_creationTime": 0, "projectId": "p", "title": "t", "publicId": "x",
            "visibility": "private", "status": "uploading", "s3Key": "k",
            "s3MultipartUploadId": "u",
        }),
        _ => json!({"success": true}),
    };
    let answer = json!({"status": "success", "value": value}).to_string();
    Response::builder().header(CONTENT_TYPE, "application/json").body(Full::from(answer))
}
