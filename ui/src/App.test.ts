import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { aFolder } from "../tests/folders";
import { aDownload, aLink, aProject, aSession, aVideo } from "../tests/library";
import { anUpload, NOW } from "../tests/uploads";
import App from "./App.svelte";
import type { Change } from "./bindings/Change";
import type { ConnectionView } from "./bindings/ConnectionView";
import type { DownloadView } from "./bindings/DownloadView";
import type { DragView } from "./bindings/DragView";
import type { FolderView } from "./bindings/FolderView";
import type { Opening } from "./bindings/Opening";
import type { Preferences } from "./bindings/Preferences";
import type { Rules } from "./bindings/Rules";
import type { EndedBefore } from "./bindings/EndedBefore";
import type { EndedView } from "./bindings/EndedView";
import type { Episode } from "./bindings/Episode";
import type { LibraryView } from "./bindings/LibraryView";
import type { NewShareLink } from "./bindings/NewShareLink";
import type { ReceiptView } from "./bindings/ReceiptView";
import type { ShareLinkView } from "./bindings/ShareLinkView";
import type { ShellView } from "./bindings/ShellView";
import type { UploadView } from "./bindings/UploadView";
import type { VideoView } from "./bindings/VideoView";
import type { Host } from "./host/host";

const CONNECTED: ConnectionView = {
  kind: "connected",
  url: "https://team.example/",
  protocol: "video_actions",
  reachable: true,
  destination: { projectId: "p", project: "Spring / Rushes", team: "North Studio" },
};

const SHELL: ShellView = {
  engine: "works",
  server: { kind: "off" },
  teams: [{ url: "https://team.example/", openedBy: "kept_key" }],
  preferences: {
    theme: "system",
    language: "system",
    notifyReady: true,
    notifyNeeds: true,
    notifySent: true,
    detailedLog: false,
    checkUpdates: true,
  },
  startsAtLogin: false,
  update: { version: "0.1.0", state: { kind: "none", lookedAt: null } },
};

/** A host that notes what it is asked for; the test sends the news. */
class Recorder implements Host {
  readonly asked: string[] = [];
  change: (news: Change["news"]) => void = () => undefined;
  drag: (drag: DragView | null) => void = () => undefined;
  shellView: ShellView = SHELL;
  refusal: { code: "signed_out" | "refused"; message: string } | null = null;
  episodes: Episode[] = [{ number: 0, at: NOW, lastAt: NOW, times: 1, event: { kind: "added" } }];
  ended: EndedView[] = [];
  report = "";
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
    return { uploads: [], refused: [{ path: "/x/notes.txt", code: "unsupported_type" as const }] };
  };
  pause = (ids: string[]) => this.#note(`pause ${ids.join()}`);
  resume = (ids: string[]) => this.#note(`resume ${ids.join()}`);
  cancel = (ids: string[]) => this.#note(`cancel ${ids.join()}`);
  retry = (ids: string[]) => this.#note(`retry ${ids.join()}`);
  sendAnyway = (ids: string[]) => this.#note(`sendAnyway ${ids.join()}`);
  remove = (ids: string[]) => this.#note(`remove ${ids.join()}`);
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
  preview = async () => ({ goes: 0, bytes: 0, stays: 0, files: [] });
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
  copyLink = (id: string) => this.#note(`copyLink ${id}`);
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

const QUEUE = [
  anUpload({
    id: "a",
    title: "a.mov",
    phase: "uploading",
    active: true,
    progress: { confirmedBytes: 610, inFlightBytes: 90 },
  }),
  anUpload({ id: "b", title: "b.mov" }),
  anUpload({ id: "c", title: "c.mov", hold: { kind: "needs_user", code: "quota_exceeded" } }),
  anUpload({ id: "d", title: "d.mov", phase: "ready", videoId: "v", uploadedAt: NOW }),
];

beforeEach(() => {
  // jsdom lays nothing out: without a height the list would have no row in sight.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(700);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  return () => vi.useRealTimers();
});

async function queue(host = new Recorder(QUEUE)): Promise<Recorder> {
  render(App, { host });
  await screen.findByRole("grid");
  return host;
}

function row(title: string): HTMLElement {
  const found = screen.getByText(title).closest<HTMLElement>("[data-upload]");
  if (!found) throw new Error(`no row of ${title}`);
  return found;
}

