use super::*;

#[tokio::test]
async fn a_presigned_put_and_get_need_no_key() {
    let served = serve().await;
    let put = served.client.put_object().bucket(BUCKET).key("a b").content_length(5);
    let put = put.presigned(soon()).await.unwrap();
    let headers: Vec<_> = put.headers().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let mut request = http().put(put.uri());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.body("hello").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    assert_eq!(answer.headers()["x-amz-checksum-crc64nvme"], crc64nvme(b"hello"));
    let get = served.client.get_object().bucket(BUCKET).key("a b");
    let get = get.response_content_disposition("attachment; filename=\"x.mp4\"");
    let get = get.response_content_type("video/mp4").presigned(soon()).await.unwrap();
    let answer = http().get(get.uri()).send().await.unwrap();
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"x.mp4\"");
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert_eq!(answer.text().await.unwrap(), "hello");
    // A longer body than was signed for.
    let longer = http().put(put.uri()).body("hello and more").send().await.unwrap();
    assert_eq!(longer.status(), 403);
}

#[tokio::test]
async fn who_is_not_the_owner_is_refused() {
    let served = serve().await;
    served.put("a", b"secret").await;
    let url = format!("{}/{BUCKET}/a", served.endpoint);
    let anonymous = http().get(&url).send().await.unwrap();
    assert_eq!(anonymous.status(), 403);
    assert!(anonymous.text().await.unwrap().contains("<Code>AccessDenied</Code>"));
    let stranger = client(&served.endpoint, "STRANGER", "a secret of the tests");
    let refused = stranger.get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(code(refused), "InvalidAccessKeyId");
    let liar = client(&served.endpoint, "DAILIESOWNER", "another secret");
    let refused = liar.get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(code(refused), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_presigned_url_is_good_for_what_it_was_signed_for() {
    let served = serve().await;
    served.put("a", b"a").await;
    served.put("private", b"not yours").await;
    let part = served.client.upload_part().bucket(BUCKET).key("a").upload_id("x").part_number(1);
    let part = part.presigned(soon()).await.unwrap().uri().to_owned();
    let get = served.client.get_object().bucket(BUCKET).key("a").presigned(soon()).await.unwrap();
    let tampered = [
        (http::Method::GET, get.uri().replace("/a?", "/private?")),
        (http::Method::PUT, get.uri().to_owned()),
        (http::Method::GET, get.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=6000")),
        (http::Method::GET, format!("{}&response-content-type=text/html", get.uri())),
        (http::Method::PUT, part.replace("partNumber=1", "partNumber=2")),
    ];
    for (method, url) in tampered {
        let answer = http().request(method, &url).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let text = answer.text().await.unwrap();
        assert!(text.contains("<Code>SignatureDoesNotMatch</Code>"), "{text}");
    }
}

#[tokio::test]
async fn an_expired_url_says_so() {
    let served = serve().await;
    served.put("a", b"a").await;
    let past = PresigningConfig::builder()
        .start_time(std::time::SystemTime::now() - Duration::from_secs(120))
        .expires_in(Duration::from_secs(60))
        .build()
        .unwrap();
    let get = served.client.get_object().bucket(BUCKET).key("a").presigned(past).await.unwrap();
    let answer = http().get(get.uri()).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let text = answer.text().await.unwrap();
    assert!(text.contains("AccessDenied") && text.contains("Request has expired"), "{text}");
}

#[tokio::test]
async fn an_unsigned_header_cannot_turn_a_put_into_a_copy() {
    let served = serve().await;
    served.put("private", b"not yours").await;
    let put =
        served.client.put_object().bucket(BUCKET).key("mine").presigned(soon()).await.unwrap();
    let request = http().put(put.uri()).header("x-amz-copy-source", "/dailies/private");
    let answer = request.body("").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("not signed"));
    let mine = served.client.get_object().bucket(BUCKET).key("mine").send().await;
    assert_eq!(code(mine), "NoSuchKey");
}

#[tokio::test]
async fn old_signatures_and_forms_do_not_come_in() {
    let served = serve().await;
    let url = format!("{}/{BUCKET}/a", served.endpoint);
    let query =
        http().get(format!("{url}?AWSAccessKeyId=DAILIESOWNER&Expires=9999999999&Signature=x"));
    assert_eq!(query.send().await.unwrap().status(), 400);
    let header = http().get(&url).header("authorization", "AWS DAILIESOWNER:x");
    assert_eq!(header.send().await.unwrap().status(), 400);
    let form = http().post(format!("{}/{BUCKET}", served.endpoint));
    let form = form.header("content-type", "multipart/form-data; boundary=x").body("--x");
    assert_eq!(form.send().await.unwrap().status(), 501);
}

#[tokio::test]
async fn a_page_of_any_origin_may_send_parts_and_read_their_receipts() {
    let served = serve().await;
    let url = format!("{}/{BUCKET}/a", served.endpoint);
    let preflight = http()
        .request(http::Method::OPTIONS, &url)
        .header("origin", "https://team.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type,x-amz-checksum-crc64nvme");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap();
    assert_eq!(allowed, "content-type,x-amz-checksum-crc64nvme");
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));

    let put = served.client.put_object().bucket(BUCKET).key("a").presigned(soon()).await.unwrap();
    let put = http().put(put.uri()).header("origin", "https://team.example").body("x");
    let answer = put.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("etag") && exposed.contains("x-amz-checksum-crc64nvme"));
}

#[tokio::test]
async fn a_signature_is_for_the_region_it_names() {
    let served = serve().await;
    served.put("a", b"a").await;
    let config = served.client.config().to_builder().region(Region::new("elsewhere")).build();
    let elsewhere = Client::from_conf(config);
    let refused = elsewhere.get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(code(refused), "AuthorizationHeaderMalformed");
    let get = elsewhere.get_object().bucket(BUCKET).key("a").presigned(soon()).await.unwrap();
    let answer = http().get(get.uri()).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("AuthorizationQueryParametersError"));
}

#[tokio::test]
async fn what_follows_a_refused_body_is_not_taken_for_it() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = serve().await;
    let put = served.client.put_object().bucket(BUCKET).key("a").presigned(soon()).await.unwrap();
    let url = url::Url::parse(&put.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=61")).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
        url.path(),
        url.query().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let mut bytes = [0; 4096];
    while !answer.contains("</Error>") {
        let read = stream.read(&mut bytes).await.unwrap();
        answer += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("connection: close"), "{answer}");
}
