//! What the loop does when it is asked to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::candidates::{Candidate, candidate};
use crate::census::Census;
use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::folders::Question;
use crate::handle::{Command, Found, Goes, no_such_upload};
use crate::queue::Entry;
use crate::store::{Destination, Registration, Reordered, Setting, Shelf, Spot, Upload};
use crate::transfer::{Effect, Event, Input, List, Phase, State, UploadId, step};
use crate::view::{Added, News, Page, UploadView};

/// Uploads that are steered in one transaction, and told in one change.
const BATCH: usize = 500;
/// The longest page.
const PAGE: u64 = 500;

impl Engine {
    /// Answers commands in their order; `false` once one of them is to stop. Files that watched
    /// folders offer meanwhile go into the queue together: each alone would wait for the disk.
    pub(crate) async fn obey_all(&mut self, commands: Vec<Command>) -> bool {
        let mut offers = Vec::new();
        for command in commands {
            match command {
                Command::Folders(Question::Offer(offer, done)) => offers.push((*offer, done)),
                // It compares with what is in the queue, and its file is compared once more there.
                alike @ Command::Folders(Question::Alike(..)) => self.obey(alike).await,
                command => {
                    self.take_offers(std::mem::take(&mut offers)).await;
                    if let Command::Stop = command {
                        return false;
                    }
                    self.obey(command).await;
                }
            }
        }
        self.take_offers(offers).await;
        true
    }

    /// Answers one command. An asker that has gone away is not waited for.
    pub(crate) async fn obey(&mut self, command: Command) {
        match command {
            Command::Connected { team, wanted, done } => {
                let _ = done.send(self.connect(*team, wanted).await);
            }
            Command::Expect { connection, clients, wanted, done } => {
                let _ = done.send(self.expect(*connection, clients, wanted).await);
            }
            Command::Answered(server, done) => {
                let _ = done.send(self.connections.answered(&server));
            }
            Command::Refused { url, code, done } => {
                self.refuse(url.into(), code);
                let _ = done.send(());
            }
            Command::Choose(server, done) => {
                let _ = done.send(self.choose(server).await);
            }
            Command::Disconnect(ends, done) => {
                self.disconnect(ends).await;
                let _ = done.send(());
            }
            Command::Team(done) => {
                let _ = done.send(self.connections.current().map(|c| Arc::clone(&c.team)));
            }
            Command::Servers(done) => {
                let _ = done.send(self.store.servers().await.map_err(EngineError::from));
            }
            Command::LastServer(done) => {
                let _ = done.send(self.store.setting(Setting::Server).await.ok().flatten());
            }
            Command::SetDestination(project, done) => {
                let _ = done.send(self.set_destination(&project).await);
            }
            Command::Add(candidates, goes, done) => {
                let _ = done.send(self.add(candidates, goes).await);
            }
            Command::Steer(ids, input, done) => {
                let _ = done.send(self.steer(ids, &input).await);
            }
            Command::SteerAll(input, done) => {
                self.steer_all(&input, None).await;
                let _ = done.send(());
            }
            Command::Put(ids, spot, done) => {
                let _ = done.send(self.put(ids, spot).await);
            }
            Command::SetFirst(ids, first, done) => {
                let _ = done.send(self.set_first(ids, first).await);
            }
            Command::Remove(ids, done) => {
                let _ = done.send(self.remove(ids).await);
            }
            Command::Snapshot(done) => {
                let _ = done.send(self.snapshot());
            }
            Command::Page { list, offset, limit, done } => {
                let _ = done.send(self.page(list, offset, limit).await);
            }
            Command::Ids(list, done) => {
                let _ = done.send(self.store.ids(list).await.map_err(EngineError::from));
            }
            Command::Index(id, done) => {
                let _ = done.send(self.index(id).await);
            }
            Command::Uploads(ids, done) => {
                let _ = done.send(self.find(ids).await);
            }
            Command::Find(id, done) => {
                let _ = done.send(self.found(id).await);
            }
            Command::Rules(done) => {
                let _ = done.send(self.rules_view());
            }
            Command::SetLimit(limit, done) => {
                self.set_limit(limit).await;
                let _ = done.send(());
            }
            Command::SetSchedule(schedule, done) => {
                self.set_schedule(schedule).await;
                let _ = done.send(());
            }
            Command::SetUploads(uploads, done) => {
                self.set_uploads(uploads).await;
                let _ = done.send(());
            }
            Command::Turn(switch, on, done) => {
                self.turn(switch, on).await;
                let _ = done.send(());
            }
            Command::SendHere(done) => {
                self.send_here();
                let _ = done.send(());
            }
            Command::Ledger(question) => self.look_up(question).await,
            Command::Folders(question) => self.answer_about_folders(question).await,
            Command::Ways(question) => self.answer_about_ways(question),
            Command::Prefer(question) => self.answer_about_preferences(question).await,
            // Ends the loop, which sees to it.
            Command::Stop => {}
        }
    }

