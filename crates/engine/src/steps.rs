//! Steps of uploads: each is committed before anything follows from it.

use std::collections::HashMap;
use std::time::Duration;

use dailies_database::DatabaseError;

use crate::census::Share;
use crate::engine::Engine;
use crate::history;
use crate::job::Kind;
use crate::queue::Entry;
use crate::send::Writer;
use crate::store::{Compared, Happened, Receipt, Upload, Written};
use crate::transfer::{Effect, Event, Input, Phase, Timestamp, UploadId, step};
use crate::view::{News, UploadView};

/// Rest of an upload whose state could not be written, or whose clean-up failed.
const REST: Duration = Duration::from_secs(15);
/// A step that was taken and is not written yet.
struct Step {
    before: Upload,
    row: Upload,
    confirmed: u64,
    effects: Vec<Effect>,
    at: Timestamp,
    happened: Vec<Happened>,
    only: Option<Receipt>,
    finished: Option<Compared>,
}

/// What is to be told to an upload's state, and what else changes of it with that.
pub(crate) struct Advance {
    pub(crate) id: UploadId,
    input: Input,
    change: Box<dyn FnOnce(&mut Upload) + Send>,
    /// Of what went up in one piece, kept if all of it is sent with this.
    only: Option<Receipt>,
    /// Kept as a receipt if this finishes the upload.
    compared: Option<Compared>,
}

impl Advance {
    pub(crate) fn by(id: UploadId, input: Input) -> Self {
        Self { id, input, change: Box::new(|_| {}), only: None, compared: None }
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Upload) + Send + 'static) -> Self {
        Self { change: Box::new(change), ..self }
    }

    pub(crate) fn keeping(self, only: Option<Receipt>) -> Self {
        Self { only, ..self }
    }

    pub(crate) fn after(self, compared: Compared) -> Self {
        Self { compared: Some(compared), ..self }
    }
}

impl Engine {
    /// Steps an upload, commits the result, and does what follows from it.
    pub(crate) async fn apply(&mut self, advance: Advance) {
        self.apply_each(vec![advance]).await;
    }

