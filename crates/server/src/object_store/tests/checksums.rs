use aws_sdk_s3::types::ChecksumAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;

#[tokio::test]
async fn every_algorithm_of_a_client_is_taken_and_told_back() {
    let served = serve().await;
    let bytes = noise(MIB + 3, 1);
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] {
        let algorithm = ChecksumAlgorithm::from(algorithm);
        let put = served.client.put_object().bucket(BUCKET).key(algorithm.as_str());
        let put = put.checksum_algorithm(algorithm.clone()).body(bytes.clone().into());
        let put = put.send().await.unwrap();
        let told = match algorithm {
            ChecksumAlgorithm::Crc32 => put.checksum_crc32(),
            ChecksumAlgorithm::Crc32C => put.checksum_crc32_c(),
            ChecksumAlgorithm::Sha1 => put.checksum_sha1(),
            ChecksumAlgorithm::Sha256 => put.checksum_sha256(),
            _ => put.checksum_crc64_nvme(),
        };
        assert!(told.is_some(), "{algorithm}");
        assert_eq!(put.checksum_crc64_nvme(), Some(&*crc64nvme(&bytes)));
        assert_eq!(served.get(algorithm.as_str()).await, bytes);
    }
}

#[tokio::test]
async fn a_checksum_that_does_not_hold_is_refused_and_nothing_is_kept() {
    let served = serve().await;
    let wrong = [
        ("x-amz-checksum-crc32", BASE64.encode([1; 4])),
        ("x-amz-checksum-crc32c", BASE64.encode([1; 4])),
        ("x-amz-checksum-crc64nvme", BASE64.encode([1; 8])),
        ("x-amz-checksum-sha1", BASE64.encode([1; 20])),
        ("x-amz-checksum-sha256", BASE64.encode([1; 32])),
        ("content-md5", BASE64.encode([1; 16])),
    ];
    let upload = served.begin("part").await;
    for (header, value) in wrong {
        let put = served.client.put_object().bucket(BUCKET).key("a").body(noise(999, 1).into());
        let put = put.customize().mutate_request({
            let value = value.clone();
            move |request| drop(request.headers_mut().insert(header, value.clone()))
        });
        assert_eq!(code(put.send().await), "BadDigest", "{header}");
        let part = served.client.upload_part().bucket(BUCKET).key("part").upload_id(&upload);
        let part = part.part_number(1).body(noise(999, 1).into());
        let part = part.customize().mutate_request(move |request| {
            drop(request.headers_mut().insert(header, value.clone()));
        });
        assert_eq!(code(part.send().await), "BadDigest", "{header}");
    }
    assert_eq!(code(served.client.get_object().bucket(BUCKET).key("a").send().await), "NoSuchKey");
    assert_eq!(served.held("part", &upload).await, []);
    served.data_files(1).await;
}

#[tokio::test]
async fn a_digest_of_the_wrong_length_is_refused_before_the_body() {
    let served = serve().await;
    let put = served.client.put_object().bucket(BUCKET).key("a").body(noise(9, 1).into());
    let put = put.content_md5("bm90IGEgaGFzaA==");
    assert_eq!(code(put.send().await), "InvalidDigest");
}

#[tokio::test]
async fn the_tag_is_an_md5_only_where_the_client_sent_one() {
    let served = serve().await;
    let md5 = "XUFAKrxLKna5cZ2REBfFkg==";
    let put = served.client.put_object().bucket(BUCKET).key("a").content_md5(md5);
    let put = put.body(b"hello".to_vec().into()).send().await.unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert!(served.put("b", b"hello").await.ends_with("-1\""));
}

#[tokio::test]
async fn a_signed_checksum_binds_a_presigned_part() {
    let served = serve().await;
    let bytes = noise(1000, 1);
    let upload = served.begin("a").await;
    let part = served.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload);
    let part = part.part_number(1).checksum_crc64_nvme(crc64nvme(&bytes));
    let part = part.presigned(soon()).await.unwrap();
    let send = |body: Vec<u8>| {
        let mut request = http().put(part.uri()).body(body);
        for (name, value) in part.headers() {
            request = request.header(name, value);
        }
        request.send()
    };
    let other = send(noise(1000, 2)).await.unwrap();
    assert_eq!(other.status(), 400);
    assert!(other.text().await.unwrap().contains("BadDigest"));
    assert_eq!(send(bytes).await.unwrap().status(), 200);
    assert_eq!(served.held("a", &upload).await, [(1, 1000)]);
}

/// Sends `hello` in one chunk with a trailer, signed by hand: no client sends a wrong one.
async fn with_trailer(served: &Served, key: &str, trailer: &str) -> reqwest::Response {
    use aws_lc_rs::{digest, hmac};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sign = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let now = s3s::dto::Timestamp::from(std::time::SystemTime::now());
    let mut date = Vec::new();
    now.format(s3s::dto::TimestampFormat::DateTime, &mut date).unwrap();
    let date = String::from_utf8(date).unwrap();
    let date = format!("{}Z", date.split('.').next().unwrap().replace(['-', ':'], ""));
    let day = &date[..8];
    let host = served.endpoint.trim_start_matches("http://");
    let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let names = "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-trailer";
    let canonical = format!(
        "PUT\n/{BUCKET}/{key}\n\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n\
         x-amz-decoded-content-length:5\nx-amz-trailer:x-amz-checksum-crc32\n\n{names}\n{payload}"
    );
    let scope = format!("{day}/local/s3/aws4_request");
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let mut secret = b"AWS4a secret of the tests".to_vec();
    for piece in [day, "local", "s3", "aws4_request"] {
        secret = sign(&secret, piece);
    }
    let signature = hex(&sign(&secret, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}")));
    http()
        .put(format!("{}/{BUCKET}/{key}", served.endpoint))
        .header("x-amz-content-sha256", payload)
        .header("x-amz-date", date)
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("content-encoding", "aws-chunked")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=DAILIESOWNER/{scope}, SignedHeaders={names}, \
                 Signature={signature}"
            ),
        )
        .body(format!("5\r\nhello\r\n0\r\n{trailer}\r\n"))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_checksum_in_the_trailer_counts_like_one_in_the_head() {
    let served = serve().await;
    let right = BASE64.encode(crc_fast::crc32_iso_hdlc(b"hello").to_be_bytes());
    let good = with_trailer(&served, "a", &format!("x-amz-checksum-crc32:{right}\r\n")).await;
    assert_eq!(good.status(), 200, "{}", good.text().await.unwrap());
    assert_eq!(good.headers()["x-amz-checksum-crc32"], right);
    let got = served.client.get_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(got.content_encoding(), None);
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    for trailer in ["x-amz-checksum-crc32:AAAAAA==\r\n", ""] {
        let bad = with_trailer(&served, "b", trailer).await;
        assert_eq!(bad.status(), 400);
        assert!(bad.text().await.unwrap().contains("BadDigest"), "{trailer}");
    }
    assert_eq!(code(served.client.get_object().bucket(BUCKET).key("b").send().await), "NoSuchKey");
}
