import type { Change } from "../src/bindings/Change";
import type { ConnectionView } from "../src/bindings/ConnectionView";
import type { DownloadView } from "../src/bindings/DownloadView";
import type { DragView } from "../src/bindings/DragView";
import type { EndedBefore } from "../src/bindings/EndedBefore";
import type { EndedView } from "../src/bindings/EndedView";
import type { Episode } from "../src/bindings/Episode";
import type { FolderView } from "../src/bindings/FolderView";
import type { LibraryView } from "../src/bindings/LibraryView";
import type { NewShareLink } from "../src/bindings/NewShareLink";
import type { Opening } from "../src/bindings/Opening";
import type { Preferences } from "../src/bindings/Preferences";
import type { RebuiltView } from "../src/bindings/RebuiltView";
import type { ReceiptView } from "../src/bindings/ReceiptView";
import type { Rules } from "../src/bindings/Rules";
import type { ShareLinkView } from "../src/bindings/ShareLinkView";
import type { Spot } from "../src/bindings/Spot";
import type { ShellView } from "../src/bindings/ShellView";
import type { UploadView } from "../src/bindings/UploadView";
import type { VideoView } from "../src/bindings/VideoView";
import type { Host } from "../src/host/host";
import { aFolder } from "./folders";
import { aProject, aSession } from "./library";
import { CONNECTED, SHELL } from "./team";
import { NOW } from "./uploads";

/** A host that notes what it is asked for; the test sends the news. */
export class Recorder implements Host {
  readonly asked: string[] = [];
  change: (news: Change["news"]) => void = () => undefined;
  drag: (drag: DragView | null) => void = () => undefined;
  shellView: ShellView = SHELL;
  refusal: { code: "signed_out" | "refused" | "not_found"; message: string } | null = null;
  episodes: Episode[] = [{ number: 0, at: NOW, lastAt: NOW, times: 1, event: { kind: "added" } }];
  ended: EndedView[] = [];
  report = "";
  rebuilt: RebuiltView | null = null;
  #seq = 0;

  constructor(
    readonly uploads: UploadView[],
    readonly connection: ConnectionView = CONNECTED,
  ) {}

  /** A change is lost on its way. */
  skip(): void {
    this.#seq++;
  }