    async fn add(&mut self, candidates: Vec<Candidate>, goes: Goes) -> Result<Added, EngineError> {
        let destination = self.destination(goes)?;
        let paths = candidates.iter().map(|candidate| candidate.path.clone()).collect();
        let mut unfinished: HashMap<_, Vec<_>> = HashMap::new();
        for upload in self.store.unfinished(paths, destination.clone()).await? {
            unfinished.entry(upload.0.path.clone()).or_default().push(upload);
        }
        let (mut offered_again, mut new) = (Vec::new(), Vec::new());
        for candidate in candidates {
            let same = |(row, _): &(Upload, u64)| {
                row.fingerprint == candidate.fingerprint
                    && row.destination.version_of == destination.version_of
            };
            let earlier = unfinished.remove(&candidate.path).into_iter().flatten().find(same);
            match earlier {
                Some(earlier) => offered_again.push(earlier),
                None => new.push(candidate),
            }
        }
        let mut ids: Vec<_> = offered_again.iter().map(|(row, _)| row.id).collect();
        let already = ids.len();
        // That means that they should go on, not that the team wants them twice.
        for some in offered_again.chunks(BATCH) {
            self.apply_all(some.to_vec(), &Input::Retry).await;
        }
        ids.extend(self.insert(new, &destination).await?);
        Ok(Added { uploads: self.find(ids).await?, already, refused: Vec::new(), beside: 0 })
    }

    async fn insert(
        &mut self,
        candidates: Vec<Candidate>,
        destination: &Destination,
    ) -> Result<Vec<UploadId>, EngineError> {
        let row = |(candidate, id)| self.new_row(candidate, id, destination);
        let rows: Vec<_> = candidates.into_iter().zip(UploadId::in_order()).map(row).collect();
        let places = self.store.insert(rows.clone()).await?;
        Ok(self.inserted(rows, places))
    }

    /// A file's upload, before anything has happened to it.
    pub(crate) fn new_row(
        &self,
        candidate: Candidate,
        id: UploadId,
        destination: &Destination,
    ) -> Upload {
        Upload {
            id,
            rev: 0,
            state: State::NEW,
            path: candidate.path,
            title: candidate.title,
            content_type: candidate.content_type,
            fingerprint: candidate.fingerprint,
            growth: None,
            destination: destination.clone(),
            added_at: self.now(),
            uploaded_at: None,
            registration: Registration::No,
            video_id: None,
            session: None,
            duration: None,
            reason: None,
            place: 0,
            first: false,
        }
    }

    /// Takes over what the store has taken in.
    pub(crate) fn inserted(&mut self, rows: Vec<Upload>, places: Vec<i64>) -> Vec<UploadId> {
        self.nothing_waits = false;
        self.no_first_waits &= !rows.iter().any(|row| row.first);
        let ids = rows.iter().map(|row| row.id).collect();
        let mut told = Vec::new();
        for (row, place) in rows.into_iter().zip(places) {
            let row = Upload { place, ..row };
            told.push(Entry::new(row.clone(), 0).view());
            self.queue.put(row, 0, None);
            if told.len() >= BATCH {
                self.tell(std::mem::take(&mut told));
            }
        }
        self.tell(told);
        ids
    }

