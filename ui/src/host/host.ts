import type { Added } from "../bindings/Added";
import type { AllowanceView } from "../bindings/AllowanceView";
import type { Change } from "../bindings/Change";
import type { ChosenFolder } from "../bindings/ChosenFolder";
import type { ConnectionView } from "../bindings/ConnectionView";
import type { DestinationView } from "../bindings/DestinationView";
import type { DragView } from "../bindings/DragView";
import type { EndedBefore } from "../bindings/EndedBefore";
import type { EndedView } from "../bindings/EndedView";
import type { DownloadId } from "../bindings/DownloadId";
import type { DownloadView } from "../bindings/DownloadView";
import type { EngineError } from "../bindings/EngineError";
import type { Episode } from "../bindings/Episode";
import type { ExportForm } from "../bindings/ExportForm";
import type { FolderId } from "../bindings/FolderId";
import type { FolderView } from "../bindings/FolderView";
import type { LibraryView } from "../bindings/LibraryView";
import type { NewShareLink } from "../bindings/NewShareLink";
import type { Opening } from "../bindings/Opening";
import type { OwnFolder } from "../bindings/OwnFolder";
import type { PartsView } from "../bindings/PartsView";
import type { PlaybackView } from "../bindings/PlaybackView";
import type { Preference } from "../bindings/Preference";
import type { Preview } from "../bindings/Preview";
import type { RebuiltView } from "../bindings/RebuiltView";
import type { ReceiptView } from "../bindings/ReceiptView";
import type { RuleFaults } from "../bindings/RuleFaults";
import type { Rules } from "../bindings/Rules";
import type { RulesView } from "../bindings/RulesView";
import type { ServerFolder } from "../bindings/ServerFolder";
import type { ShareLinkView } from "../bindings/ShareLinkView";
import type { ShellView } from "../bindings/ShellView";
import type { Spot } from "../bindings/Spot";
import type { Switch } from "../bindings/Switch";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";
import type { VideosView } from "../bindings/VideosView";

export type Stop = () => void;

/** Everything at one moment. */
export interface Everything {
  /** The number of the last change that is in it for sure; later ones may be. */
  readonly seq: number;
  /** List by list, each in its order. */
  readonly uploads: readonly UploadView[];
  /** Where new files go. */
  readonly connection: ConnectionView;
  /** That one, and all others. */
  readonly connections: readonly ConnectionView[];
  readonly allowance: AllowanceView;
  /** What was made of a queue that was found damaged since the start. */
  readonly rebuilt: RebuiltView | null;
}

/** What the page can ask of the team's library. No link and no path enters here: the shell keeps both. */
export interface LibraryHost {
  /** What the team has that new files go to. */
  library(): Promise<LibraryView>;
  /** The next videos of a project with every word of `search`; they may be none although more follow. */
  videos(projectId: string, search: string, cursor: string | null): Promise<VideosView>;
  /** A session, or the original while there is nothing else. */
  playVideo(videoId: string): Promise<PlaybackView>;
  poster(videoId: string): Promise<string | null>;

  /** Newest first. */
  shareLinks(videoId: string): Promise<ShareLinkView[]>;
  /** Makes a link and puts it on the clipboard. */
  share(videoId: string, link: NewShareLink): Promise<void>;
  copyShareLink(videoId: string, linkId: string): Promise<void>;
  revoke(linkId: string): Promise<void>;

  /** Opens the system's dialog and downloads the original there; `null` when no place was chosen. */
  download(videoId: string): Promise<DownloadId | null>;
  downloads(): Promise<DownloadView[]>;
  onDownloads(onDownloads: (all: DownloadView[]) => void): Promise<Stop>;
  downloadAgain(id: DownloadId): Promise<void>;
  /** Ends it, if it has not ended, and takes it off the list; a file that is in its place stays. */
  removeDownload(id: DownloadId): Promise<void>;
  showDownload(id: DownloadId): Promise<void>;
}

/**
 * All that the page can ask of the program around it. Every promise rejects with an `EngineError`.
 *
 * No path enters here: files come from the system (dialog, drop), which the shell handles itself.
 */
export interface Host extends LibraryHost {
  everything(): Promise<Everything>;
  subscribe(onChange: (change: Change) => void): Promise<Stop>;

  shell(): Promise<ShellView>;
  onShell(onShell: (shell: ShellView) => void): Promise<Stop>;

  /** Opens the system's dialog; `null` when it was closed without a choice. */
  chooseFiles(): Promise<Added | null>;
  /** Takes in the files that were copied in a file manager, if any were. */
  pasteFiles(): Promise<void>;
  /** What became of files that came in by a drop, a paste or a second start. */
  onAdded(onAdded: (added: Added) => void): Promise<Stop>;
  /** What hangs over the window while files are dragged; `null` when the drag ends. */
  onDrag(onDrag: (drag: DragView | null) => void): Promise<Stop>;