describe("the queue", () => {
  it("shows groups, states and the bar's value in words", async () => {
    await queue();
    const headings = screen.getAllByRole("heading", { level: 2 }).map(({ textContent }) => textContent);
    expect(headings).toEqual(["Uploading 1", "Needs you 1", "Waiting 1", "Done today 1"]);
    const bar = within(row("a.mov")).getByRole("progressbar");
    expect(bar).toHaveProperty("ariaValueNow", "61");
    expect(bar.getAttribute("aria-valuetext")).toBe("61%, 0 of 1 kB confirmed");
    expect(row("b.mov").textContent).toContain("Next");
    expect(row("c.mov").textContent).toContain("Your team’s storage is full.");
    expect(row("d.mov").textContent).toContain("Ready");
  });

  it("does what its buttons say", async () => {
    const host = await queue();
    const user = userEvent.setup();
    await user.click(within(row("a.mov")).getAllByRole("button", { name: "Pause" })[0] as HTMLElement);
    await user.click(within(row("c.mov")).getByRole("button", { name: "Retry now" }));
    await user.click(within(row("d.mov")).getAllByRole("button", { name: "Copy link" })[0] as HTMLElement);
    await user.click(screen.getByRole("button", { name: "Pause all" }));
    expect(host.asked).toEqual(["pause a", "retry c", "copyLink d", "pauseAll"]);
    await screen.findByText("Link copied");
  });

  it("works by keyboard alone: move, select, pause, cancel after a question", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}");
    expect(row("a.mov").getAttribute("aria-selected")).toBe("true");
    await user.keyboard(" ");
    await user.keyboard("{Shift>}{ArrowDown}{ArrowDown}{/Shift}{Delete}");
    await user.click(await screen.findByText("Cancel uploads"));
    expect(host.asked).toEqual(["pause a", "cancel a,c,b"]);
    screen.getByRole("grid").focus();
    await user.keyboard("{End}{Shift>}{F10}{/Shift}");
    const menu = await screen.findByRole("menu");
    expect(
      within(menu)
        .getAllByRole("menuitem")
        .map(({ textContent }) => textContent.trim()),
    ).toEqual(["Play", "Copy link", "Details", "Show in folder", "Remove from list"]);
    await user.keyboard("{End}{Enter}");
    expect(host.asked.at(-1)).toBe("remove d");
  });

  it("says why nothing is sent, and sends all the same", async () => {
    const host = await queue();
    const user = userEvent.setup();
    host.change({ kind: "allowance", allowance: { kind: "limit", bytesPerSecond: 4e6 } });
    await screen.findByRole("button", { name: "Speed limit: At most 4.0 MB/s" });
    const until = NOW + 3_600_000;
    host.change({ kind: "allowance", allowance: { kind: "schedule", until } });
    await screen.findByText(/^The schedule lets nothing be sent until \d\d:\d\d\.$/);
    expect(screen.queryByRole("button", { name: "Send all the same" })).toBeNull();
    host.change({ kind: "allowance", allowance: { kind: "metered" } });
    await screen.findByText("This network is metered: nothing is sent over it.");
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "uploading", progress: { confirmedBytes: 610 } })],
    });
    await waitFor(() => expect(row("a.mov").textContent).toContain("Waiting for another network"));
    await user.click(screen.getByRole("button", { name: "Send all the same" }));
    expect(host.asked).toEqual(["sendHere"]);
    host.change({ kind: "allowance", allowance: { kind: "full" } });
    await waitFor(() => expect(screen.queryByText(/metered/)).toBeNull());
  });

  it("follows the news and tells what ended", async () => {
    const host = await queue();
    const progress = {
      totalBytes: 1000,
      confirmedBytes: 800,
      inFlightBytes: 0,
      bytesPerSecond: 5,
      secondsLeft: 60,
    };
    host.change({ kind: "progress", uploads: [{ id: "a", progress }] });
    await waitFor(() => expect(within(row("a.mov")).getByText("80%")).toBeTruthy());
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "ready", uploadedAt: NOW })],
    });
    await waitFor(() => expect(screen.getByRole("log").textContent).toBe("a.mov is ready."));
    host.change({ kind: "removed", ids: ["a"] });
    await waitFor(() => expect(screen.queryByText("a.mov")).toBeNull());
  });

  it("says in words why a command was refused, and which files were not taken", async () => {
    const host = await queue();
    await fireEvent.keyDown(window, { key: "o", ctrlKey: true });
    await screen.findByText("1 file was not added");
    host.refusal = { code: "signed_out", message: "401" };
    await userEvent.click(screen.getByRole("button", { name: "Pause all" }));
    await screen.findByText("The key or the sign-in is no longer valid.");
  });

  it("shows what a drag would add", async () => {
    const host = await queue();
    host.drag({ videos: 12, others: 2 });
    await screen.findByText("Drop to add 12 videos");
    expect(screen.getByText("2 files are no videos and stay")).toBeTruthy();
    host.drag(null);
    await waitFor(() => expect(screen.queryByText("Drop to add 12 videos")).toBeNull());
  });

  it("changes where new files go", async () => {
    const host = await queue();
    await userEvent.click(screen.getByRole("button", { name: /New files go to/ }));
    await userEvent.click(await screen.findByRole("radio", { name: "Harbour" }));
    expect(host.asked).toEqual(["setDestination q"]);
  });

  it("tells that the key lives in memory, until it is told to be quiet", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, teams: [{ url: "https://team.example/", openedBy: "key_in_memory" }] };
    await queue(host);
    const words = await screen.findByText(/this computer has no keychain/);
    await userEvent.click(within(words.closest(".banner") as HTMLElement).getByRole("button"));
    expect(screen.queryByText(/this computer has no keychain/)).toBeNull();
  });
});

