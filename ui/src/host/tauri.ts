import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Change } from "../bindings/Change";
import type { List } from "../bindings/List";
import type { Page } from "../bindings/Page";
import type { Snapshot } from "../bindings/Snapshot";
import type { UploadView } from "../bindings/UploadView";
import type { Everything, Host, Stop } from "./host";

const LISTS: readonly List[] = ["uploading", "needs_you", "waiting", "done"];

/** The longest page that the engine gives. */
const PAGE = 500;

/**
 * Reads the queue page by page. What moves from one list to another meanwhile may come twice or not at all;
 * the change that moved it comes after this snapshot, and sets it right.
 */
async function everything(): Promise<Everything> {
  const { seq, connection, connections, allowance, rebuilt = null } = await invoke<Snapshot>("snapshot");
  const uploads = new Map<string, UploadView>();
  for (const list of LISTS) {
    let page: Page;
    let offset = 0;
    do {
      page = await invoke<Page>("page", { list, offset, limit: PAGE });
      for (const upload of page.uploads) uploads.set(upload.id, upload);
      offset += page.uploads.length;
    } while (page.uploads.length === PAGE);
  }
  return { seq, uploads: [...uploads.values()], connection, connections, allowance, rebuilt };
}

function on<Payload>(event: string, callback: (payload: Payload) => void): Promise<Stop> {
  return listen<Payload>(event, ({ payload }) => {
    callback(payload);
  });
}

/** The shell, by its commands and events. The only place that names either. */
export const tauriHost: Host = {
  everything,
  subscribe: (onChange) =>
    on<Change[]>("changes", (changes) => {
      changes.forEach(onChange);
    }),

  shell: () => invoke("shell"),
  onShell: (onShell) => on("shell", onShell),

  chooseFiles: () => invoke("choose_files"),
  pasteFiles: () => invoke("paste_files"),
  onAdded: (onAdded) => on("added", onAdded),
  onDrag: (onDrag) => on("drag", onDrag),

  pause: (ids) => invoke("pause", { ids }),
  resume: (ids) => invoke("resume", { ids }),
  cancel: (ids) => invoke("cancel", { ids }),
  retry: (ids) => invoke("retry", { ids }),
  sendAnyway: (ids) => invoke("send_anyway", { ids }),
  remove: (ids) => invoke("remove", { ids }),
  put: (ids, spot) => invoke("put", { ids, spot }),
  setFirst: (ids, first) => invoke("set_first", { ids, first }),
  pauseAll: () => invoke("pause_all"),
  resumeAll: () => invoke("resume_all"),
  sendHere: () => invoke("send_here"),
  rules: () => invoke("rules"),
  turn: (what, on) => invoke("turn", { switch: what, on }),
  setLimit: (limit) => invoke("set_limit", { limit }),
  setSchedule: (rules) => invoke("set_schedule", { rules }),
  setUploads: (uploads) => invoke("set_uploads", { uploads }),

  folders: () => invoke("folders"),
  chooseFolder: () => invoke("choose_folder"),
  addFolder: (projectId, rules) => invoke("add_folder", { projectId, rules }),
  changeFolder: (id, projectId, rules) => invoke("change_folder", { id, projectId, rules }),
  removeFolder: (id) => invoke("remove_folder", { id }),
  preview: (id, rules) => invoke("preview", { id, rules }),
  ruleFaults: (patterns, title) => invoke("rule_faults", { patterns, title }),

  useThisComputer: () => invoke("use_this_computer"),
  turnOffServer: () => invoke("turn_off_server"),
  serverFolder: () => invoke("server_folder"),
  connect: (url, apiKey) => invoke("connect", { url, apiKey }),
  signIn: (url) => invoke("sign_in", { url }),
  cancelSignIn: () => invoke("cancel_sign_in"),
  copySignInPage: () => invoke("copy_sign_in_page"),
  forget: (url) => invoke("forget", { url }),
  chooseTeam: (url) => invoke("choose_team", { url }),
  targets: () => invoke("targets"),
  setDestination: (projectId) => invoke("set_destination", { projectId }),

  prefer: (preference) => invoke("prefer", { preference }),
  startAtLogin: (on) => invoke("start_at_login", { on }),
  openFolder: (folder) => invoke("open_folder", { folder }),
  copyDiagnosis: () => invoke("copy_diagnosis"),
  opening: () => invoke("opening"),
  onOpening: (onOpening) => on("opening", onOpening),
  restart: () => invoke("restart"),
  quit: () => invoke("quit"),
  lookForUpdate: () => invoke("look_for_update"),
  installUpdate: (interrupt) => invoke("install_update", { interrupt }),

  playback: (id) => invoke("playback", { id }),
  localPlayback: (id) => invoke("local_playback", { id }),
  showInFolder: (id) => invoke("show_in_folder", { id }),
  copyLinks: (ids) => invoke("copy_links", { ids }),

  parts: (id) => invoke("parts", { id }),
  history: (id) => invoke("history", { id }),
  receipt: (id) => invoke("receipt", { id }),
  copyReport: (text) => invoke("copy_report", { text }),

  library: () => invoke("library"),
  videos: (projectId, search, cursor) => invoke("videos", { projectId, search, cursor }),
  playVideo: (videoId) => invoke("play_video", { videoId }),
  poster: (videoId) => invoke("poster", { videoId }),
  shareLinks: (videoId) => invoke("share_links", { videoId }),
  share: (videoId, link) => invoke("share", { videoId, link }),
  copyShareLink: (videoId, linkId) => invoke("copy_share_link", { videoId, linkId }),
  revoke: (linkId) => invoke("revoke", { linkId }),
  download: (videoId) => invoke("download", { videoId }),
  downloads: () => invoke("downloads"),
  onDownloads: (onDownloads) => on("downloads", onDownloads),
  downloadAgain: (id) => invoke("download_again", { id }),
  removeDownload: (id) => invoke("remove_download", { id }),
  showDownload: (id) => invoke("show_download", { id }),

  activity: (search, before) => invoke("activity", { search, before }),
  exportActivity: (search, form) => invoke("export_activity", { search, form }),
};
