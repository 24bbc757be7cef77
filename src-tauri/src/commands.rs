//! What the page can ask for. Ids and choices come from it, never a path; one address, a team
//! server's, which is read with care; and words to search for or to copy.

use dailies_engine::EngineHandle;
use dailies_engine::activity::{EndedView, Form};
use dailies_engine::error::{Code, EngineError};
use dailies_engine::folders::{FolderView, Preview};
use dailies_engine::ledger::ReceiptView;
use dailies_engine::local_playback::LocalPlayback;
use dailies_engine::part_map::PartsView;
use dailies_engine::rules::{RulesView, Switch};
use dailies_engine::store::{EndedBefore, Episode, Spot};
use dailies_engine::transfer::{List, Rate, Schedule, UploadId};
use dailies_engine::view::{Added, DestinationView, Page, PlaybackView, Snapshot, UploadView};
use dailies_engine::watch::{FolderId, Rules};
use secrecy::SecretString;
use tauri::{AppHandle, Runtime, State, command};
use url::Url;

use crate::desk::Desk;
use crate::folders::{self, Chosen};
use crate::intake::{Incoming, Intake};
use crate::link::LinkHandle;
use crate::opening::{Opening, Wanted};
use crate::own_folders::{OwnFolder, OwnFolders};
use crate::settings::Preference;
use crate::sign_in::SignIn;
use crate::updates::{self, Updates};
use crate::view::{ChosenFolder, RuleFaults, ServerFolder, ShellView};
use crate::{at_login, diagnosis};

type Engine<'a> = State<'a, EngineHandle>;
type Link<'a> = State<'a, LinkHandle>;
type Answer<T> = Result<T, EngineError>;

#[command]
pub(crate) async fn snapshot(engine: Engine<'_>) -> Answer<Snapshot> {
    engine.snapshot().await
}

#[command]
pub(crate) async fn page(engine: Engine<'_>, list: List, offset: u64, limit: u64) -> Answer<Page> {
    engine.page(list, offset, limit).await
}