describe("watched folders", () => {
  async function folders(watched: FolderView[]): Promise<Recorder> {
    const host = new Recorder(QUEUE);
    host.watched = watched;
    await queue(host);
    await userEvent.click(screen.getByRole("link", { name: /Watched folders/ }));
    return host;
  }

  it("are paused, let go of after a question, and follow the news", async () => {
    const host = await folders([aFolder({ standing: { sent: 3, queued: 1 } })]);
    const user = userEvent.setup();
    const card = within(await screen.findByRole("listitem", { name: "card" }));
    expect(card.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      "Goes to North Studio / Spring / Rushes",
      "1 in the queue",
      "3 with your team",
    ]);
    await user.click(card.getByRole("switch", { name: "Watch card" }));
    await user.click(card.getByRole("button", { name: "Stop watching card" }));
    await user.click(screen.getByText("Stop watching"));
    expect(host.asked).toEqual(["changeFolder f null paused", "removeFolder f"]);
    host.watched = [aFolder({ standing: { sight: { kind: "not_there" } } })];
    host.change({ kind: "folders" });
    await screen.findByText("Drive not connected");
    expect(screen.getByRole("link", { name: /Watched folders/ }).textContent).toContain("1");
    host.watched = [];
    host.change({ kind: "folders" });
    await screen.findByText("Footage that uploads itself");
  });

  it("are added by the system's dialog, with rules that make sense", async () => {
    const host = await folders([]);
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Watch a folder…" }));
    await screen.findByRole("heading", { name: "Watch “new”" });
    await user.click(screen.getByRole("radio", { name: "Goes up, too" }));
    const include = screen.getByLabelText("Only files like");
    const start = (): HTMLButtonElement => screen.getByRole("button", { name: "Start watching" });
    await user.type(include, "[[x");
    await screen.findByText("This is no pattern: [x");
    expect(start().disabled).toBe(true);
    await user.clear(include);
    await user.type(include, "*.mov");
    await waitFor(() => expect(start().disabled).toBe(false));
    host.refusal = { code: "signed_out", message: "401" };
    await user.click(start());
    await screen.findByText("The key or the sign-in is no longer valid.");
    host.refusal = null;
    await user.click(start());
    expect(host.asked.at(-1)).toBe("addFolder p send *.mov");
    await screen.findByText("Footage that uploads itself");
  });
});

