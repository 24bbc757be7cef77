//! Images of a video: the poster, a frame at a time, a moving piece, a storyboard.
//!
//! They are made from the renditions when they are first asked for, a few at a time, and kept with
//! the asset.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dailies_api::mux::{Asset, Audience};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode, Uri};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::answer::Refusal;
use super::engine::Shared;
use super::ffmpeg::{Image, ImageFormat, MAP, POSTER, RENDITION};
use super::file_response::file_response;
use super::files::{self, MASTER};
use super::image_parameters::{Given, Moving, Senseless, Still};
use super::jobs::Scratch;
use super::playback::{self, Opened};
use super::playlist;
use super::signature::hex;
use super::store::{assets, renditions};
use super::storyboard::Layout;

/// Longest wait for others' images.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most images that are kept of one asset; beyond, the oldest goes.
const MOST_KEPT: usize = 128;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let router = Router::new().route("/{playback_id}/{file}", get(image)).with_state(shared);
    playback::with_headers(router)
}

/// What is asked for, by its file name.
enum Asked {
    Thumbnail(ImageFormat),
    Animated(ImageFormat),
    Storyboard(ImageFormat),
    StoryboardVtt,
    StoryboardJson,
}

impl Asked {
    fn of(file: &str) -> Option<(Self, Audience)> {
        let (name, extension) = file.split_once('.')?;
        let format = ImageFormat::of(extension);
        let still = format.filter(|format| *format != ImageFormat::Gif);
        match (name, extension) {
            ("thumbnail", _) => Some((Self::Thumbnail(still?), Audience::Thumbnail)),
            ("animated", "gif" | "webp") => Some((Self::Animated(format?), Audience::Gif)),
            ("storyboard", "vtt") => Some((Self::StoryboardVtt, Audience::Storyboard)),
            ("storyboard", "json") => Some((Self::StoryboardJson, Audience::Storyboard)),
            ("storyboard", _) => Some((Self::Storyboard(still?), Audience::Storyboard)),
            _ => None,
        }
    }
}

