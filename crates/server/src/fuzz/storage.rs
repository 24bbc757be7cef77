//! The S3 endpoint: whole requests from nobody, and the documents that requests carry.

use std::cell::OnceCell;

use axum::body::Body;
use http::Request;
use s3s::dto::{CompletedMultipartUpload, CreateBucketConfiguration, Delete};
use s3s::xml::{Deserialize, Deserializer};
use tower::ServiceExt as _;

use crate::object_store::{ObjectStore, Owner};

struct Stand {
    runtime: tokio::runtime::Runtime,
    router: axum::Router,
    _folder: Scratch,
}

struct Scratch(std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is the system's to clear.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static STAND: OnceCell<Stand> = const { OnceCell::new() };
}

/// Every request is answered, none by a failure, and without a good signature none with success.
///
/// First line: method and target. Then headers, an empty line, the body.
pub(super) fn request(bytes: &[u8]) {
    let Some(request) = read(bytes) else { return };
    let is_preflight = request.method() == http::Method::OPTIONS;
    STAND.with(|stand| {
        let stand = stand.get_or_init(stand_up);
        let answer = stand.runtime.block_on(stand.router.clone().oneshot(request));
        let status = answer.expect("a router always answers").status();
        assert!(!status.is_server_error() || status == 501, "{status}");
        assert!(!status.is_success() || is_preflight, "{status} for nobody");
    });
}

fn read(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(2).position(|two| two == b"\n\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request = request.header(name, value);
    }
    request.body(Body::from(bytes[end + 2..].to_vec())).ok()
}

fn stand_up() -> Stand {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of one thread");
    let name = format!("dailies-fuzz-{}", crate::random::id());
    let folder = Scratch(std::env::temp_dir().join(name));
    let owner = Owner {
        access_key_id: "FUZZ".into(),
        secret_access_key: crate::random::secret().into(),
        region: "local".into(),
    };
    let store = runtime.block_on(async {
        let store = ObjectStore::open(&folder.0, owner).await.expect("a new store");
        store.ensure_bucket("originals").await.expect("a good name");
        store
    });
    Stand { router: store.router(), runtime, _folder: folder }
}

/// Documents are read or refused.
pub(super) fn xml(bytes: &[u8]) {
    document::<CompletedMultipartUpload>(bytes);
    document::<Delete>(bytes);
    document::<CreateBucketConfiguration>(bytes);
}

fn document<'xml, T: Deserialize<'xml>>(bytes: &'xml [u8]) {
    let mut document = Deserializer::new(bytes);
    if T::deserialize(&mut document).is_ok() {
        let _ = document.expect_eof();
    }
}