    /// The same for many at once, of which none occurs twice: a commit waits for the disk, however
    /// much is in it.
    pub(crate) async fn apply_each(&mut self, advances: Vec<Advance>) {
        if advances.is_empty() {
            return;
        }
        let rows = match self.rows(advances.iter().map(|advance| advance.id).collect()).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "uploads could not be read");
                return;
            }
        };
        let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.0.id, row)).collect();
        let mut steps = Vec::with_capacity(advances.len());
        for Advance { id, input, change, only, compared } in advances {
            // One that is gone has nothing to be told.
            let Some((row, confirmed)) = rows.remove(&id) else { continue };
            let step = self.step(row, confirmed, &input, change);
            let comes_to = |phase| step.row.state.phase == phase && step.before.state.phase < phase;
            let only = only.filter(|_| comes_to(Phase::Finishing));
            let finished = compared.filter(|_| comes_to(Phase::Processing));
            steps.push(Step { only, finished, ..step });
        }
        self.commit(steps).await;
    }

    /// The same for many at once, without those to which the input means nothing.
    pub(crate) async fn apply_all(&mut self, rows: Vec<(Upload, u64)>, input: &Input) {
        let steps = rows.into_iter().filter_map(|(row, confirmed)| {
            let step = self.step(row, confirmed, input, |_| {});
            let tells = !step.effects.is_empty() || !step.happened.is_empty();
            (step.row.state != step.before.state || tells).then_some(step)
        });
        let steps: Vec<_> = steps.collect();
        if !steps.is_empty() {
            self.commit(steps).await;
        }
    }

    /// Uploads as they are now, each with the bytes that are confirmed of it; those that there are.
    pub(crate) async fn rows(
        &self,
        ids: Vec<UploadId>,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        let mut rows = Vec::with_capacity(ids.len());
        let mut others = Vec::new();
        for id in ids {
            match self.queue.get(id) {
                Some(entry) => rows.push((entry.row.clone(), entry.progress.confirmed())),
                None => others.push(id),
            }
        }
        if !others.is_empty() {
            rows.extend(self.store.uploads(others).await?);
        }
        Ok(rows)
    }

    fn step(
        &self,
        before: Upload,
        confirmed: u64,
        input: &Input,
        change: impl FnOnce(&mut Upload),
    ) -> Step {
        let now = self.clock.now();
        let (state, effects) = step(before.state, input.clone(), now);
        let mut row = before.clone();
        change(&mut row);
        row.state = state;
        if state.phase >= Phase::Processing && row.uploaded_at.is_none() {
            row.uploaded_at = Some(now);
        }
        let mut happened = Vec::new();
        if let Some(entry) = self.queue.get(row.id) {
            happened.extend(history::of_parts(&entry.progress));
        }
        let thrown_away = happened.iter().any(|happened| happened.event == Event::Rewritten);
        happened.extend(history::of_step(&before, input, &row, thrown_away));
        Step { before, row, confirmed, effects, at: now, happened, only: None, finished: None }
    }

    async fn commit(&mut self, steps: Vec<Step>) {
        let written = |step: &Step| Written {
            row: step.row.clone(),
            forgets: !step.row.has_session_of(&step.before),
            at: step.at,
            happened: step.happened.clone(),
            only: step.only.clone(),
            finished: step.finished,
        };
        let places = match self.store.update(steps.iter().map(written).collect()).await {
            Ok(places) => places,
            Err(error) => {
                // The states on disk stand; what was done meanwhile is found by asking once more.
                tracing::error!(%error, uploads = steps.len(), "states could not be written");
                for step in steps {
                    self.rest(step.row.id);
                }
                return;
            }
        };
        self.nothing_waits = false;
        self.no_first_waits &= !steps.iter().any(|step| step.row.first);
        let mut told = Vec::new();
        for (step, place) in steps.into_iter().zip(places) {
            let Step { before, mut row, confirmed, effects, only, .. } = step;
            let id = row.id;
            if let (Some(only), Some(entry)) = (only, self.queue.get(id)) {
                entry.progress.confirm(only.size);
            }
            row.rev += 1;
            row.place = place;
            let counted = Share::of(&before, confirmed);
            if !effects.is_empty() {
                self.queue.load(before, confirmed);
            }
            self.queue.put(row.clone(), confirmed, Some(counted));
            for effect in effects {
                self.follow(id, effect).await;
            }
            let entry = self.queue.get(id);
            told.push(entry.map_or_else(|| Entry::new(row, confirmed).view(), Entry::view));
            self.queue.let_go(id);
        }
        self.tell(told);
    }

    async fn follow(&mut self, id: UploadId, effect: Effect) {
        let Some(entry) = self.queue.get_mut(id) else { return };
        match effect {
            Effect::Run => {
                let kind = Kind::for_upload(&entry.row, entry.opened.is_some());
                // Bytes that are to wait go on when `start_what_is_due` says so.
                let kind = kind.filter(|kind| !kind.sends() || !self.rules.pause());
                if let (Some(kind), None) = (kind, &entry.running) {
                    Box::pin(self.run_job(id, kind)).await;
                }
            }
            Effect::Stop => {
                if let Some(running) = &entry.running {
                    running.stop.cancel();
                }
            }
            Effect::WindUp => {
                if let Some(running) = &entry.running {
                    match running.kind {
                        Kind::Follow => drop(running.writer.send_replace(Writer::Ended)),
                        _ => running.stop.cancel(),
                    }
                }
            }
            Effect::ForgetSession => entry.opened = None,
            // Done by `start_what_is_due`, now or after a restart: the state remembers it.
            Effect::CleanUp => {}
            Effect::ProcessAgain => entry.processes_again = true,
            Effect::AddAgain => {
                let earlier = entry.row.clone();
                self.add_again(earlier).await;
            }
        }
    }

    /// Lets an upload alone for a while: this computer's own storage or the other side failed.
    pub(crate) fn rest(&mut self, id: UploadId) {
        let until = self.clock.now().after(REST);
        if let Some(entry) = self.queue.get_mut(id) {
            entry.rests_until = Some(until);
        }
    }

    pub(crate) fn publish_upload(&mut self, id: UploadId) {
        let view = self.queue.get(id).map(Entry::view);
        self.tell(view.into_iter().collect());
    }

    pub(crate) fn tell(&mut self, uploads: Vec<UploadView>) {
        if !uploads.is_empty() {
            self.publish(News::Uploads { uploads });
        }
    }
}