describe("settings", () => {
  it("turn what was turned, and stay as they are when it is refused", async () => {
    const host = await queue();
    const user = userEvent.setup();
    const set = await host.rules();
    host.rules = async () => ({ ...set });
    await user.keyboard("{Control>},{/Control}");
    const metered = await screen.findByRole("switch", { name: "Pause on metered networks" });
    expect(metered.getAttribute("aria-checked")).toBe("true");
    set.pauseOnMetered = false;
    await user.click(metered);
    await waitFor(() => expect(metered.getAttribute("aria-checked")).toBe("false"));
    host.refusal = { code: "signed_out", message: "" };
    await user.click(screen.getByRole("switch", { name: "Pause on battery" }));
    await screen.findByText("The key or the sign-in is no longer valid.");
    expect(host.asked).toEqual(["turn pause_on_metered false", "turn pause_on_battery true"]);
  });

  async function settings(host = new Recorder(QUEUE)): Promise<Recorder> {
    await queue(host);
    await userEvent.keyboard("{Control>},{/Control}");
    await screen.findByRole("heading", { name: "Teams and sign-in" });
    return host;
  }

  it("sign out of a team after saying what waits for it", async () => {
    const waiting = QUEUE.map((upload) => ({ ...upload, server: "https://team.example/" }));
    const host = await settings(new Recorder(waiting));
    const user = userEvent.setup();
    const team = screen.getByRole("group", { name: "Actions for team.example" });
    expect(screen.getByText("North Studio · Spring / Rushes")).toBeTruthy();
    expect(screen.getByText("Connected")).toBeTruthy();
    expect(within(team).queryByRole("button", { name: "Send new files here" })).toBeNull();
    await user.click(within(team).getByRole("button", { name: "Sign out…" }));
    const question = await screen.findByRole("dialog", { name: "Sign out of team.example?" });
    expect(question.textContent).toMatch(/\d uploads stay in the queue and wait until you sign in again/);
    expect(host.asked).toEqual([]);
    await user.click(within(question).getByRole("button", { name: "Sign out" }));
    expect(host.asked).toEqual(["forget https://team.example/"]);
  });

  it("sign in again where a team refuses, in the way that it was done", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, teams: [{ url: "https://team.example/", openedBy: "browser" }] };
    await settings(host);
    const user = userEvent.setup();
    const refused = { kind: "refused", url: "https://team.example/", code: "signed_out" } as const;
    host.change({ kind: "connection", connection: refused, connections: [refused] });
    await user.click(await screen.findByRole("button", { name: "Sign in again…" }));
    const dialog = await screen.findByRole("dialog", { name: "Sign in again" });
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    await within(dialog).findByText(/Go on in your browser/);
    await user.click(within(dialog).getByRole("button", { name: "Copy the page’s address" }));
    await within(dialog).findByRole("button", { name: "Address copied" });
    await user.click(within(dialog).getByRole("button", { name: "Stop waiting" }));
    host.endSignIn(false);
    await user.click(await within(dialog).findByRole("button", { name: "Sign in in the browser" }));
    host.endSignIn(true);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    const url = "signIn https://team.example/";
    expect(host.asked).toEqual([url, "copySignInPage", "cancelSignIn", url]);
  });

  it("wait no more for the browser when the dialog is closed", async () => {
    const host = await settings();
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Add a team…" }));
    const dialog = await screen.findByRole("dialog", { name: "Add a team" });
    await user.type(within(dialog).getByLabelText("Address of the team server"), "team.example");
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    expect((await within(dialog).findByRole("alert")).textContent).toContain("https://");
    await user.clear(within(dialog).getByLabelText("Address of the team server"));
    await user.type(within(dialog).getByLabelText("Address of the team server"), "https://b.example");
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    await within(dialog).findByText(/Go on in your browser/);
    await fireEvent(dialog, new Event("cancel", { cancelable: true }));
    await waitFor(() => expect(host.asked).toEqual(["signIn https://b.example", "cancelSignIn"]));
  });

  it("make a schedule of whole rules only", async () => {
    const host = await settings();
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Add a rule" }));
    expect(host.asked).toEqual(["setSchedule mon,tue,wed,thu,fri 09:00-18:00 5M"]);
    const rule = screen.getByRole("group", { name: "Rule 1" });
    for (const day of ["Mon", "Tue", "Wed", "Thu", "Fri"]) {
      await user.click(within(rule).getByRole("button", { name: day }));
    }
    expect((await within(rule).findByRole("alert")).textContent).toBe("Choose a day.");
    expect(host.asked.at(-1)).toBe("setSchedule fri 09:00-18:00 5M");
    await user.click(within(rule).getByRole("button", { name: "Sun" }));
    await user.selectOptions(within(rule).getByRole("combobox"), "Nothing is sent");
    await user.clear(within(rule).getByLabelText("From"));
    await user.type(within(rule).getByLabelText("From"), "25{Tab}");
    expect((await within(rule).findByRole("alert")).textContent).toContain("such as 09:00");
    await user.clear(within(rule).getByLabelText("From"));
    await user.type(within(rule).getByLabelText("From"), "22{Tab}");
    await within(rule).findByText("the next day");
    expect(host.asked.at(-1)).toBe("setSchedule sun 22:00-18:00 pause");
    await user.click(within(rule).getByRole("button", { name: "Remove rule 1" }));
    expect(host.asked.at(-1)).toBe("setSchedule ");
    await screen.findByText("No schedule: uploads go at any time.");
  });

  it("limit the speed, from the queue too", async () => {
    const host = await settings();
    const user = userEvent.setup();
    const limit = await screen.findByRole("combobox", { name: "Speed limit" });
    await user.selectOptions(limit, "5.0 MB/s");
    await user.selectOptions(limit, "Another…");
    const typed = screen.getByRole("textbox", { name: "Megabytes a second" });
    await user.clear(typed);
    await user.type(typed, "-3{Tab}");
    await screen.findByText("Type a number above zero.");
    await user.clear(typed);
    await user.type(typed, "2,5{Tab}");
    await user.keyboard("{Control>}1{/Control}");
    await user.click(await screen.findByRole("button", { name: "Speed limit: No limit" }));
    const menu = await screen.findByRole("menu", { name: "Speed limit" });
    const none = within(menu).getByRole("menuitemradio", { name: "No limit" });
    expect(none.getAttribute("aria-checked")).toBe("true");
    await user.click(within(menu).getByRole("menuitemradio", { name: "20.0 MB/s" }));
    expect(host.asked).toEqual(["setLimit 5000000", "setLimit 2500000", "setLimit 20000000"]);
  });

  it("speak another language at once", async () => {
    const host = await settings();
    let tell: (shell: ShellView) => void = () => undefined;
    host.onShell = async (onShell: (shell: ShellView) => void) => {
      tell = onShell;
      return () => undefined;
    };
    cleanup();
    await settings(host);
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Language" }), "Deutsch");
    const preferences = { ...SHELL.preferences, language: "de" as const };
    expect(host.asked).toEqual([`prefer ${JSON.stringify(preferences)}`]);
    tell({ ...SHELL, preferences });
    await screen.findByRole("heading", { name: "Teams und Anmeldung" });
    tell(SHELL);
    await screen.findByRole("heading", { name: "Teams and sign-in" });
  });

  it("turn the server here off after a question", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, server: { kind: "running", url: "http://127.0.0.1:4310/" } };
    await settings(host);
    await screen.findByText("48.3 GB");
    await userEvent.click(screen.getByRole("switch", { name: "Run a team server here" }));
    const question = await screen.findByRole("dialog", { name: "Turn the team server off?" });
    await userEvent.click(within(question).getByRole("button", { name: "Turn off" }));
    expect(host.asked).toEqual(["turnOffServer"]);
  });
});

