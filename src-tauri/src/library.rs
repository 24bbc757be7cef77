//! The team's library: what the page asks for by ids, and where the system's dialog saves what is
//! downloaded. Links and addresses stay here, but for the playback session in use.

use std::time::Duration;

use dailies_engine::EngineHandle;
use dailies_engine::error::EngineError;
use dailies_engine::library::{
    DownloadId, DownloadView, Downloads, LibraryView, NewShareLink, ShareLinkView, VideosView,
};
use dailies_engine::view::PlaybackView;
use secrecy::ExposeSecret as _;
use tauri::{AppHandle, Manager as _, Runtime, State, command};

use crate::choose;
use crate::desk::Desk;
use crate::window;

/// Between two views of the downloads. They and the news of the feed are ten messages a second.
const SEEN: Duration = Duration::from_millis(300);

type Engine<'a> = State<'a, EngineHandle>;
type Answer<T> = Result<T, EngineError>;

#[command]
pub(crate) async fn library(engine: Engine<'_>) -> Answer<LibraryView> {
    engine.library().await
}

#[command]
pub(crate) async fn videos(
    engine: Engine<'_>,
    project_id: String,
    search: String,
    cursor: Option<String>,
) -> Answer<VideosView> {
    engine.videos(&project_id, &search, cursor).await
}

#[command]
pub(crate) async fn play_video(engine: Engine<'_>, video_id: String) -> Answer<PlaybackView> {
    engine.playback_or_original(&video_id).await
}

#[command]
pub(crate) async fn poster(engine: Engine<'_>, video_id: String) -> Answer<Option<String>> {
    engine.poster(&video_id).await
}

#[command]
pub(crate) async fn share_links(
    engine: Engine<'_>,
    video_id: String,
) -> Answer<Vec<ShareLinkView>> {
    engine.share_links(&video_id).await
}

/// Makes a link and puts it on the clipboard.
#[command]
pub(crate) async fn share(
    engine: Engine<'_>,
    desk: State<'_, Desk>,
    video_id: String,
    link: NewShareLink,
) -> Answer<()> {
    let page = engine.share(&video_id, link).await?;
    desk.copy(page.expose_secret().to_owned()).await
}

#[command]
pub(crate) async fn copy_share_link(
    engine: Engine<'_>,
    desk: State<'_, Desk>,
    video_id: String,
    link_id: String,
) -> Answer<()> {
    let page = engine.share_page(&video_id, &link_id).await?;
    desk.copy(page.expose_secret().to_owned()).await
}

#[command]
pub(crate) async fn revoke(engine: Engine<'_>, link_id: String) -> Answer<()> {
    engine.revoke(link_id).await
}

/// Lets somebody choose where a video's original goes, and downloads it; `None` when they chose nothing.
#[command]
pub(crate) async fn download<R: Runtime>(
    app: AppHandle<R>,
    downloads: State<'_, Downloads>,
    video_id: String,
) -> Answer<Option<DownloadId>> {
    let offer = downloads.offer(&video_id).await?;
    match choose::original(&app, offer.name()).await {
        Some(place) => downloads.begin(offer, place).await.map(Some),
        None => Ok(None),
    }
}

#[command]
pub(crate) async fn downloads(downloads: State<'_, Downloads>) -> Answer<Vec<DownloadView>> {
    Ok(downloads.views().borrow().clone())
}

#[command]
pub(crate) async fn download_again(downloads: State<'_, Downloads>, id: DownloadId) -> Answer<()> {
    downloads.again(id)
}

#[command]
pub(crate) async fn remove_download(downloads: State<'_, Downloads>, id: DownloadId) -> Answer<()> {
    downloads.remove(id).await
}

#[command]
pub(crate) async fn show_download(
    downloads: State<'_, Downloads>,
    desk: State<'_, Desk>,
    id: DownloadId,
) -> Answer<()> {
    desk.show_in_folder(downloads.path_of(id)?).await
}

/// Tells the page of the downloads, until the app ends.
pub(crate) async fn run(app: AppHandle) {
    let mut views = app.state::<Downloads>().views();
    while views.changed().await.is_ok() {
        let all = views.borrow_and_update().clone();
        window::tell(&app, "downloads", all);
        tokio::time::sleep(SEEN).await;
    }
}
