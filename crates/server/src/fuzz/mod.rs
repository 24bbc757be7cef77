//! Targets for fuzzing: every parser of ours that the network feeds, one function each.
//!
//! A target is a function of bytes, in [`TARGETS`] with inputs to begin from. It asserts what must
//! hold of whatever was read; it fails by a panic. `cargo test` runs each on edits of its seeds for a
//! bounded time (`edits.rs`); the package `fuzz/` runs one for as long as one likes, guided by
//! coverage. Only tests and fuzzers compile this.

#[cfg(test)]
mod edits;
mod storage;
mod targets;

/// One parser.
pub struct Target {
    /// Its name, also that of its corpus.
    pub name: &'static str,
    /// Inputs that lead somewhere.
    pub seeds: &'static [&'static str],
    run: fn(&[u8]),
}

impl Target {
    /// Feeds it.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn run(&self, bytes: &[u8]) {
        (self.run)(bytes);
    }
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: &'static [&'static str]) -> Target {
    Target { name, seeds, run }
}

/// All there are.
pub static TARGETS: &[Target] = &[
    target(
        "function_call",
        targets::function_call,
        &[
            r#"{"path":"videos.js:create","args":{"projectId":"p","title":"t","fileSize":5},"format":"json"}"#,
            r#"{"path":"a:b","args":[{"fileSize":{"$integer":"BQAAAAAAAAA="},"videoId":"v"}],"format":"convex_encoded_json"}"#,
            r#"{"path":"apiKeys:create","args":{"teamId":"t","name":"n","role":"viewer","expiresAt":1.5e12}}"#,
            r#"{"path":"videoActions:signUploadParts","args":{"videoId":"v","partNumbers":[1,2.0,10000]}}"#,
            r#"{"path":"videos:list","args":{"projectId":"p","paginationOpts":{"numItems":9,"cursor":null}}}"#,
        ],
    ),
    target(
        "content_type",
        targets::content_type,
        &[
            "video/mp4",
            "VIDEO/QuickTime; codecs=\"avc1.4d002a\"",
            "application/octet-stream",
            "video/",
        ],
    ),
    target(
        "token",
        targets::token,
        &[
            // RFC 8037, appendix A.4, but with the claims of an issuer.
            "eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lkLnRlc3QiLCJhdWQiOiJkIiwic3ViIjoicyIsImV4cCI6NDEwMjQ0NDgwMH0.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImNyaXQiOlsiYjY0Il19.eyJpc3MiOiJhIn0.AAAA",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.",
        ],
    ),
    target(
        "key_set",
        targets::key_set,
        &[
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"OKP","crv":"Ed25519","kid":"l","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            r#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#,
            r#"{"keys":[{"kty":"RSA","key_ops":["verify"],"n":"AQAB","e":"AQAB","d":"AQAB"},{"kty":"oct","k":"AQAB"}]}"#,
        ],
    ),
    target(
        "playback_token",
        targets::playback_token,
        &[
            "/abc.m3u8?token=eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJhIiwiYXVkIjoidiJ9.AAAA",
            "/abc/segment-00001.m4s?token=%65%79&token=b",
            "/abc/../x?token=",
            "/a/video.m3u8?TOKEN=x+y",
        ],
    ),
    target(
        "playlist",
        targets::playlist,
        &[
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.0,\nsegment-00001.m4s\n#EXT-X-ENDLIST\n",
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n",
        ],
    ),
    target(
        "range",
        targets::range,
        &[
            "bytes=0-9",
            "bytes=90-",
            "bytes=-10",
            "bytes=0-1,4-5",
            "bytes=18446744073709551615-",
            "items=0-1",
        ],
    ),
    target(
        "webhook",
        targets::webhook,
        &[
            "t=1790000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd\n{\"id\":\"e\",\"type\":\"video.asset.ready\",\"data\":{\"id\":\"a\",\"status\":\"ready\",\"passthrough\":\"v\",\"duration\":1.5,\"playback_ids\":[{\"id\":\"p\",\"policy\":\"signed\"}]}}",
            "v1=00,t=1,v1=zz\n{}",
        ],
    ),
    target(
        "configuration",
        targets::configuration,
        &[
            "[server]\ndata = \"d\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n[uploads]\npart_size = \"8 MiB\"\n",
            "[[oidc]]\nissuer = \"https://a.test\"\naudience = [\"d\"]\n[[oidc]]\nissuer = \"https://b.test\"\n",
            "[limits]\nheader_timeout = \"15 s\"\ncalls_per_second = 1_000\n",
        ],
    ),
    target(
        "s3_request",
        storage::request,
        &[
            "GET /originals/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=FUZZ%2F20260101%2Flocal%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=00\nhost: s3.test\n\n",
            "PUT /originals/key?partNumber=1&uploadId=u\nhost: s3.test\nauthorization: AWS4-HMAC-SHA256 Credential=FUZZ/20260101/local/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\nx-amz-date: 20260101T000000Z\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n\n5;chunk-signature=00\r\nbytes\r\n0;chunk-signature=00\r\n",
            "POST /originals?delete\nhost: s3.test\ncontent-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\n\n<Delete><Object><Key>k</Key></Object></Delete>",
            // Found here: it ended the connection.
            "PUT /originals/key\nhost: s3.test\nauthorization: AWS4-HMAC-SHA256 Credential=FUZZ/\"0260101/local/s3/aws4_request, SignedHeaders=host, Signature=00\n\n",
            "PUT /originals/key\nhost: s3.test\nauthorization: \u{202e}AWS4-HMAC-SHA256 Credential=FUZZ/\"0260101/local/s3/aws4_request, SignedHeaders=host, Signature=00\n\n",
            "OPTIONS /originals/key\norigin: https://a.test\naccess-control-request-method: PUT\n\n",
        ],
    ),
    target(
        "s3_xml",
        storage::xml,
        &[
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></Part></CompleteMultipartUpload>",
            "<Delete><Quiet>true</Quiet><Object><Key>a&amp;&#x41;</Key><VersionId>v</VersionId></Object></Delete>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>",
            "<CreateBucketConfiguration><LocationConstraint>local</LocationConstraint></CreateBucketConfiguration>",
        ],
    ),
    target(
        "direct_upload",
        targets::direct_upload,
        &[
            "10\nbytes 0-9/10",
            "11\nbytes 0-10/10",
            "262144\nbytes 262144-524287/*",
            "0\nbytes */10",
            "\nbytes */*",
            "10485761\nbytes 0-10485760/1000000",
            "9\nbytes 9223372036854775798-9223372036854775806/9223372036854775807",
        ],
    ),
    target(
        "form",
        targets::form,
        &[
            "multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=\"folder\"\r\n\r\nroot/a\r\n--b\r\nContent-Disposition: form-data; name=\"video\"; filename=\"a.mp4\"\r\nContent-Type: video/mp4\r\n\r\nbytes\r\n--b--\r\n",
            "multipart/form-data; boundary=\"a b\"\n--a b\r\nContent-Disposition: form-data; name=\"video\"; filename*=UTF-8''%e2%82%ac.mov\r\n\r\n--a\r\n--a b--",
            "multipart/form-data; boundary=\n----\r\n\r\n",
        ],
    ),
    target(
        "chunked_session",
        targets::chunked_session,
        &[
            "Basic c2stYTpi\n{\"fileName\":\"a b.mp4\",\"mimeType\":\"video/mp4\",\"totalSize\":5242881,\"durationSeconds\":3}",
            "bearer sk-a\n{\"uploadSessionId\":1,\"chunkIndex\":0,\"chunkSize\":5242880}",
            "Basic dXNlcjpzay1h\n{\"method\":\"getUploadProgress\",\"uploadSessionId\":9007199254740993}",
            "Basic \n{\"fileName\":\"../a:b\u{202e}.mp4\",\"mimeType\":\"video/mp4\",\"totalSize\":1e15}",
        ],
    ),
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