describe("what comes from outside the window", () => {
  it("opens what somebody chose there: plays what can be played, shows the details of the rest", async () => {
    const host = new Recorder(QUEUE);
    host.wanted = { kind: "upload", id: "a" };
    await queue(host);
    await screen.findByRole("complementary", { name: "Details of a.mov" });
    host.wanted = { kind: "video", server: "https://other.example/", videoId: "v" };
    host.open();
    await screen.findByText("This video is not in your queue");
  });

  it("shows that the engine broke, and starts again", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, engine: "broke" };
    render(App, { host });
    await screen.findByRole("heading", { name: "Dailies has to start again" });
    await userEvent.click(screen.getByRole("button", { name: "Start again" }));
    expect(host.asked).toEqual(["restart"]);
  });
});

describe("details", () => {
  const panel = (title: string) => screen.findByRole("complementary", { name: `Details of ${title}` });

  it("open by keyboard, follow it through the list, and close", async () => {
    const host = await queue();
    host.episodes = [
      ...host.episodes,
      {
        number: 1,
        at: NOW,
        lastAt: NOW,
        times: 3,
        event: { kind: "failed", why: { kind: "server_fault", status: 503 }, then: "backoff" },
      },
    ];
    const user = userEvent.setup();
    const list = screen.getByRole("grid");
    list.focus();
    await user.keyboard("{Home}{Control>}i{/Control}");
    const first = await panel("a.mov");
    await within(first).findByText(/The server had a fault \(503\)/);
    const map = within(first).getByRole("progressbar");
    expect(map.getAttribute("aria-valuetext")).toBe("25%, 1 of 4 parts confirmed");
    expect(map.children).toHaveLength(4);
    expect(document.activeElement).toBe(list);
    await user.keyboard("{ArrowDown}");
    await panel("c.mov");
    expect(host.asked).toEqual(["history a", "history c"]);
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary", { name: /^Details/ })).toBeNull();
    expect(row("c.mov").getAttribute("aria-selected")).toBe("true");
  });

  it("play the file on this computer until the team has made something of it", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}{Control>}i{/Control}");
    await user.click(within(await panel("a.mov")).getByRole("button", { name: "Play the local file" }));
    const player = await screen.findByRole("dialog", { name: "Player: a.mov" });
    await within(player).findByText("The file on this computer");
    expect(player.querySelector("video")?.src).toBe(aSession().url);
    const [a] = QUEUE;
    if (a) host.change({ kind: "uploads", uploads: [{ ...a, phase: "finishing" }] });
    await within(await panel("a.mov")).findByText("Finishing");
    expect(host.asked.filter((what) => what.startsWith("localPlayback"))).toEqual(["localPlayback a"]);
  });

  it("play what the team has made as soon as it is ready", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{End}{Control>}i{/Control}");
    const done = within(await panel("d.mov"));
    expect(done.queryByText(/the file on this computer plays/)).toBeNull();
    await user.click(done.getByRole("button", { name: "Play" }));
    await screen.findByRole("dialog", { name: "Player: d.mov" });
    expect(screen.queryByText("The file on this computer")).toBeNull();
    expect(host.asked).not.toContain("localPlayback d");
  });

  it("are copied as a report, and give the keyboard back to the list", async () => {
    const host = await queue();
    const user = userEvent.setup();
    await user.pointer({ keys: "[MouseRight]", target: row("b.mov") });
    await user.click(await screen.findByRole("menuitem", { name: "Details" }));
    const details = await panel("b.mov");
    await waitFor(() =>
      expect(within(details).getByRole("button", { name: "Copy report" })).toHaveProperty("disabled", false),
    );
    await user.click(within(details).getByRole("button", { name: "Copy report" }));
    await screen.findByText("Report copied");
    expect(host.report).toContain("Upload id: b");
    await user.click(within(details).getByRole("button", { name: "Close details" }));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("grid")));
  });
});

