//! Originals of which nothing comes.

use dailies_api::mux::AssetStatus;

use super::stand::Stand;

/// Kind and words, which hold neither address nor path.
async fn errored(stand: &Stand, name: &str) -> (String, String) {
    let asset = stand.ask(&stand.input(name), "signed").await;
    let asset = stand.settled(&asset.id).await;
    assert_eq!(asset.status, AssetStatus::Errored);
    let error = asset.errors.unwrap();
    let words = error.messages.join(" ");
    for secret in ["5ec2e7", "127.0.0.1", "://", stand.folder.path().to_str().unwrap()] {
        assert!(!words.contains(secret), "{secret} in {words}");
    }
    let events = stand.receiver.events(2).await;
    assert_eq!(events[1].2.kind, "video.asset.errored");
    assert_eq!(events[1].2.data["errors"]["messages"][0], words);
    (error.kind, words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_file_is_no_video() {
    let stand = Stand::start().await;
    stand.origin.put("text.mp4", "These are only words. ".repeat(5000));
    let (kind, words) = errored(&stand, "text.mp4").await;
    assert_eq!(kind, "invalid_input");
    assert!(words.contains("Invalid data found when processing input"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_reaches_no_other_file() {
    let stand = Stand::start().await;
    let other = stand.input("other.ts");
    let playlist =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{other}\n#EXT-X-ENDLIST\n");
    stand.origin.put("playlist.m3u8", playlist);
    assert_eq!(errored(&stand, "playlist.m3u8").await.0, "invalid_input");
    let stand_asked = stand.origin.asked.lock().unwrap().clone();
    assert!(!stand_asked.contains(&"other.ts".to_owned()), "{stand_asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_files_reaches_no_other_file() {
    let stand = Stand::start().await;
    let list = format!("ffconcat version 1.0\nfile '{}'\n", stand.input("other.ts"));
    stand.origin.put("list.mkv", list);
    assert_eq!(errored(&stand, "list.mkv").await.0, "invalid_input");
    assert!(!stand.origin.asked.lock().unwrap().contains(&"other.ts".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_that_is_gone_is_said_to_be_gone() {
    let stand = Stand::start().await;
    assert_eq!(errored(&stand, "gone.mp4").await.0, "input_unavailable");
}