    /// The file of an upload once more, in the version that lies there now.
    pub(crate) async fn add_again(&mut self, earlier: Upload) {
        let Upload { id: of, path, destination, first, .. } = earlier;
        let looked = tokio::task::spawn_blocking(move || candidate(&path)).await;
        let candidate = match looked {
            Ok(Ok(candidate)) => candidate,
            Ok(Err(code)) => return tracing::warn!(?code, "a file cannot be added again"),
            Err(error) => return tracing::error!(%error, "a file could not be looked at"),
        };
        let row = Upload { first, ..self.new_row(candidate, UploadId::new(), &destination) };
        let happened = vec![Event::StartedAgain { of }.into()];
        match self.store.insert_after(vec![row.clone()], happened).await {
            Ok(places) => {
                self.inserted(vec![row], places);
            }
            Err(error) => tracing::error!(%error, "a file could not be added again"),
        }
    }

    /// Steers all that can be steered; the last refusal is the answer.
    pub(crate) async fn steer(
        &mut self,
        ids: Vec<UploadId>,
        input: &Input,
    ) -> Result<(), EngineError> {
        let mut refused = Ok(());
        for some in ids.chunks(BATCH) {
            let mut rows = self.rows(some.to_vec()).await?;
            if let Some(id) = some.iter().find(|id| rows.iter().all(|(row, _)| row.id != **id)) {
                refused = Err(no_such_upload(*id));
            }
            if *input == Input::Retry {
                for (row, _) in &rows {
                    // Whoever wants that may know that the server takes them again.
                    if let Some(connected) = self.connections.get_mut(&row.destination.server) {
                        connected.paused = false;
                    }
                }
                refused = refused.and(self.keep_what_can_be_retried(&mut rows).await);
            }
            self.apply_all(rows, input).await;
        }
        refused
    }

    /// An upload that goes up anew ends as what it was: not before there is a file for the new one.
    async fn keep_what_can_be_retried(
        &self,
        rows: &mut Vec<(Upload, u64)>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let mut refused = Ok(());
        for (row, confirmed) in std::mem::take(rows) {
            let (_, effects) = step(row.state, Input::Retry, now);
            let path = row.path.clone();
            if effects.contains(&Effect::AddAgain)
                && let Ok(Err(code)) = tokio::task::spawn_blocking(move || candidate(&path)).await
            {
                let words = "the file cannot be uploaded as it is now";
                refused = Err(EngineError::new(code, words));
            } else {
                rows.push((row, confirmed));
            }
        }
        refused
    }

