//! What a team has, for people to look through: its projects, their videos page by page, how they
//! are played, shared and taken home.
//!
//! Must not know: uploads, the queue, SQL. Nothing of it is kept but what downloads go on from.

mod download;
mod downloads;
mod kept;
mod original;
mod shares;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use dailies_api::projects::{ProjectPlace, Role};
use dailies_api::teams::Team as TeamRow;
use dailies_api::videos::{Video, VideoStatus};
use serde::{Deserialize, Serialize};

pub use downloads::{DownloadId, DownloadState, DownloadView, Downloads, Offer};
pub use shares::{NewShareLink, ShareLinkView};

use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::transfer::Timestamp;
use crate::view::PlaybackView;

/// Videos of one page; what is searched for is read in pages of so many, too.
const PAGE: u64 = 100;
/// Pages that one search looks through before it says what it has found so far.
const SEARCHED: usize = 10;

/// What there is to look through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LibraryView {
    /// The API that this server speaks takes videos and lists none.
    Unlisted,
    /// Projects.
    Projects {
        /// Of every team, each with what lies in it behind it.
        projects: Vec<ProjectView>,
    },
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProjectView {
    /// Its id at the team API.
    pub id: String,
    /// Its own name.
    pub name: String,
    /// With those of what it lies in: `Campaign / Rushes`.
    pub path: String,
    /// In how many others it lies.
    pub depth: u32,
    /// Its team's name.
    pub team: String,
    /// Whoever looks may share its videos, not only watch them.
    pub may_share: bool,
}

/// Some videos of a project, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct VideosView {
    /// In order.
    pub videos: Vec<VideoView>,
    /// What comes after them is asked for with this; absent at the end.
    pub next: Option<String>,
}

/// A video of the team's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct VideoView {
    /// The team's name for it.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Who uploaded it.
    pub uploader: String,
    /// When it was registered, by the server's clock.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: VideoState,
    /// Why it failed, in the server's words.
    pub reason: Option<String>,
    /// Bytes.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub size: Option<u64>,
    /// Media type.
    pub content_type: Option<String>,
    /// Seconds, once known.
    pub duration: Option<f64>,
    /// From 1.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub version: u64,
}

/// Where a video stands at its team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VideoState {
    /// Its bytes are not all there.
    Uploading,
    /// The media engine works on it.
    Processing,
    /// It can be played.
    Ready,
    /// It will not become playable.
    Failed,
}

impl From<VideoStatus> for VideoState {
    fn from(status: VideoStatus) -> Self {
        match status {
            VideoStatus::Uploading => Self::Uploading,
            VideoStatus::Processing => Self::Processing,
            VideoStatus::Ready => Self::Ready,
            VideoStatus::Failed => Self::Failed,
        }
    }
}

impl From<Video> for VideoView {
    fn from(video: Video) -> Self {
        Self {
            id: video.id,
            title: video.title,
            uploader: video.uploader_name,
            created_at: moment(video.creation_time),
            state: video.status.into(),
            reason: video.upload_error,
            size: video.file_size,
            content_type: video.content_type,
            duration: video.duration,
            version: video.version_number.unwrap_or(1),
        }
    }
}

impl ProjectView {
    fn all_of((team, projects): (TeamRow, Vec<ProjectPlace>)) -> impl Iterator<Item = Self> {
        in_tree(projects).into_iter().map(move |(depth, project)| Self {
            id: project.id,
            name: project.name,
            path: project.path,
            depth,
            team: team.name.clone(),
            may_share: team.role >= Role::Member,
        })
    }
}

/// Projects by their names, each with how deep it lies, and with what lies in it behind it. The order
/// of their paths is another one: `A (old)` comes between `A` and `A / B`.
fn in_tree(projects: Vec<ProjectPlace>) -> Vec<(u32, ProjectPlace)> {
    let known: HashSet<_> = projects.iter().map(|project| project.id.clone()).collect();
    let mut inside: HashMap<Option<String>, Vec<ProjectPlace>> = HashMap::new();
    for project in projects {
        // What it lies in may be none of the caller's.
        let parent = project.parent_id.clone().filter(|parent| known.contains(parent));
        inside.entry(parent).or_default().push(project);
    }
    // The last of the rest is the next.
    let mut take = |parent: Option<String>, depth: u32| {
        let mut level = inside.remove(&parent).unwrap_or_default();
        level.sort_by_cached_key(|project| Reverse(project.name.to_lowercase()));
        level.into_iter().map(move |project| (depth, project)).collect::<Vec<_>>()
    };
    let (mut rest, mut ordered) = (take(None, 0), Vec::new());
    while let Some((depth, project)) = rest.pop() {
        rest.extend(take(Some(project.id.clone()), depth + 1));
        ordered.push((depth, project));
    }
    ordered
}

/// A time as the team API writes it.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds are whole")]
fn moment(millis: f64) -> Timestamp {
    Timestamp(millis as i64)
}