#[command]
pub(crate) async fn uploads(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<Vec<UploadView>> {
    engine.uploads(ids).await
}

#[command]
pub(crate) async fn ids(engine: Engine<'_>, list: List) -> Answer<Vec<UploadId>> {
    engine.ids(list).await
}

#[command]
pub(crate) async fn index(engine: Engine<'_>, id: UploadId) -> Answer<(List, u64)> {
    engine.index(id).await
}

#[command]
pub(crate) async fn put(engine: Engine<'_>, ids: Vec<UploadId>, spot: Spot) -> Answer<()> {
    engine.put(ids, spot).await
}

#[command]
pub(crate) async fn set_first(engine: Engine<'_>, ids: Vec<UploadId>, first: bool) -> Answer<()> {
    engine.set_first(ids, first).await
}

#[command]
pub(crate) async fn shell(link: Link<'_>) -> Answer<ShellView> {
    Ok(link.view())
}

#[command]
pub(crate) async fn choose_files<R: Runtime>(
    app: AppHandle<R>,
    engine: Engine<'_>,
) -> Answer<Option<Added>> {
    crate::choose::files(&app, &engine).await
}

/// Takes in what was copied in a file manager.
#[command]
pub(crate) async fn paste_files(desk: State<'_, Desk>, intake: State<'_, Intake>) -> Answer<()> {
    let files = desk.copied_files().await?;
    if !files.is_empty() {
        intake.offer(Incoming::Named(files));
    }
    Ok(())
}

#[command]
pub(crate) async fn pause(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.pause(ids).await
}

#[command]
pub(crate) async fn resume(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.resume(ids).await
}

#[command]
pub(crate) async fn cancel(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.cancel(ids).await
}

#[command]
pub(crate) async fn retry(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.retry(ids).await
}

#[command]
pub(crate) async fn send_anyway(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.send_anyway(ids).await
}

#[command]
pub(crate) async fn remove(engine: Engine<'_>, ids: Vec<UploadId>) -> Answer<()> {
    engine.remove(ids).await
}

#[command]
pub(crate) async fn pause_all(engine: Engine<'_>) -> Answer<()> {
    engine.pause_all().await
}

#[command]
pub(crate) async fn resume_all(engine: Engine<'_>) -> Answer<()> {
    engine.resume_all().await
}

#[command]
pub(crate) async fn send_here(engine: Engine<'_>) -> Answer<()> {
    engine.send_here().await
}

#[command]
pub(crate) async fn rules(engine: Engine<'_>) -> Answer<RulesView> {
    engine.rules().await
}

#[command]
pub(crate) async fn turn(engine: Engine<'_>, switch: Switch, on: bool) -> Answer<()> {
    engine.turn(switch, on).await
}

#[command]
pub(crate) async fn set_limit(engine: Engine<'_>, limit: Option<Rate>) -> Answer<()> {
    engine.set_limit(limit).await
}

#[command]
pub(crate) async fn set_schedule(engine: Engine<'_>, rules: Vec<String>) -> Answer<()> {
    let schedule = rules.join("\n").parse::<Schedule>();
    let schedule = schedule.map_err(|error| EngineError::new(Code::Refused, error.to_string()))?;
    engine.set_schedule(schedule).await
}

#[command]
pub(crate) async fn set_uploads(engine: Engine<'_>, uploads: usize) -> Answer<()> {
    engine.set_uploads(uploads).await
}

#[command]
pub(crate) async fn folders(engine: Engine<'_>) -> Answer<Vec<FolderView>> {
    engine.folders().await
}

#[command]
pub(crate) async fn choose_folder<R: Runtime>(
    app: AppHandle<R>,
    engine: Engine<'_>,
    chosen: State<'_, Chosen>,
) -> Answer<Option<ChosenFolder>> {
    chosen.choose(&app, &engine).await
}

#[command]
pub(crate) async fn add_folder(
    engine: Engine<'_>,
    chosen: State<'_, Chosen>,
    project_id: Option<String>,
    rules: Rules,
) -> Answer<FolderView> {
    chosen.add(&engine, project_id, rules).await
}

#[command]
pub(crate) async fn change_folder(
    engine: Engine<'_>,
    id: FolderId,
    project_id: Option<String>,
    rules: Rules,
) -> Answer<FolderView> {
    engine.change_folder(id, project_id, rules).await
}

#[command]
pub(crate) async fn remove_folder(engine: Engine<'_>, id: FolderId) -> Answer<()> {
    engine.remove_folder(id).await
}

#[command]
pub(crate) async fn preview(
    engine: Engine<'_>,
    chosen: State<'_, Chosen>,
    id: Option<FolderId>,
    rules: Rules,
) -> Answer<Preview> {
    folders::preview(&engine, &chosen, id, rules).await
}

#[command]
pub(crate) async fn rule_faults(patterns: Vec<String>, title: String) -> Answer<RuleFaults> {
    Ok(folders::faults(patterns, &title))
}

#[command]
pub(crate) async fn use_this_computer(link: Link<'_>) -> Answer<()> {
    link.use_this_computer().await
}

#[command]
pub(crate) async fn connect(link: Link<'_>, url: String, api_key: SecretString) -> Answer<()> {
    link.connect(&url, api_key).await
}

#[command]
pub(crate) async fn sign_in<R: Runtime>(
    app: AppHandle<R>,
    link: Link<'_>,
    desk: State<'_, Desk>,
    sign_in: State<'_, SignIn>,
    url: String,
) -> Answer<bool> {
    sign_in.run(&app, &link, &desk, &url).await
}

#[command]
pub(crate) async fn cancel_sign_in(sign_in: State<'_, SignIn>) -> Answer<()> {
    sign_in.cancel();
    Ok(())
}

#[command]
pub(crate) async fn copy_sign_in_page(
    desk: State<'_, Desk>,
    sign_in: State<'_, SignIn>,
) -> Answer<()> {
    sign_in.copy_page(&desk).await
}

/// `url` is the name of a team: one that nobody is signed in to is refused.
#[command]
pub(crate) async fn forget(link: Link<'_>, url: String) -> Answer<()> {
    link.forget(&url).await
}

/// `url` is the name of a connection, as in [`forget`].
#[command]
pub(crate) async fn choose_team(engine: Engine<'_>, url: Url) -> Answer<()> {
    engine.choose(&url).await
}

#[command]
pub(crate) async fn turn_off_server(link: Link<'_>) -> Answer<()> {
    link.turn_off().await
}

#[command]
pub(crate) async fn server_folder(folders: State<'_, OwnFolders>) -> Answer<ServerFolder> {
    folders.server().await
}

#[command]
pub(crate) async fn open_folder(
    desk: State<'_, Desk>,
    folders: State<'_, OwnFolders>,
    folder: OwnFolder,
) -> Answer<()> {
    desk.open_folder(folders.path(folder)).await
}

#[command]
pub(crate) async fn prefer(link: Link<'_>, preference: Preference) -> Answer<()> {
    link.prefer(preference).await
}

#[command]
pub(crate) async fn start_at_login<R: Runtime>(
    app: AppHandle<R>,
    link: Link<'_>,
    on: bool,
) -> Answer<()> {
    at_login::set(&app, &link, on).await
}

#[command]
pub(crate) async fn copy_diagnosis(
    engine: Engine<'_>,
    link: Link<'_>,
    desk: State<'_, Desk>,
) -> Answer<()> {
    desk.copy(diagnosis::text(&engine, &link).await).await
}

#[command]
pub(crate) async fn opening(wanted: State<'_, Wanted>) -> Answer<Option<Opening>> {
    Ok(wanted.take())
}

#[command]
pub(crate) async fn quit<R: Runtime>(app: AppHandle<R>) -> Answer<()> {
    crate::quit(&app);
    Ok(())
}

#[command]
pub(crate) async fn restart<R: Runtime>(app: AppHandle<R>) -> Answer<()> {
    crate::restart(&app);
    Ok(())
}

#[command]
pub(crate) async fn look_for_update(updates: State<'_, Updates>) -> Answer<()> {
    updates.look();
    Ok(())
}

#[command]
pub(crate) async fn install_update<R: Runtime>(app: AppHandle<R>, interrupt: bool) -> Answer<bool> {
    updates::install(&app, interrupt).await
}

#[command]
pub(crate) async fn targets(engine: Engine<'_>) -> Answer<Vec<DestinationView>> {
    engine.targets().await.map(|targets| targets.into_iter().map(Into::into).collect())
}

#[command]
pub(crate) async fn set_destination(engine: Engine<'_>, project_id: String) -> Answer<()> {
    engine.set_destination(project_id).await
}

#[command]
pub(crate) async fn playback(engine: Engine<'_>, id: UploadId) -> Answer<PlaybackView> {
    engine.playback_of(id).await
}

#[command]
pub(crate) async fn local_playback(
    playback: State<'_, LocalPlayback>,
    id: UploadId,
) -> Answer<PlaybackView> {
    playback.open(id).await
}

#[command]
pub(crate) async fn show_in_folder(
    engine: Engine<'_>,
    desk: State<'_, Desk>,
    id: UploadId,
) -> Answer<()> {
    desk.show_in_folder(engine.path_of(id).await?).await
}

#[command]
pub(crate) async fn copy_links(
    engine: Engine<'_>,
    desk: State<'_, Desk>,
    ids: Vec<UploadId>,
) -> Answer<()> {
    let mut links = Vec::new();
    for id in ids {
        links.push(String::from(engine.watch_page(id).await?));
    }
    desk.copy(links.join("\n")).await
}

#[command]
pub(crate) async fn parts(engine: Engine<'_>, id: UploadId) -> Answer<Option<PartsView>> {
    engine.parts(id).await
}

#[command]
pub(crate) async fn history(engine: Engine<'_>, id: UploadId) -> Answer<Vec<Episode>> {
    engine.history(id, None).await
}

#[command]
pub(crate) async fn receipt(engine: Engine<'_>, id: UploadId) -> Answer<ReceiptView> {
    engine.receipt(id).await
}

#[command]
pub(crate) async fn copy_report(desk: State<'_, Desk>, text: String) -> Answer<()> {
    desk.copy(text).await
}

#[command]
pub(crate) async fn activity(
    engine: Engine<'_>,
    search: String,
    before: Option<EndedBefore>,
) -> Answer<Vec<EndedView>> {
    engine.activity(&search, before).await
}

#[command]
pub(crate) async fn export_activity<R: Runtime>(
    app: AppHandle<R>,
    engine: Engine<'_>,
    search: String,
    form: Form,
) -> Answer<Option<u64>> {
    match crate::choose::place(&app, form).await {
        Some(path) => engine.export_activity(&search, form, path).await.map(Some),
        None => Ok(None),
    }
}
