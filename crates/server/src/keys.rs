//! What originals are called in the object storage. Never made from anything a client said.

use crate::random;

/// What the keys of all originals begin with.
pub(crate) const OBJECTS: &str = "videos/";

/// What the keys of one video's objects begin with, and no other's.
pub(crate) fn object_prefix(video_id: &str) -> String {
    format!("{OBJECTS}{video_id}/")
}

/// A new key for one of a video's objects.
pub(crate) fn object_key(video_id: &str) -> String {
    format!("{}{}", object_prefix(video_id), random::id())
}