describe("activity", () => {
  const ended = (id: string, more: Partial<EndedView>): EndedView => ({
    uploadId: id,
    title: `${id}.mov`,
    path: `/footage/${id}.mov`,
    server: "https://team.example/",
    destination: { projectId: "p", project: "Spring / Rushes", team: "North Studio" },
    size: 1000,
    ending: { kind: "uploaded" },
    addedAt: NOW,
    endedAt: NOW,
    listed: false,
    receipt: null,
    ...more,
  });

  async function activity(): Promise<Recorder> {
    const host = new Recorder(QUEUE);
    host.ended = [
      ended("one", {}),
      ended("two", { endedAt: NOW - 86_400_000, ending: { kind: "cancelled" } }),
      ended("three", { endedAt: NOW - 5 * 86_400_000, ending: { kind: "failed", code: "empty_file" } }),
    ];
    await queue(host);
    await userEvent.setup().keyboard("{Control>}4{/Control}");
    await screen.findByRole("listbox");
    return host;
  }

  it("shows by day how each ended, and searches", async () => {
    const host = await activity();
    const list = screen.getByRole("listbox");
    const text = [...list.querySelectorAll("h2, [role=option] .word")].map((one) => one.textContent.trim());
    expect(text).toEqual([
      "Today",
      "Uploaded",
      "Yesterday",
      "Cancelled",
      "Sunday, November 15",
      "Could not be uploaded",
    ]);
    await userEvent.setup().type(screen.getByRole("searchbox"), "three");
    await waitFor(() => expect(within(list).getAllByRole("option")).toHaveLength(1));
    await userEvent.setup().type(screen.getByRole("searchbox"), "x");
    await screen.findByText("Nothing found for “threex”");
    await userEvent.setup().click(screen.getByRole("button", { name: "Clear the search" }));
    await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(3));
    expect(host.asked.filter((one) => one.startsWith("activity")).length).toBeLessThan(9);
  });

  it("is walked through by keyboard, with details beside it", async () => {
    await activity();
    const user = userEvent.setup();
    screen.getByRole("listbox").focus();
    await user.keyboard("{Home}{ArrowDown}{Enter}");
    await screen.findByRole("complementary", { name: "Details of two.mov" });
    await user.keyboard("{ArrowDown}");
    await screen.findByRole("complementary", { name: "Details of three.mov" });
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary", { name: /^Details/ })).toBeNull();
  });

  it("is exported as it is searched, without a path", async () => {
    const host = await activity();
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Export…" }));
    await user.click(await screen.findByRole("menuitem", { name: "As CSV…" }));
    await screen.findByText("2 uploads exported");
    expect(host.asked.at(-1)).toBe("exportActivity csv ");
  });

  it("takes in what ends while it is looked at", async () => {
    const host = await activity();
    host.ended = [ended("zero", {}), ...host.ended];
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "ready", uploadedAt: NOW })],
    });
    await screen.findByText("zero.mov", undefined, { timeout: 5_000 });
  });
});

