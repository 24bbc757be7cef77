//! What a team makes of videos whose bytes it has, and how that is asked.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};

use crate::transfer::Failure;

/// A video whose bytes are with the team, and of which it makes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The team's name for it.
    pub video_id: String,
    /// Where it lies.
    pub project_id: String,
}

/// Where videos stand, by the team's names for them; or why that could not be found out.
pub type Standings = HashMap<String, Result<Processing, Failure>>;

/// Where a video stands after its upload.
#[derive(Clone, Debug, PartialEq)]
pub enum Processing {
    /// Not done.
    UnderWay,
    /// It can be played.
    Playable {
        /// Seconds.
        duration: Option<f64>,
    },
    /// It will not be.
    Failed {
        /// The server's words.
        reason: Option<String>,
    },
}

/// Questions about one video each that are under way at the same time.
const QUESTIONS: usize = 8;

/// Asks about each video by itself of which nothing is known yet.
pub(super) async fn each_left<F>(
    videos: &[Awaited],
    mut standings: Standings,
    ask: impl Fn(String) -> F,
) -> Standings
where
    F: Future<Output = Result<Processing, Failure>> + Send,
{
    let left = videos.iter().filter(|video| !standings.contains_key(&video.video_id));
    let asked = left.map(|video| {
        let (id, answer) = (video.video_id.clone(), ask(video.video_id.clone()));
        async move { (id, answer.await) }
    });
    let asked: Vec<_> = asked.collect();
    let answers: Vec<_> = stream::iter(asked).buffer_unordered(QUESTIONS).collect().await;
    standings.extend(answers);
    standings
}

/// The answer where one question about all of them failed.
pub(super) fn all_fail(videos: &[Awaited], failure: &Failure) -> Standings {
    videos.iter().map(|video| (video.video_id.clone(), Err(failure.clone()))).collect()
}
