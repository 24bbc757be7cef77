//! The videos that came to their team last.

use std::cmp::Reverse;

use dailies_engine::transfer::{Timestamp, UploadId};
use dailies_engine::view::UploadView;

/// Videos that the tray names.
pub(super) const MOST: usize = 5;

/// A video that is with its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recent {
    pub(super) id: UploadId,
    pub(super) title: String,
    uploaded_at: Timestamp,
}

impl Recent {
    /// None of what is not there yet, or has no video.
    pub(super) fn of(upload: &UploadView) -> Option<Self> {
        let uploaded_at = upload.uploaded_at.filter(|_| upload.video_id.is_some())?;
        Some(Self { id: upload.id, title: upload.title.clone(), uploaded_at })
    }
}

/// Keeps the newest, which is first. More news of one that is older does not bring it back.
pub(super) fn note(known: &mut Vec<Recent>, recent: Recent) {
    known.retain(|one| one.id != recent.id);
    known.push(recent);
    known.sort_by_key(|one| Reverse((one.uploaded_at, one.id)));
    known.truncate(MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_whatever_is_heard_of_others() {
        let ids: Vec<_> = UploadId::in_order().take(7).collect();
        let at = |place: usize, second| Recent {
            id: ids[place],
            title: format!("take {place}"),
            uploaded_at: Timestamp(second),
        };
        let mut known = Vec::new();
        for place in 0..7 {
            note(&mut known, at(place, 10 * place as i64));
        }
        // They become ready, the oldest last.
        for place in (0..7).rev() {
            note(&mut known, at(place, 10 * place as i64));
        }
        let titles: Vec<_> = known.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["take 6", "take 5", "take 4", "take 3", "take 2"]);
        note(&mut known, at(0, 99));
        assert_eq!((known[0].id, known.len()), (ids[0], MOST));
    }
}
