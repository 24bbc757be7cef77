import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { aFolder } from "../tests/folders";
import { anUpload, NOW } from "../tests/uploads";
import App from "./App.svelte";
import type { Change } from "./bindings/Change";
import type { ConnectionView } from "./bindings/ConnectionView";
import type { DragView } from "./bindings/DragView";
import type { FolderView } from "./bindings/FolderView";
import type { Rules } from "./bindings/Rules";
import type { ShellView } from "./bindings/ShellView";
import type { UploadView } from "./bindings/UploadView";
import type { Host } from "./host/host";

const CONNECTED: ConnectionView = {
  kind: "connected",
  url: "https://team.example",
  destination: { projectId: "p", project: "Spring / Rushes", team: "North Studio" },
};

/** A host that notes what it is asked for; the test sends the news. */
class Recorder implements Host {
  readonly asked: string[] = [];
  change: (news: Change["news"]) => void = () => undefined;
  drag: (drag: DragView | null) => void = () => undefined;
  shellView: ShellView = { server: { kind: "off" }, keyKept: "keychain" };
  refusal: { code: "signed_out"; message: string } | null = null;
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
    allowance: { kind: "full" as const },
  });
  subscribe = async (onChange: (change: Change) => void) => {
    this.change = (news) => {
      onChange({ seq: ++this.#seq, news });
    };
    return () => undefined;
  };
  shell = async () => this.shellView;
  onShell = async () => () => undefined;
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
  disconnect = () => this.#note("disconnect");
  targets = async () => [{ projectId: "q", project: "Harbour", team: "North Studio" }];
  setDestination = (projectId: string) => this.#note(`setDestination ${projectId}`);
  playback = async () => ({ url: "https://m.example/v.m3u8", posterUrl: null, duration: 1, expiresAt: null });
  showInFolder = (id: string) => this.#note(`showInFolder ${id}`);
  copyLink = (id: string) => this.#note(`copyLink ${id}`);
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
    ).toEqual(["Play", "Copy link", "Show in folder", "Remove from list"]);
    await user.keyboard("{End}{Enter}");
    expect(host.asked.at(-1)).toBe("remove d");
  });

  it("says why nothing is sent, and sends all the same", async () => {
    const host = await queue();
    const user = userEvent.setup();
    host.change({ kind: "allowance", allowance: { kind: "limit", bytesPerSecond: 4e6 } });
    await screen.findByText(/at most 4.0 MB\/s/);
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
    await screen.findByText("The key is no longer valid.");
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
    host.shellView = { server: { kind: "off" }, keyKept: "memory" };
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
    await screen.findByText("The key is no longer valid.");
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
    await screen.findByText("The key is no longer valid.");
    expect(host.asked).toEqual(["turn pause_on_metered false", "turn pause_on_battery true"]);
  });
});

describe("first run", () => {
  it("starts the server here, or connects by a key that it has checked for form", async () => {
    const host = new Recorder([], { kind: "none" });
    render(App, { host });
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Use this computer" }));
    await user.type(screen.getByLabelText("Address of the team server"), "team.example");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(screen.getByRole("alert").textContent).toContain("https://");
    await user.clear(screen.getByLabelText("Address of the team server"));
    await user.type(screen.getByLabelText("Address of the team server"), "https://team.example");
    await user.type(screen.getByLabelText("API key"), " key ");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(host.asked).toEqual(["useThisComputer", "connect https://team.example key"]);
  });

  it("keeps the address and says why when the key is refused", async () => {
    const host = new Recorder([], { kind: "none" });
    host.refusal = { code: "signed_out", message: "401" };
    render(App, { host });
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText("Address of the team server"), "https://team.example");
    await user.type(screen.getByLabelText("API key"), "wrong");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect((await screen.findByRole("alert")).textContent).toContain("The key is no longer valid.");
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
