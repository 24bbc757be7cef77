//! What the loop does when it is asked to.

use std::path::PathBuf;
use std::sync::Arc;

use dailies_api::projects::UploadTarget;

use crate::engine::{Connected, Engine};
use crate::error::{Code, EngineError};
use crate::handle::{Candidate, Command, candidate, no_such_upload};
use crate::queue::Entry;
use crate::store::{Destination, Registration, Setting, Upload};
use crate::team::Team;
use crate::transfer::{Effect, Input, Phase, State, UploadId, step};
use crate::view::{Added, ConnectionView, DestinationView, News};

impl Engine {
    /// Answers one command. An asker that has gone away is not waited for.
    pub(crate) async fn obey(&mut self, command: Command) {
        match command {
            Command::Connected(team, done) => {
                self.connect(team).await;
                let _ = done.send(self.connection.clone());
            }
            Command::Refused { url, code, done } => {
                let url = url.to_string();
                self.set_connection(ConnectionView::Refused { url, code });
                let _ = done.send(());
            }
            Command::Disconnect(done) => {
                self.disconnect().await;
                let _ = done.send(());
            }
            Command::Team(done) => {
                let _ = done.send(self.connected.as_ref().map(|c| Arc::clone(&c.team)));
            }
            Command::LastServer(done) => {
                let _ = done.send(self.store.setting(Setting::Server).await.ok().flatten());
            }
            Command::SetDestination(project, done) => {
                let _ = done.send(self.set_destination(&project).await);
            }
            Command::Add(candidates, project, done) => {
                let _ = done.send(self.add(candidates, project).await);
            }
            Command::Steer(ids, input, done) => {
                let _ = done.send(self.steer(&ids, &input).await);
            }
            Command::SteerAll(input, done) => {
                let ids: Vec<_> = self.queue.keys().copied().collect();
                for id in ids {
                    self.apply_if_moved(id, &input).await;
                }
                let _ = done.send(());
            }
            Command::Remove(ids, done) => {
                let _ = done.send(self.remove(ids).await);
            }
            Command::Snapshot(done) => {
                let _ = done.send(self.snapshot());
            }
            Command::Find(id, done) => {
                let found = self.queue.get(&id);
                let _ = done.send(found.map(|e| (e.row.path.clone(), e.row.video_id.clone())));
            }
            // Ends the loop, which sees to it.
            Command::Stop => {}
        }
    }

    async fn connect(&mut self, team: Arc<Team>) {
        let wanted = self.store.setting(Setting::Project).await.ok().flatten();
        let targets = team.targets();
        let target = targets
            .iter()
            .find(|target| Some(&target.project_id) == wanted.as_ref())
            .or_else(|| targets.first());
        let destination = target.cloned().map(DestinationView::from);
        let protocol = Self::protocol(&team);
        let connected = Connected { team, protocol, destination: destination.clone() };
        let url = connected.server().to_owned();
        self.connected = Some(connected);
        self.remember(Setting::Server, Some(url.clone())).await;
        self.set_connection(ConnectionView::Connected { url, destination });
        let ids: Vec<_> = self.queue.keys().copied().collect();
        for id in ids {
            self.apply_if_moved(id, &Input::Connected).await;
        }
    }

    async fn disconnect(&mut self) {
        self.connected = None;
        for entry in self.queue.values() {
            if let Some(running) = &entry.running {
                running.stop.cancel();
            }
        }
        self.remember(Setting::Server, None).await;
        self.set_connection(ConnectionView::None);
    }

    async fn set_destination(&mut self, project: &str) -> Result<(), EngineError> {
        let connected = self.connected.as_mut().ok_or_else(not_connected)?;
        let destination = DestinationView::from(target(&connected.team, project)?);
        connected.destination = Some(destination.clone());
        let url = connected.server().to_owned();
        self.remember(Setting::Project, Some(project.to_owned())).await;
        self.set_connection(ConnectionView::Connected { url, destination: Some(destination) });
        Ok(())
    }

    async fn add(
        &mut self,
        candidates: Vec<Candidate>,
        project: Option<String>,
    ) -> Result<Added, EngineError> {
        let connected = self.connected.as_ref().ok_or_else(not_connected)?;
        let view = match project {
            Some(project) => DestinationView::from(target(&connected.team, &project)?),
            None => connected.destination.clone().ok_or_else(|| {
                EngineError::new(Code::NotFound, "the team has no project to upload to")
            })?,
        };
        let destination = Destination {
            server: connected.server().to_owned(),
            project_id: view.project_id,
            project: view.project,
            team: view.team,
        };
        let (mut ids, mut new) = (Vec::new(), Vec::new());
        for candidate in candidates {
            match self.unfinished(&candidate, &destination) {
                Some(id) => {
                    self.apply_if_moved(id, &Input::Retry).await;
                    ids.push(id);
                }
                None => new.push(candidate),
            }
        }
        ids.extend(self.insert(new, &destination).await?);
        let uploads = ids.iter().filter_map(|id| Some(self.queue.get(id)?.view())).collect();
        Ok(Added { uploads, refused: Vec::new() })
    }