describe("first run", () => {
  it("starts the server here, or connects by a key that it has checked for form", async () => {
    const host = new Recorder([], { kind: "none" });
    render(App, { host });
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Use this computer" }));
    const card = within(screen.getByRole("region", { name: "Paste an API key" }));
    await user.type(card.getByLabelText("Address of the team server"), "team.example");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(card.getByRole("alert").textContent).toContain("https://");
    await user.clear(card.getByLabelText("Address of the team server"));
    await user.type(card.getByLabelText("Address of the team server"), "https://team.example");
    await user.type(screen.getByLabelText("API key"), " key ");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(host.asked).toEqual(["useThisComputer", "connect https://team.example key"]);
  });

  it("keeps the address and says why when the key is refused", async () => {
    const host = new Recorder([], { kind: "none" });
    host.refusal = { code: "signed_out", message: "401" };
    render(App, { host });
    const user = userEvent.setup();
    const card = within(await screen.findByRole("region", { name: "Paste an API key" }));
    await user.type(card.getByLabelText("Address of the team server"), "https://team.example");
    await user.type(screen.getByLabelText("API key"), "wrong");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect((await screen.findByRole("alert")).textContent).toContain(
      "The key or the sign-in is no longer valid.",
    );
  });
});

describe("first run in the browser", () => {
  it("signs in, and says where there is no such sign-in", async () => {
    const host = new Recorder([], { kind: "none" });
    host.refusal = { code: "refused", message: "none" };
    render(App, { host });
    const user = userEvent.setup();
    const card = within(await screen.findByRole("region", { name: "Sign in to your team" }));
    await user.type(card.getByLabelText("Address of the team server"), "https://team.example");
    await user.click(card.getByRole("button", { name: "Sign in in the browser" }));
    expect((await card.findByRole("alert")).textContent).toContain("Use an API key");
    host.refusal = null;
    await user.click(card.getByRole("button", { name: "Sign in in the browser" }));
    await card.findByText(/Go on in your browser/);
    expect(host.asked).toEqual(["signIn https://team.example", "signIn https://team.example"]);
  });
});

describe("a queue that cannot be opened", () => {
  it("says why and opens when it can", async () => {
    const host = new Recorder(QUEUE);
    const everything = host.everything;
    host.everything = async () => {
      throw { code: "profile_in_use", message: "locked" };
    };
    render(App, { host });
    await screen.findByText(/Another Dailies works on this queue/);
    host.everything = everything;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("grid");
  });

  it("stays in sight with a word about it when it stops later", async () => {
    const host = await queue();
    const everything = host.everything;
    host.everything = async () => {
      throw { code: "stopped", message: "gone" };
    };
    host.skip();
    host.change({ kind: "removed", ids: [] });
    await screen.findByText("The part of Dailies that uploads has stopped.");
    expect(row("a.mov")).toBeTruthy();
    host.everything = everything;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() =>
      expect(screen.queryByText("The part of Dailies that uploads has stopped.")).toBeNull(),
    );
  });
});