  async #note(what: string): Promise<void> {
    this.asked.push(what);
    if (this.refusal) throw this.refusal;
  }

  everything = async () => ({
    seq: this.#seq,
    uploads: this.uploads,
    connection: this.connection,
    connections: this.connection.kind === "none" ? [] : [this.connection],
    allowance: { kind: "full" as const },
    rebuilt: this.rebuilt,
  });
  subscribe = async (onChange: (change: Change) => void) => {
    this.change = (news) => {
      onChange({ seq: ++this.#seq, news });
    };
    return () => undefined;
  };
  shell = async () => this.shellView;
  onShell: (onShell: (shell: ShellView) => void) => Promise<() => void> = async () => () => undefined;
  onAdded = async () => () => undefined;
  onDrag = async (onDrag: (drag: DragView | null) => void) => {
    this.drag = onDrag;
    return () => undefined;
  };
  chooseFiles = async () => {
    await this.#note("chooseFiles");
    return {
      uploads: [],
      already: 2,
      beside: 13,
      refused: [{ path: "/x/notes.txt", code: "unsupported_type" as const }],
    };
  };
  pasteFiles = () => this.#note("pasteFiles");
  pause = (ids: string[]) => this.#note(`pause ${ids.join()}`);
  resume = (ids: string[]) => this.#note(`resume ${ids.join()}`);
  cancel = (ids: string[]) => this.#note(`cancel ${ids.join()}`);
  retry = (ids: string[]) => this.#note(`retry ${ids.join()}`);
  sendAnyway = (ids: string[]) => this.#note(`sendAnyway ${ids.join()}`);
  remove = (ids: string[]) => this.#note(`remove ${ids.join()}`);
  put = (ids: readonly string[], spot: Spot) => this.#note(`put ${ids.join()} ${JSON.stringify(spot)}`);
  setFirst = (ids: readonly string[], first: boolean) =>
    this.#note(`setFirst ${ids.join()} ${String(first)}`);
  pauseAll = () => this.#note("pauseAll");
  sendHere = () => this.#note("sendHere");
  rules = async () => ({
    limit: null,
    schedule: [],
    uploads: 3,
    pauseOnMetered: true,
    pauseOnBattery: false,
    keepAwake: true,
  });
  turn = (what: string, on: boolean) => this.#note(`turn ${what} ${String(on)}`);
  watched: FolderView[] = [];
  folders = async () => this.watched;
  chooseFolder = async () => {
    await this.#note("chooseFolder");
    return { path: "/footage/new", id: null };
  };
  addFolder = async (projectId: string, rules: Rules) => {
    await this.#note(`addFolder ${projectId} ${rules.existing} ${rules.include.join()}`);
    return aFolder();
  };
  changeFolder = async (id: string, projectId: string | null, rules: Rules) => {
    await this.#note(`changeFolder ${id} ${String(projectId)} ${rules.paused ? "paused" : "watched"}`);
    return aFolder();
  };
  removeFolder = (id: string) => this.#note(`removeFolder ${id}`);
  previewed: Rules[] = [];
  preview = async (_: string | null, rules: Rules) => {
    this.previewed.push(rules);
    return { goes: 0, bytes: 0, stays: 0, files: [] };
  };
  ruleFaults = async (patterns: string[]) => ({
    patterns: patterns.filter((text) => text.includes("[")),
    title: false,
  });
  resumeAll = () => this.#note("resumeAll");
  useThisComputer = () => this.#note("useThisComputer");
  connect = (url: string, apiKey: string) => this.#note(`connect ${url} ${apiKey}`);
  setLimit = (limit: number | null) => this.#note(`setLimit ${String(limit)}`);
  setSchedule = (rules: string[]) => this.#note(`setSchedule ${rules.join("; ")}`);
  setUploads = (uploads: number) => this.#note(`setUploads ${String(uploads)}`);
  signIn = async (url: string) => {
    await this.#note(`signIn ${url}`);
    return new Promise<boolean>((resolve) => {
      this.endSignIn = resolve;
    });
  };
  endSignIn: (done: boolean) => void = () => undefined;
  cancelSignIn = () => this.#note("cancelSignIn");
  copySignInPage = () => this.#note("copySignInPage");
  forget = (url: string) => this.#note(`forget ${url}`);
  chooseTeam = (url: string) => this.#note(`chooseTeam ${url}`);
  turnOffServer = () => this.#note("turnOffServer");
  serverFolder = async () => ({ path: "/home/mia/server", bytes: 48.3e9 });
  prefer = (preferences: Preferences) => this.#note(`prefer ${JSON.stringify(preferences)}`);
  startAtLogin = (on: boolean) => this.#note(`startAtLogin ${String(on)}`);
  openFolder = (folder: string) => this.#note(`openFolder ${folder}`);
  copyDiagnosis = () => this.#note("copyDiagnosis");
  wanted: Opening | null = null;
  opening = async () => {
    const { wanted } = this;
    this.wanted = null;
    return wanted;
  };
  open: () => void = () => undefined;
  onOpening = async (onOpening: () => void) => {
    this.open = onOpening;
    return () => undefined;
  };
  restart = () => this.#note("restart");
  quit = () => this.#note("quit");
  lookForUpdate = () => this.#note("lookForUpdate");
  installUpdate = async (interrupt: boolean) => {
    await this.#note(`installUpdate ${String(interrupt)}`);
    return interrupt;
  };
  targets = async () => [{ projectId: "q", project: "Harbour", team: "North Studio" }];
  setDestination = (projectId: string) => this.#note(`setDestination ${projectId}`);
  playback = async () => aSession();
  localPlayback = async (id: string) => {
    await this.#note(`localPlayback ${id}`);
    return { ...aSession(), form: "local" as const };
  };
  library = async (): Promise<LibraryView> => ({ kind: "projects", projects: [aProject()] });
  videos = async () => ({ videos: this.team, next: null });
  team: VideoView[] = [];
  playVideo = async (videoId: string) => {
    await this.#note(`playVideo ${videoId}`);
    return aSession();
  };
  poster = async () => null;
  links: ShareLinkView[] = [];
  shareLinks = async () => this.links;
  share = (videoId: string, link: NewShareLink) => this.#note(`share ${videoId} ${JSON.stringify(link)}`);
  copyShareLink = (videoId: string, linkId: string) => this.#note(`copyShareLink ${videoId} ${linkId}`);
  revoke = (linkId: string) => this.#note(`revoke ${linkId}`);
  download = async (videoId: string) => {
    await this.#note(`download ${videoId}`);
    return 1;
  };
  tellDownloads: (all: DownloadView[]) => void = () => undefined;
  downloads = async (): Promise<DownloadView[]> => [];
  onDownloads = async (onDownloads: (all: DownloadView[]) => void) => {
    this.tellDownloads = onDownloads;
    return () => undefined;
  };
  downloadAgain = (id: number) => this.#note(`downloadAgain ${String(id)}`);
  removeDownload = (id: number) => this.#note(`removeDownload ${String(id)}`);
  showDownload = (id: number) => this.#note(`showDownload ${String(id)}`);
  showInFolder = (id: string) => this.#note(`showInFolder ${id}`);
  copyLinks = (ids: string[]) => this.#note(`copyLinks ${ids.join()}`);
  parts = async () => ({ count: 4, partSize: 1000, confirmed: 1, runs: [100, 0, 0, 0] });
  history = async (id: string) => {
    await this.#note(`history ${id}`);
    return this.episodes;
  };
  receipt = (): Promise<ReceiptView> => Promise.reject({ code: "wrong_state", message: "not finished" });
  copyReport = async (text: string) => {
    this.report = text;
    await this.#note("copyReport");
  };
  activity = async (search: string, before: EndedBefore | null) => {
    await this.#note(`activity ${search}`);
    if (before) return [];
    return this.ended.filter(({ title }) => title.includes(search));
  };
  exportActivity = async (search: string, form: string) => {
    await this.#note(`exportActivity ${form} ${search}`);
    return 2;
  };
}