  pause(ids: UploadId[]): Promise<void>;
  resume(ids: UploadId[]): Promise<void>;
  cancel(ids: UploadId[]): Promise<void>;
  retry(ids: UploadId[]): Promise<void>;
  /** Of files whose content their project has already. */
  sendAnyway(ids: UploadId[]): Promise<void>;
  /** Takes ended ones off the list; neither the file nor the video is touched. */
  remove(ids: UploadId[]): Promise<void>;
  /** Gives those that wait another place, in the order in which they are named. */
  put(ids: readonly UploadId[], spot: Spot): Promise<void>;
  /** Lets uploads go before all others, or no longer. */
  setFirst(ids: readonly UploadId[], first: boolean): Promise<void>;
  pauseAll(): Promise<void>;
  resumeAll(): Promise<void>;
  /** On this metered network or on battery, until either changes. */
  sendHere(): Promise<void>;
  rules(): Promise<RulesView>;
  turn(what: Switch, on: boolean): Promise<void>;
  /** Bytes a second of all uploads together; `null` for none. */
  setLimit(limit: number | null): Promise<void>;
  /** One rule each, in the words of `RulesView`. */
  setSchedule(rules: string[]): Promise<void>;
  setUploads(uploads: number): Promise<void>;

  /** Watched folders; that they changed is among the news. */
  folders(): Promise<FolderView[]>;
  /** Opens the system's dialog; `null` when it was closed without a choice. */
  chooseFolder(): Promise<ChosenFolder | null>;
  /** Has the folder watched that was chosen last. */
  addFolder(projectId: string, rules: Rules): Promise<FolderView>;
  /** Its files go where they went, if no project is named. */
  changeFolder(id: FolderId, projectId: string | null, rules: Rules): Promise<FolderView>;
  removeFolder(id: FolderId): Promise<void>;
  /** What rules would do with the files in a watched folder now, or in the one that was chosen last. */
  preview(id: FolderId | null, rules: Rules): Promise<Preview>;
  ruleFaults(patterns: string[], title: string): Promise<RuleFaults>;

  /** Starts the team server on this computer and connects to it. */
  useThisComputer(): Promise<void>;
  /** Ends the team server on this computer; what it has stays. */
  turnOffServer(): Promise<void>;
  serverFolder(): Promise<ServerFolder>;
  connect(url: string, apiKey: string): Promise<void>;
  /** Sends somebody to the browser; false when they gave it up, or another sign-in took its place. */
  signIn(url: string): Promise<boolean>;
  cancelSignIn(): Promise<void>;
  /** Puts the address of the page that they are to sign in on on the clipboard. */
  copySignInPage(): Promise<void>;
  /** Signs out, and forgets what opened the team. Its uploads wait. */
  forget(url: string): Promise<void>;
  /** New files go to this one of the connections from now on. */
  chooseTeam(url: string): Promise<void>;
  targets(): Promise<DestinationView[]>;
  setDestination(projectId: string): Promise<void>;

  /** Keeps one thing that somebody prefers; it comes back with the shell's next view. */
  prefer(preference: Preference): Promise<void>;
  startAtLogin(on: boolean): Promise<void>;
  /** Opens a folder of the app's own in the file manager. */
  openFolder(folder: OwnFolder): Promise<void>;
  /** Puts a report of how it stands on the clipboard, with nothing secret in it. */
  copyDiagnosis(): Promise<void>;
  /** What somebody wants to see that they chose outside the window; once. */
  opening(): Promise<Opening | null>;
  /** There is such a thing. */
  onOpening(onOpening: () => void): Promise<Stop>;
  /** Ends the app and starts it again. */
  restart(): Promise<void>;
  /** Puts the work down and ends the app. */
  quit(): Promise<void>;
  /** Looks for a newer version of the app now; what comes of it is in the shell's next views. */
  lookForUpdate(): Promise<void>;
  /**
   * Ends the app and starts the newer version that is ready. False when uploads are under way and may not
   * be interrupted: then nothing was done.
   */
  installUpdate(interrupt: boolean): Promise<boolean>;

  /** A session, or the team's original while there is nothing else. */
  playback(id: UploadId): Promise<PlaybackView>;
  /** The file on this computer, if it is still the one that was added. */
  localPlayback(id: UploadId): Promise<PlaybackView>;
  showInFolder(id: UploadId): Promise<void>;
  /** Puts the watch page's address on the clipboard. */
  copyLinks(ids: UploadId[]): Promise<void>;

  /** How its parts stand; `null` until it is agreed how it is divided. */
  parts(id: UploadId): Promise<PartsView | null>;
  /** All that happened to it, oldest first; that is a few hundred rows at the most. */
  history(id: UploadId): Promise<Episode[]>;
  receipt(id: UploadId): Promise<ReceiptView>;
  /** Puts a text on the clipboard. */
  copyReport(text: string): Promise<void>;

  /** What has ended and has every word of `search` in it, newest first, a page at a time. */
  activity(search: string, before: EndedBefore | null): Promise<EndedView[]>;
  /** Lets somebody choose a file and writes it; how many uploads are in it, or `null` when they chose none. */
  exportActivity(search: string, form: ExportForm): Promise<number | null>;
}

export function isEngineError(error: unknown): error is EngineError {
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}

/** Whatever was thrown, as the one kind of error that screens have words for. */
export function asEngineError(error: unknown): EngineError {
  if (isEngineError(error)) return error;
  return { code: "unexpected_answer", message: error instanceof Error ? error.message : String(error) };
}