describe("the library", () => {
  async function library(team = [aVideo()], host = new Recorder(QUEUE)): Promise<Recorder> {
    host.team = team;
    await queue(host);
    await userEvent.keyboard("{Control>}3{/Control}");
    await screen.findByRole("grid", { name: "Videos of Rushes" });
    return host;
  }

  const card = (name: RegExp) => screen.getByRole("gridcell", { name });

  it("shows the videos of the project that new files go to, by their states", async () => {
    await library([
      aVideo(),
      aVideo({ id: "w", title: "take", state: "processing", duration: null }),
      aVideo({ id: "x", title: "broken", state: "failed", version: 2 }),
    ]);
    expect(within(card(/^reel Mia Lund/)).getByText("1:24")).toBeTruthy();
    expect(within(card(/^take/)).getByText("Processing")).toBeTruthy();
    const broken = within(card(/^broken v2/));
    expect(broken.getByText("No playable version")).toBeTruthy();
    expect(broken.queryByRole("button", { name: "Download original…" })).toBeNull();
    expect(screen.getByText("3 videos")).toBeTruthy();
  });

  it("plays, shares and downloads by keyboard alone", async () => {
    const host = await library([aVideo({ id: "u", title: "coming", state: "uploading" }), aVideo()]);
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Home}{Enter}");
    expect(host.asked).not.toContain("playVideo u");
    expect(screen.getByText(/“coming” is still being uploaded/)).toBeTruthy();
    await userEvent.keyboard("{ArrowRight}{Enter}");
    await waitFor(() => {
      expect(host.asked).toContain("playVideo v");
    });
    const player = within(screen.getByRole("dialog", { name: "Player: reel" }));
    await userEvent.click(player.getByRole("button", { name: "Download original…" }));
    expect(host.asked).toContain("download v");
    await userEvent.click(player.getByRole("button", { name: "Close" }));
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{F10}{/Shift}");
    await userEvent.click(await screen.findByRole("menuitem", { name: "Share…" }));
    await screen.findByRole("dialog", { name: "Share “reel”" });
  });

  it("shares by a link whose words somebody chose, and takes links back after a question", async () => {
    const host = new Recorder(QUEUE);
    host.links = [aLink({ hasPassword: true, views: 2 }), aLink({ id: "old", isExpired: true })];
    await library([aVideo()], host);
    await userEvent.click(screen.getByRole("button", { name: "Share…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Share “reel”" }));
    expect(await dialog.findByText("without an end · with a password · opened 2 times")).toBeTruthy();
    expect(dialog.getAllByRole("button", { name: /^Copy link of/ })).toHaveLength(1);
    await userEvent.selectOptions(dialog.getByLabelText("The link ends"), "after a day");
    await userEvent.type(dialog.getByLabelText("Password"), "harbour");
    await userEvent.click(dialog.getByLabelText("The original may be downloaded"));
    await userEvent.click(dialog.getByRole("button", { name: "Create and copy link" }));
    const link = { expiresInDays: 1, allowDownload: true, password: "harbour" };
    expect(host.asked).toContain(`share v ${JSON.stringify(link)}`);
    expect(await dialog.findByText("Link created and copied")).toBeTruthy();
    expect(dialog.getByLabelText<HTMLInputElement>("Password").value).toBe("");
    await userEvent.click(dialog.getAllByRole("button", { name: /^Revoke the link of/ })[0] as HTMLElement);
    expect(host.asked).not.toContain("revoke l");
    await userEvent.click(dialog.getByRole("button", { name: "Revoke it" }));
    expect(host.asked).toContain("revoke l");
  });

  it("offers viewers nothing that they may not do", async () => {
    const host = new Recorder(QUEUE);
    host.library = async () => ({ kind: "projects", projects: [aProject({ mayShare: false })] });
    await library([aVideo()], host);
    expect(screen.queryByRole("button", { name: "Share…" })).toBeNull();
    expect(screen.getByRole("button", { name: "Download original…" })).toBeTruthy();
  });

  it("speaks of a refusal without naming uploads", async () => {
    const host = await library();
    host.refusal = { code: "signed_out", message: "" };
    await userEvent.click(screen.getByRole("button", { name: "Download original…" }));
    expect(await screen.findByText("The key is no longer valid.")).toBeTruthy();
    expect(screen.getByText("Connect again with a new key from your team’s settings.")).toBeTruthy();
  });

  it("says calmly that a server lists no videos", async () => {
    const host = new Recorder(QUEUE);
    host.library = async () => ({ kind: "unlisted" });
    await queue(host);
    await userEvent.keyboard("{Control>}3{/Control}");
    expect(await screen.findByText("This server lists no videos")).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows downloads as they go, and what can be done with each", async () => {
    const host = await library();
    host.tellDownloads([
      aDownload(),
      aDownload({ id: 2, title: "harbour", state: { kind: "failed", code: "local_storage" } }),
      aDownload({ id: 3, title: "slate", state: { kind: "done", verified: true } }),
    ]);
    const list = within(await screen.findByRole("region", { name: "Downloads" }));
    expect(list.getByRole("progressbar").getAttribute("aria-valuetext")).toBe("25%, 0.3 of 1.2 GB");
    expect(list.getByText(/^Stopped: This disk is full or refuses to write\./)).toBeTruthy();
    await userEvent.click(list.getByRole("button", { name: "Try again: harbour" }));
    await userEvent.click(list.getByRole("button", { name: "Show slate in its folder" }));
    await userEvent.click(list.getByRole("button", { name: "Stop downloading reel" }));
    expect(host.asked.slice(-3)).toEqual(["downloadAgain 2", "showDownload 3", "removeDownload 1"]);
    expect(list.getByRole("status").textContent).toBe("“slate” is saved");
  });
});
