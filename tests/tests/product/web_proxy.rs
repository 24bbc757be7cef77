//! Uploads by way of a company's proxy: requests that it sees, and tunnels in which it sees nothing.

use std::path::Path;
use std::time::Duration;

use e2e::clips::{self, MIB, Take};
use e2e::{Dailies, Server, WebProxy};

const LIMIT: Duration = Duration::from_secs(120);

/// A certificate and its key, signed by an authority of the test's own: their three files.
fn certified(folder: &Path) -> [String; 3] {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(authority, key);
    let leaf_key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let texts = [root.pem(), leaf.pem(), leaf_key.serialize_pem()];
    let names = ["root.pem", "leaf.pem", "leaf.key"];
    let files = std::array::from_fn(|at| folder.join(names[at]));
    for (file, text) in std::iter::zip(&files, texts) {
        std::fs::write(file, text).unwrap();
    }
    files.map(|file: std::path::PathBuf| file.display().to_string())
}

/// One upload in parts through a proxy that lets nobody through without a sign-in.
async fn goes_through(variable: &'static str, tls: bool) {
    let folder = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
    let proxy = WebProxy::start().await.unwrap();
    let mut environment = vec![("DAILIES_PART_SIZE", (5 * MIB).to_string())];
    let [root, leaf, key] = certified(folder.path());
    if tls {
        environment.extend([("DAILIES_TLS_CERTIFICATE", leaf), ("DAILIES_TLS_KEY", key)]);
        environment.push(("SSL_CERT_FILE", root.clone()));
    }
    let server = Server::start(&folder.path().join("server"), &environment).await.unwrap();
    let clip = folder.path().join("reel.mp4");
    clips::copy(12, Take::One, &clip).unwrap();
    let dailies = |name: &str| {
        let dailies = Dailies::new(folder.path().join(name), &server.credentials_file);
        dailies.with("SSL_CERT_FILE", &root)
    };

    let refused = dailies("without").with(variable, &proxy.without_sign_in());
    let ended = refused.run(LIMIT, &["upload", clip.to_str().unwrap()]).await.unwrap();
    assert_ne!(ended.code(), Some(0), "the proxy lets everybody through");

    let let_in = dailies("with").with(variable, &proxy.with_sign_in());
    let ended = let_in.run(LIMIT, &["upload", clip.to_str().unwrap()]).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.errors);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_tls_a_proxy_sees_the_requests() {
    goes_through("HTTP_PROXY", false).await;
}

#[tokio::test]
async fn with_tls_there_is_a_tunnel_through_it() {
    goes_through("HTTPS_PROXY", true).await;
}
