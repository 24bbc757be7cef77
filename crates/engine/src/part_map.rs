//! How far the parts of one upload are, small enough to be drawn whatever their number.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::handle::{EngineHandle, no_such_upload};
use crate::store::{SessionKind, Upload};
use crate::transfer::{Growth, HoldKind, PartPlan, Phase, UploadId};

/// More parts than these are told of in runs.
const MOST_RUNS: u32 = 240;
/// Of a run whose parts are all confirmed.
const ALL: u8 = 100;

/// How the parts of an upload stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PartsView {
    /// How many there are.
    pub count: u32,
    /// Bytes of each but the last.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub part_size: u64,
    /// How many of them the other side holds.
    pub confirmed: u32,
    /// The parts in their order, in runs that are equal but for one part: how many percent of each
    /// are confirmed, and 100 only of one that is whole. At most 240.
    pub runs: Vec<u8>,
}

impl EngineHandle {
    /// How the parts of an upload stand; `None` until it was agreed with its team how it is divided.
    ///
    /// # Errors
    /// [`Code::NotFound`](crate::error::Code::NotFound).
    pub async fn parts(&self, id: UploadId) -> Result<Option<PartsView>, EngineError> {
        let store = self.store().await?;
        let row = store.uploads(vec![id]).await?.pop();
        let (row, held) = row.ok_or_else(|| no_such_upload(id))?;
        let total = row.fingerprint.size;
        // Nobody knows how a file will be divided that grows.
        let session = row.session.as_ref().filter(|_| row.growth != Some(Growth::Growing));
        // A plan that cannot be right has been refused before anything was sent by it.
        let Some(plan) = session.and_then(|session| session.plan(total).ok()) else {
            return Ok(None);
        };
        let runs = plan.count().min(MOST_RUNS);
        let confirmed = match session.map(|session| &session.kind) {
            _ if is_whole(&row) => first_parts(&plan, runs, plan.count()),
            // There, one row says how many bytes from the beginning are held.
            Some(SessionKind::InOrder { .. }) => {
                let whole =
                    if held >= total { u64::from(plan.count()) } else { held / plan.part_size() };
                first_parts(&plan, runs, u32::try_from(whole).unwrap_or(plan.count()))
            }
            _ => store.parts_by_run(id, plan.count(), runs).await?,
        };
        Ok(Some(PartsView::of(&plan, runs, &confirmed)))
    }
}

/// Its parts are forgotten once it has ended; what was cancelled has none any more.
fn is_whole(row: &Upload) -> bool {
    row.state.phase >= Phase::Processing && row.state.hold.kind() != HoldKind::Cancelled
}

/// How many of the first parts are in each run.
fn first_parts(plan: &PartPlan, runs: u32, confirmed: u32) -> Vec<(u32, u32)> {
    let in_run = |run| {
        let (from, to) = stretch(plan.count(), runs, run);
        (run, confirmed.clamp(from, to) - from)
    };
    (0..runs).map(in_run).collect()
}

/// The parts of a run, counted from zero: from, and up to.
fn stretch(count: u32, runs: u32, run: u32) -> (u32, u32) {
    let start = |run: u32| (u64::from(run) * u64::from(count)).div_ceil(u64::from(runs));
    // No more than `count`.
    let cut = |start: u64| u32::try_from(start).unwrap_or(count);
    (cut(start(run)), cut(start(run + 1)))
}