    /// Steers everything that has not ended, of one server if that is named.
    pub(crate) async fn steer_all(&mut self, input: &Input, server: Option<&str>) {
        let mut last = None;
        loop {
            let mut rows = match self.store.after(last, BATCH as u64).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, "the queue could not be read");
                    return;
                }
            };
            let Some((row, _)) = rows.last() else { return };
            last = Some(row.id);
            rows.retain(|(row, _)| server.is_none_or(|server| row.destination.server == server));
            self.apply_all(rows, input).await;
        }
    }

    async fn put(&mut self, ids: Vec<UploadId>, spot: Spot) -> Result<(), EngineError> {
        if let Spot::Before(id) = spot {
            let (row, _) = self.rows(vec![id]).await?.pop().ok_or_else(|| no_such_upload(id))?;
            if row.list() == List::Done {
                let gone = "what they are to stand before has ended";
                return Err(EngineError::new(Code::WrongState, gone));
            }
        }
        let reordered = self.store.put(ids.clone(), spot).await?;
        self.look_again(ids, reordered).await
    }

    async fn set_first(&mut self, ids: Vec<UploadId>, first: bool) -> Result<(), EngineError> {
        let reordered = self.store.set_first(ids.clone(), first).await?;
        self.look_again(ids, reordered).await
    }

    /// Takes over the order that the store has now, and tells of it.
    async fn look_again(
        &mut self,
        ids: Vec<UploadId>,
        reordered: Reordered,
    ) -> Result<(), EngineError> {
        let loaded = match reordered {
            Reordered::Named => {
                ids.iter().copied().filter(|id| self.queue.get(*id).is_some()).collect()
            }
            Reordered::All => self.queue.loaded().map(|entry| entry.row.id).collect(),
        };
        for (row, _) in self.store.uploads(loaded).await? {
            self.line.set_first(row.id, row.first);
            if let Some(entry) = self.queue.get_mut(row.id) {
                (entry.row.place, entry.row.first) = (row.place, row.first);
            }
        }
        self.no_first_waits = false;
        self.queue.recount(Census::new(self.store.tallies().await?));
        match reordered {
            Reordered::Named => {
                for some in ids.chunks(BATCH) {
                    let uploads = self.find(some.to_vec()).await?;
                    self.tell(uploads);
                }
            }
            Reordered::All => self.publish(News::Order),
        }
        Ok(())
    }

    async fn remove(&mut self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        let rows = self.rows(ids.clone()).await?;
        if let Some(id) = ids.iter().find(|id| rows.iter().all(|(row, _)| row.id != **id)) {
            return Err(no_such_upload(*id));
        }
        for (row, _) in &rows {
            let state = row.state;
            let ended = state.phase == Phase::Ready || state.hold.is_end();
            let works = self.queue.get(row.id).is_some_and(|entry| entry.running.is_some());
            if !ended || state.cleanup || works {
                return Err(EngineError::new(Code::WrongState, "the upload has not ended"));
            }
        }
        self.store.remove(ids.clone()).await?;
        for (row, confirmed) in &rows {
            self.queue.remove(row, *confirmed);
        }
        self.publish(News::Removed { ids });
        Ok(())
    }

    /// A stretch of a list.
    async fn page(&mut self, list: List, offset: u64, limit: u64) -> Result<Page, EngineError> {
        let rows = match self.queue.census().locate(list, offset) {
            Some((shelf, skip)) => self.store.page(list, shelf, skip, limit.min(PAGE)).await?,
            None => Vec::new(),
        };
        let uploads = rows.into_iter().map(|(row, confirmed)| self.view(row, confirmed)).collect();
        Ok(Page { seq: self.seq, uploads })
    }

    /// Where in its list an upload stands, from zero.
    async fn index(&mut self, id: UploadId) -> Result<(List, u64), EngineError> {
        let (row, _) = self.rows(vec![id]).await?.pop().ok_or_else(|| no_such_upload(id))?;
        let on_shelf = self.store.before_on_shelf(row.list(), row.place).await?;
        let shelves = self.queue.census().before(row.list(), Shelf::of(row.place));
        Ok((row.list(), shelves + on_shelf))
    }

    async fn found(&self, id: UploadId) -> Result<Found, EngineError> {
        let (row, _) = self.rows(vec![id]).await?.pop().ok_or_else(|| no_such_upload(id))?;
        let connected = self.connections.get(&row.destination.server);
        let team = connected.map(|connected| Arc::clone(&connected.team));
        Ok(Found { path: row.path, video_id: row.video_id, team })
    }

    async fn find(&self, ids: Vec<UploadId>) -> Result<Vec<UploadView>, EngineError> {
        let rows = self.rows(ids).await?;
        Ok(rows.into_iter().map(|(row, confirmed)| self.view(row, confirmed)).collect())
    }

    fn view(&self, row: Upload, confirmed: u64) -> UploadView {
        match self.queue.get(row.id) {
            Some(entry) => entry.view(),
            None => Entry::new(row, confirmed).view(),
        }
    }
}