/// Words to be found in a title or an uploader's name, all of them, whatever their case.
struct Search(Vec<String>);

impl Search {
    fn of(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    fn fits(&self, video: &Video) -> bool {
        let text = format!("{}\n{}", video.title, video.uploader_name).to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }
}

impl EngineHandle {
    /// What the team that new files go to has.
    ///
    /// # Errors
    /// [`Code::NotConnected`], [`Code::SignedOut`], [`Code::Unreachable`].
    pub async fn library(&self) -> Result<LibraryView, EngineError> {
        let team = self.team().await?;
        if !team.has_projects() {
            return Ok(LibraryView::Unlisted);
        }
        let all = team.all_projects().await?;
        Ok(LibraryView::Projects {
            projects: all.into_iter().flat_map(ProjectView::all_of).collect(),
        })
    }

    /// The next videos of a project that have every word of `search` in them. They may be none
    /// although more follow: no team API searches, so that all of them are looked at.
    ///
    /// # Errors
    /// [`Code::NotFound`] (the project), and those of [`Self::library`].
    pub async fn videos(
        &self,
        project_id: &str,
        search: &str,
        cursor: Option<String>,
    ) -> Result<VideosView, EngineError> {
        let (team, search) = (self.team().await?, Search::of(search));
        let pages = if search.0.is_empty() { 1 } else { SEARCHED };
        let (mut videos, mut next) = (Vec::new(), cursor);
        for _ in 0..pages {
            let page = team.page_of_videos(project_id, PAGE, next).await?;
            let found = page.page.into_iter().filter(|video| search.fits(video));
            videos.extend(found.map(VideoView::from));
            next = (!page.is_done).then_some(page.continue_cursor);
            if next.is_none() || videos.len() as u64 >= PAGE {
                break;
            }
        }
        Ok(VideosView { videos, next })
    }

    /// A session for playing a video; its original, while it has no renditions.
    ///
    /// # Errors
    /// [`Code::WrongState`] while its bytes are not all there.
    pub async fn playback_or_original(&self, video_id: &str) -> Result<PlaybackView, EngineError> {
        self.team().await?.playback_or_original(video_id).await
    }

    /// The address of a video's poster; `None` for one that has none.
    ///
    /// # Errors
    /// As [`Self::playback`].
    pub async fn poster(&self, video_id: &str) -> Result<Option<String>, EngineError> {
        Ok(self.playback(video_id).await?.poster_url)
    }
}

fn no_such(what: &str) -> EngineError {
    EngineError::new(Code::NotFound, format!("there is no such {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(title: &str, uploader: &str) -> Video {
        let row = serde_json::json!({"_id": "v", "_creationTime": 1.0, "projectId": "p",
            "title": title, "uploaderName": uploader, "publicId": "x", "visibility": "private",
            "status": "ready"});
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn all_words_have_to_be_found_in_whatever_case() {
        let fits = |search: &str| Search::of(search).fits(&video("Überfahrt_03 GRADE", "Mia Lund"));
        for search in ["", "  ", "überfahrt", "grade mia", "03 über lund"] {
            assert!(fits(search), "{search}");
        }
        for search in ["04", "grade max", "fahrtüber"] {
            assert!(!fits(search), "{search}");
        }
    }

    fn project(name: &str, parent: Option<&str>) -> ProjectPlace {
        let (id, parent_id) = (name.to_lowercase(), parent.map(str::to_lowercase));
        ProjectPlace { id, name: name.into(), parent_id, path: name.into() }
    }

    #[test]
    fn what_lies_in_a_project_comes_behind_it() {
        let projects = [
            ("Harbour", None),
            ("harbour (old)", None),
            ("Day 2", Some("Harbour")),
            ("Sound", Some("Day 1")),
            ("Day 1", Some("Harbour")),
            ("Ours alone", Some("of others")),
        ];
        let projects = projects.map(|(name, parent)| project(name, parent)).to_vec();
        let ordered: Vec<_> =
            in_tree(projects).into_iter().map(|(depth, project)| (depth, project.name)).collect();
        let expected = [
            (0, "Harbour"),
            (1, "Day 1"),
            (2, "Sound"),
            (1, "Day 2"),
            (0, "harbour (old)"),
            (0, "Ours alone"),
        ];
        assert_eq!(ordered, expected.map(|(depth, name)| (depth, name.to_owned())));
    }

    #[test]
    fn a_viewer_watches_only() {
        let team = |role| TeamRow {
            id: "t".into(),
            creation_time: 0.0,
            name: "North".into(),
            slug: "north".into(),
            role,
        };
        for (role, may_share) in [(Role::Viewer, false), (Role::Member, true), (Role::Owner, true)]
        {
            let project = project("Rushes", None);
            let views: Vec<_> = ProjectView::all_of((team(role), vec![project])).collect();
            assert_eq!(views.len(), 1);
            assert_eq!((views[0].may_share, &*views[0].team), (may_share, "North"));
        }
    }
}