impl PartsView {
    fn of(plan: &PartPlan, runs: u32, confirmed: &[(u32, u32)]) -> Self {
        let mut view = Self {
            count: plan.count(),
            part_size: plan.part_size(),
            confirmed: confirmed.iter().map(|(_, parts)| parts).sum(),
            runs: vec![0; runs as usize],
        };
        for (run, parts) in confirmed {
            let (from, to) = stretch(plan.count(), runs, *run);
            let percent = u64::from(*parts) * u64::from(ALL) / u64::from(to - from).max(1);
            if let Some(share) = view.runs.get_mut(*run as usize) {
                *share = u8::try_from(percent).unwrap_or(ALL).min(ALL);
            }
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::SystemClock;
    use crate::error::Code;
    use crate::source::{Crc64, Fingerprint};
    use crate::store::{Proof, Receipt, Registration, Session, Store, Written};
    use crate::transfer::{Hold, PartNumber, State, Timestamp};
    use crate::{Options, Profile};

    fn upload(folder: &std::path::Path, size: usize) -> Upload {
        let row = crate::store::tests::upload(folder);
        std::fs::write(&row.path, vec![7; size]).unwrap();
        Upload { fingerprint: Fingerprint::take(&row.path).unwrap(), ..row }
    }

    /// Of 100 bytes, that go up as `kind` says.
    async fn begun(store: &Store, folder: &std::path::Path, kind: SessionKind) -> Upload {
        let mut row = upload(folder, 100);
        store.insert(vec![row.clone()]).await.unwrap();
        // Paused: nothing goes on with it by itself.
        row.state = State { phase: Phase::Uploading, hold: Hold::Paused, ..State::NEW };
        row.registration = Registration::Done;
        row.session = Some(Session { key: "k".into(), kind });
        store.update(vec![Written::only(row.clone(), Timestamp(5))]).await.unwrap();
        row.rev += 1;
        row
    }

    async fn confirm(store: &Store, row: &Upload, number: u32, size: u64) {
        let part = PartNumber::new(number).unwrap();
        let (etag, checksum) = (String::new(), Crc64::of(b""));
        let receipt = Receipt { part, size, etag, checksum, proof: Proof::Size };
        store.keep(row.id, receipt).await.unwrap();
    }

    #[tokio::test]
    async fn parts_are_told_however_the_bytes_go_up() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Profile::queue(folder.path());
        let store = Store::open(&queue).unwrap();
        let fresh = upload(folder.path(), 5);
        store.insert(vec![fresh.clone()]).await.unwrap();
        let in_parts = SessionKind::Multipart {
            upload_id: "u".into(),
            part_size: 30,
            part_count: 4,
            signs_checksums: false,
        };
        let in_parts = begun(&store, folder.path(), in_parts).await;
        confirm(&store, &in_parts, 4, 10).await;
        confirm(&store, &in_parts, 1, 30).await;
        let in_order = SessionKind::InOrder { chunk_size: 30 };
        let in_order = begun(&store, folder.path(), in_order).await;
        confirm(&store, &in_order, 1, 65).await;
        let mut done = begun(&store, folder.path(), SessionKind::InOrder { chunk_size: 60 }).await;
        done.state.phase = Phase::Processing;
        done.state.hold = Hold::Failed { code: Code::ProcessingFailed };
        (done.video_id, done.uploaded_at) = (Some("v".into()), Some(Timestamp(6)));
        store.update(vec![Written::only(done.clone(), Timestamp(6))]).await.unwrap();
        store.close().await;

        let started = crate::start(&queue, Arc::new(SystemClock), Options::default()).await;
        let (handle, task) = started.unwrap();
        assert_eq!(handle.parts(fresh.id).await.unwrap(), None);
        let view = handle.parts(in_parts.id).await.unwrap().unwrap();
        assert_eq!((view.count, view.part_size, view.confirmed), (4, 30, 2));
        assert_eq!(view.runs, [100, 0, 0, 100]);
        let view = handle.parts(in_order.id).await.unwrap().unwrap();
        assert_eq!((view.count, view.confirmed), (4, 2));
        assert_eq!(view.runs, [100, 100, 0, 0]);
        assert_eq!(handle.parts(done.id).await.unwrap().unwrap().runs, [100, 100]);
        let nobody = handle.parts(UploadId::new()).await.unwrap_err();
        assert_eq!(nobody.code, Code::NotFound);
        handle.stop(task).await;
    }

    proptest! {
        /// As the table cuts it: a part belongs to the run where it stands in proportion.
        #[test]
        fn runs_hold_every_part_once(count in 1_u32..20_000, part in 0_u32..20_000) {
            let (runs, part) = (count.min(MOST_RUNS), part % count);
            let run = u32::try_from(u64::from(part) * u64::from(runs) / u64::from(count)).unwrap();
            let (from, to) = stretch(count, runs, run);
            prop_assert!(from <= part && part < to, "{} is not in {}..{}", part, from, to);
            prop_assert_eq!(stretch(count, runs, 0).0, 0);
            prop_assert_eq!(stretch(count, runs, runs - 1).1, count);
        }

        #[test]
        fn only_a_whole_run_is_a_hundred(count in 1_u32..20_000, sent in 0_u32..20_000) {
            let sent = sent % (count + 1);
            let plan = PartPlan::multipart(u64::from(count), 1, count).unwrap();
            let runs = count.min(MOST_RUNS);
            let view = PartsView::of(&plan, runs, &first_parts(&plan, runs, sent));
            prop_assert_eq!(view.confirmed, sent);
            prop_assert_eq!(view.runs.len(), runs as usize);
            for (run, share) in view.runs.iter().enumerate() {
                let (_, to) = stretch(count, runs, u32::try_from(run).unwrap());
                prop_assert_eq!(*share == ALL, sent >= to);
            }
        }
    }
}