    /// The upload of the same file to the same place that has not ended: offering the file again
    /// means that it should go on, not that the team wants it twice.
    fn unfinished(&self, candidate: &Candidate, destination: &Destination) -> Option<UploadId> {
        let same = |entry: &&Entry| {
            let row = &entry.row;
            row.state.phase < Phase::Processing
                && !row.state.hold.is_end()
                && row.path == candidate.path
                && row.fingerprint == candidate.fingerprint
                && row.destination == *destination
        };
        self.queue.values().find(same).map(|entry| entry.row.id)
    }

    async fn insert(
        &mut self,
        candidates: Vec<Candidate>,
        destination: &Destination,
    ) -> Result<Vec<UploadId>, EngineError> {
        let now = self.now();
        let row = |(candidate, id): (Candidate, UploadId)| Upload {
            id,
            rev: 0,
            state: State::NEW,
            path: candidate.path,
            title: candidate.title,
            content_type: candidate.content_type,
            fingerprint: candidate.fingerprint,
            destination: destination.clone(),
            added_at: now,
            uploaded_at: None,
            registration: Registration::No,
            video_id: None,
            session: None,
            duration: None,
            reason: None,
        };
        let rows: Vec<_> = candidates.into_iter().zip(UploadId::in_order()).map(row).collect();
        self.store.insert(rows.clone()).await?;
        let ids = rows.iter().map(|row| row.id).collect();
        let entries: Vec<_> = rows.into_iter().map(|row| Entry::new(row, 0)).collect();
        let uploads = entries.iter().map(Entry::view).collect();
        self.queue.extend(entries.into_iter().map(|entry| (entry.row.id, entry)));
        self.publish(News::Uploads { uploads });
        Ok(ids)
    }

    /// The same file once more, in the version that lies there now.
    pub(crate) async fn add_again(&mut self, path: PathBuf, destination: Destination) {
        let looked = tokio::task::spawn_blocking(move || candidate(&path)).await;
        match looked {
            Ok(Ok(candidate)) => {
                if let Err(error) = self.insert(vec![candidate], &destination).await {
                    tracing::error!(%error, "a file could not be added again");
                }
            }
            Ok(Err(code)) => tracing::warn!(?code, "a file cannot be added again"),
            Err(error) => tracing::error!(%error, "a file could not be looked at"),
        }
    }

    /// Steers all that can be steered; the last refusal is the answer.
    async fn steer(&mut self, ids: &[UploadId], input: &Input) -> Result<(), EngineError> {
        let mut refused = None;
        for id in ids {
            refused = self.steer_one(*id, input).await.err().or(refused);
        }
        refused.map_or(Ok(()), Err)
    }

    async fn steer_one(&mut self, id: UploadId, input: &Input) -> Result<(), EngineError> {
        let entry = self.queue.get(&id).ok_or_else(|| no_such_upload(id))?;
        let (_, effects) = step(entry.row.state, input.clone(), self.now());
        if effects.contains(&Effect::AddAgain) {
            // The old upload ends with this: not before there is a file for the new one.
            let path = entry.row.path.clone();
            if let Ok(Err(code)) = tokio::task::spawn_blocking(move || candidate(&path)).await {
                let words = "the file cannot be uploaded as it is now";
                return Err(EngineError::new(code, words));
            }
        }
        self.apply_if_moved(id, input).await;
        Ok(())
    }

    /// Applies an input that means nothing in most states without writing those.
    async fn apply_if_moved(&mut self, id: UploadId, input: &Input) {
        let Some(entry) = self.queue.get(&id) else { return };
        let (state, effects) = step(entry.row.state, input.clone(), self.now());
        if state != entry.row.state || !effects.is_empty() {
            self.apply(id, input.clone(), |_| {}).await;
        }
    }

    async fn remove(&mut self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        for id in &ids {
            let entry = self.queue.get(id).ok_or_else(|| no_such_upload(*id))?;
            let state = entry.row.state;
            let ended = state.phase == Phase::Ready || state.hold.is_end();
            if !ended || state.cleanup || entry.running.is_some() {
                return Err(EngineError::new(Code::WrongState, "the upload has not ended"));
            }
        }
        self.store.remove(ids.clone()).await?;
        for id in &ids {
            self.queue.remove(id);
        }
        self.publish(News::Removed { ids });
        Ok(())
    }
}

fn not_connected() -> EngineError {
    EngineError::new(Code::NotConnected, "no connection to a team has been made")
}

/// The target with this id. A server that cannot name its targets is believed to have it.
fn target(team: &Team, project: &str) -> Result<UploadTarget, EngineError> {
    let found = team.targets().iter().find(|target| target.project_id == project);
    match found {
        Some(target) => Ok(target.clone()),
        None if team.targets().is_empty() => Ok(UploadTarget {
            project_id: project.to_owned(),
            project_name: project.to_owned(),
            project_path: project.to_owned(),
            team_id: String::new(),
            team_name: team.client().base().host_str().unwrap_or_default().to_owned(),
            team_slug: String::new(),
            role: dailies_api::projects::Role::Member,
        }),
        None => Err(EngineError::new(
            Code::NotFound,
            format!("there is no project {project} that you may upload to"),
        )),
    }
}
