use super::*;

const KEYS: [&str; 9] =
    ["a", "b/1", "b/2", "b/c/3", "b0", "e\u{301}", "films/\u{10FFFF}/x", "films/a&<b>.mp4", "z"];

async fn pages(
    served: &Served,
    prefix: &str,
    delimiter: Option<&str>,
    size: i32,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let page = served.client.list_objects_v2().bucket(BUCKET).prefix(prefix).max_keys(size);
        let page = page.set_delimiter(delimiter.map(str::to_owned)).set_continuation_token(token);
        let page = page.send().await.unwrap();
        assert!(page.key_count().unwrap() <= size);
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        prefixes.extend(page.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, prefixes);
        }
    }
}

#[tokio::test]
async fn keys_are_paged_and_folded_the_same_at_every_page_size() {
    let served = serve().await;
    for key in KEYS {
        served.put(key, b"1").await;
    }
    let mut sorted = KEYS.map(str::to_owned).to_vec();
    sorted.sort();
    for size in [1, 2, 3, 1000] {
        assert_eq!(pages(&served, "", None, size).await, (sorted.clone(), vec![]), "{size}");
        let (keys, prefixes) = pages(&served, "", Some("/"), size).await;
        assert_eq!(keys, ["a", "b0", "e\u{301}", "z"], "{size}");
        assert_eq!(prefixes, ["b/", "films/"], "{size}");
        let (keys, prefixes) = pages(&served, "b/", Some("/"), size).await;
        assert_eq!((keys, prefixes), (vec!["b/1".into(), "b/2".into()], vec!["b/c/".into()]));
    }
}

#[tokio::test]
async fn the_first_version_of_the_list_pages_by_marker() {
    let served = serve().await;
    for key in KEYS {
        served.put(key, b"1").await;
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let page = served.client.list_objects().bucket(BUCKET).delimiter("/").max_keys(2);
        let page = page.set_marker(marker).send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned()));
        marker = page.next_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, ["a", "b/", "b0", "e\u{301}", "films/", "z"]);
}

#[tokio::test]
async fn keys_are_escaped_where_the_client_asks_for_it() {
    let served = serve().await;
    served.put("a b+c/\u{7}ä", b"1").await;
    let page = served.client.list_objects_v2().bucket(BUCKET);
    let page = page.encoding_type(aws_sdk_s3::types::EncodingType::Url).send().await.unwrap();
    assert_eq!(page.contents()[0].key(), Some("a%20b%2Bc/%07%C3%A4"));
    let after = served.client.list_objects_v2().bucket(BUCKET).start_after("b").send().await;
    assert_eq!(after.unwrap().contents().len(), 0);
    let invented = served.client.list_objects_v2().bucket(BUCKET).continuation_token("\u{fffd}");
    assert_eq!(code(invented.send().await), "InvalidArgument");
    let nowhere = served.client.list_objects_v2().bucket("nowhere").send().await;
    assert_eq!(code(nowhere), "NoSuchBucket");
}