async fn image(
    State(shared): State<Arc<Shared>>,
    Path((id, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Unmade> {
    let (asked, audience) = Asked::of(&file).ok_or_else(Refusal::not_found)?;
    let opened = playback::open(&shared, &id, audience, &uri).await?;
    let given = Given::of(opened.token.as_deref(), &uri);
    match asked {
        Asked::Thumbnail(format) => {
            let still = Still::read(&given)?;
            let poster = shared.folder.asset(&opened.asset).join(POSTER);
            if still.is_any()
                && format == ImageFormat::Jpeg
                && let Ok(response) = file_response(&poster, format.media_type(), &headers).await
            {
                return Ok(response);
            }
            let source = Source::find(&shared, &opened).await?;
            let image = source.still(&still, format)?;
            let key = format!("thumbnail {still:?}");
            made(&shared, &opened, &key, image, &headers).await
        }
        Asked::Animated(format) => {
            let moving = Moving::read(&given)?;
            let source = Source::find(&shared, &opened).await?;
            let image = source.moving(&moving, format)?;
            let key = format!("animated {moving:?}");
            made(&shared, &opened, &key, image, &headers).await
        }
        Asked::Storyboard(format) => {
            let source = Source::find(&shared, &opened).await?;
            let image = source.storyboard(format)?;
            made(&shared, &opened, "storyboard", image, &headers).await
        }
        Asked::StoryboardVtt => {
            let source = Source::find(&shared, &opened).await?;
            let text = source.layout().vtt(&storyboard_address(&opened));
            let headers = [(CONTENT_TYPE, "text/vtt; charset=utf-8"), (CACHE_CONTROL, "no-store")];
            Ok((headers, text).into_response())
        }
        Asked::StoryboardJson => {
            let source = Source::find(&shared, &opened).await?;
            let json = source.layout().json(&storyboard_address(&opened));
            Ok(([(CACHE_CONTROL, "no-store")], Json(json)).into_response())
        }
    }
}

/// Beside the address that it stands in.
fn storyboard_address(opened: &Opened) -> String {
    match &opened.token {
        Some(token) => format!("storyboard.jpg?token={token}"),
        None => "storyboard.jpg".to_owned(),
    }
}

/// What images of an asset are made from.
struct Source {
    asset: Asset,
    /// Width, height and segments of each rendition, the smallest first.
    renditions: Vec<Rendition>,
}

struct Rendition {
    width: u32,
    height: u32,
    /// Seconds of a frame.
    frame: f64,
    folder: PathBuf,
    /// Seconds where each starts, and its file name.
    segments: Vec<(f64, String)>,
}

impl Source {
    async fn find(shared: &Shared, opened: &Opened) -> Result<Self, Refusal> {
        let id = opened.asset.clone();
        let (asset, added) = shared
            .database
            .read::<_, dailies_database::DatabaseError, _>(move |c| {
                Ok((assets::get(c, &id)?, renditions::made(c, &id)?))
            })
            .await?;
        let asset = asset.ok_or_else(Refusal::not_found)?;
        let folder = shared.folder.asset(&opened.asset);
        let master = tokio::fs::read_to_string(folder.join(MASTER)).await?;
        let first = playlist::variants(&master).into_iter().map(|(text, _)| (text, folder.clone()));
        let added = added.into_iter().map(|(height, attributes)| {
            (attributes, shared.folder.rendition(&opened.asset, height))
        });
        let mut renditions = Vec::new();
        for (attributes, folder) in first.chain(added) {
            let (width, height) = playlist::resolution(&attributes).unwrap_or((1280, 720));
            let frame = 1.0 / playlist::frame_rate(&attributes).unwrap_or(10.0);
            let text = tokio::fs::read_to_string(folder.join(RENDITION)).await?;
            let segments = playlist::segments(&text);
            if !segments.is_empty() {
                renditions.push(Rendition { width, height, frame, folder, segments });
            }
        }
        renditions.sort_by_key(|rendition| rendition.height);
        Ok(Self { asset, renditions })
    }

    /// The smallest rendition that is large enough, or else the largest.
    fn large_enough(&self, width: Option<u32>, height: Option<u32>) -> Result<&Rendition, Refusal> {
        let enough = |rendition: &&Rendition| match (width, height) {
            (None, None) => false,
            (width, height) => {
                rendition.width >= width.unwrap_or(0) && rendition.height >= height.unwrap_or(0)
            }
        };
        let largest = self.renditions.last().ok_or_else(Refusal::not_found)?;
        Ok(self.renditions.iter().find(enough).unwrap_or(largest))
    }

    fn duration(&self) -> f64 {
        self.asset.duration.unwrap_or(0.0)
    }

    fn layout(&self) -> Layout {
        Layout::of(self.duration(), self.asset.aspect_ratio.as_deref())
    }

    fn still(&self, still: &Still, format: ImageFormat) -> Result<Image, Refusal> {
        let rendition = self.large_enough(still.width, still.height)?;
        let mut time = still.time.unwrap_or(self.duration() / 2.0);
        if time <= self.duration() {
            // The last frame is shown until the end, but starts before it.
            time = time.min(self.duration() - 1.5 * rendition.frame).max(0.0);
        }
        let (start, segments) = rendition.between(time, time);
        let filter = still.filter((time - start).max(0.0));
        Ok(Image { segments, key_frames: false, filter, moving: false, format })
    }

    fn moving(&self, moving: &Moving, format: ImageFormat) -> Result<Image, Refusal> {
        let width = if moving.height.is_some() { moving.width } else { moving.width.or(Some(640)) };
        let rendition = self.large_enough(width, moving.height)?;
        let (start, segments) = rendition.between(moving.start, moving.end);
        let filter = moving.filter(start, format == ImageFormat::Gif);
        Ok(Image { segments, key_frames: false, filter, moving: true, format })
    }

    fn storyboard(&self, format: ImageFormat) -> Result<Image, Refusal> {
        let layout = self.layout();
        let (width, height) = layout.tile();
        let rendition = self.large_enough(Some(width), Some(height))?;
        let segments = rendition.at(layout.tiles().map(|(start, ..)| start));
        // Then hardly a tile is further from a key frame than it is from the next tile.
        let key_frames = layout.interval() >= 2.0;
        Ok(Image { segments, key_frames, filter: layout.filter(), moving: false, format })
    }
}

impl Rendition {
    fn segment(&self, time: f64) -> usize {
        self.segments.partition_point(|(start, _)| *start <= time).saturating_sub(1)
    }

    /// The files that hold all from `first` to `last` seconds, and the second they start at.
    fn between(&self, first: f64, last: f64) -> (f64, Vec<PathBuf>) {
        let segments = &self.segments[self.segment(first)..=self.segment(last.max(first))];
        (segments[0].0, self.files(segments.iter().map(|(_, name)| name.as_str())))
    }

    /// The files that hold these moments, and not what is between them.
    fn at(&self, times: impl Iterator<Item = f64>) -> Vec<PathBuf> {
        let mut indices: Vec<_> = times.map(|time| self.segment(time)).collect();
        indices.dedup();
        self.files(indices.into_iter().map(|index| self.segments[index].1.as_str()))
    }

    fn files<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<PathBuf> {
        std::iter::once(MAP).chain(names).map(|name| self.folder.join(name)).collect()
    }
}

/// The image known as `key`, from the disk or else made now.
async fn made(
    shared: &Shared,
    opened: &Opened,
    key: &str,
    image: Image,
    headers: &HeaderMap,
) -> Result<Response, Unmade> {
    let format = image.format;
    let digest = hex(&Sha256::digest(key.as_bytes())[..16]);
    let kept = shared.folder.images(&opened.asset);
    let path = kept.join(format!("{digest}.{}", format.extension()));
    if let Ok(response) = file_response(&path, format.media_type(), headers).await {
        return Ok(response);
    }
    let permit = tokio::time::timeout(PATIENCE, shared.images.acquire()).await;
    let Ok(Ok(_permit)) = permit else { return Err(Unmade::Busy) };
    // Another request may have wanted the same.
    if let Ok(response) = file_response(&path, format.media_type(), headers).await {
        return Ok(response);
    }
    let work = Scratch(shared.folder.work(&Ulid::new().to_string()));
    tokio::fs::create_dir_all(&work.0).await.map_err(Refusal::from)?;
    let name = format!("image.{}", format.extension());
    let made = image
        .make(&shared.programs, &shared.limits, &shared.closing, &work.0, &name)
        .await
        .map_err(|failure| io::Error::other(format!("no image could be made: {failure}")))
        .map_err(Refusal::from)?;
    if !made {
        // The video ends before that time.
        return Err(Refusal::not_found().into());
    }
    files::keep(&work.0.join(&name), &path, MOST_KEPT).await.map_err(Refusal::from)?;
    Ok(file_response(&path, format.media_type(), headers).await.map_err(Refusal::from)?)
}

/// Why there is no image.
enum Unmade {
    Refused(Refusal),
    Senseless(Senseless),
    Busy,
}

impl From<Refusal> for Unmade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Senseless> for Unmade {
    fn from(senseless: Senseless) -> Self {
        Self::Senseless(senseless)
    }
}

impl IntoResponse for Unmade {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Senseless(Senseless { name, expected }) => {
                Refusal::invalid(format!("{name}: {expected} is needed")).into_response()
            }
            Self::Busy => {
                let headers = [(RETRY_AFTER, "5"), (CACHE_CONTROL, "no-store")];
                (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
            }
        }
    }
}
