import type { AllowanceView } from "./bindings/AllowanceView";
import type { Change } from "./bindings/Change";
import type { ConnectionView } from "./bindings/ConnectionView";
import type { EngineError } from "./bindings/EngineError";
import type { RebuiltView } from "./bindings/RebuiltView";
import type { ShellView } from "./bindings/ShellView";
import type { UploadId } from "./bindings/UploadId";
import type { UploadView } from "./bindings/UploadView";
import { Speeds } from "./details/speeds";
import { Feed } from "./feed/feed";
import { Folders } from "./folders/folders.svelte";
import { dayStart } from "./format";
import { asEngineError, type Host, type Stop } from "./host/host";
import { ending, type Ending } from "./queue/ended";
import { type Group, GROUPS, isUnsent } from "./queue/group";
import { Roster, type Totals } from "./queue/roster";
import { Speedometer } from "./queue/speedometer";
import { UNTOLD } from "./shell/untold";
import { speak } from "./words/words";

/** Between two updates of the screen: in sight ten a second, in the background four. */
const PAUSE_FOCUSED = 100;
const PAUSE_BACKGROUND = 250;
const SECOND = 1_000;

export interface GroupCount {
  group: Group;
  count: number;
}

/**
 * All that the screens show, and the only place that listens to the shell's news.
 *
 * Changes are applied to plain data as they come and shown at most ten times a second, not at all while
 * the window is hidden. Screens read through getters that depend on `#shown`.
 */
export class Store {
  readonly #host: Host;
  readonly #roster = new Roster(dayStart(Date.now()));
  readonly #feed: Feed;
  readonly folders: Folders;
  readonly #speedometer = new Speedometer();
  readonly #speedsOf = new Speeds();
  #shown = $state.raw(0);
  #connection: ConnectionView = { kind: "none" };
  #connections: readonly ConnectionView[] = [];
  #allowance: AllowanceView = { kind: "full" };
  #rebuilt: RebuiltView | null = null;
  #loaded = $state.raw(false);
  #problem = $state.raw<EngineError | null>(null);
  #shell = $state.raw<ShellView>(UNTOLD);
  #past = 0;
  #endings: Ending[] = [];
  #announced = $state.raw<readonly Ending[]>([]);
  #speeds = $state.raw<readonly number[]>([]);
  #lastShown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #stops: Stop[] = [];

  constructor(host: Host) {
    this.#host = host;
    this.folders = new Folders(host);
    this.#feed = new Feed(host, {
      snapshot: (snapshot) => {
        this.#roster.reset(snapshot.uploads);
        this.#connection = snapshot.connection;
        this.#connections = snapshot.connections;
        this.#allowance = snapshot.allowance;
        this.#rebuilt = snapshot.rebuilt;
        this.#problem = null;
        this.#loaded = true;
        void this.folders.changed();
        this.#show();
      },
      change: (change) => {
        this.#apply(change);
        this.#plan();
      },
      failed: (error) => {
        this.#problem = error;
      },
    });
  }

  /** Begins to listen; what it returns ends it. */
  start(): Stop {
    const seen = (): void => {
      this.#plan();
      if (!document.hidden) void this.folders.changed();
    };
    document.addEventListener("visibilitychange", seen);
    this.#stops.push(() => {
      document.removeEventListener("visibilitychange", seen);
    });
    this.#ticker = setInterval(() => {
      this.#tick();
    }, SECOND);
    void this.#feed.start();
    void this.#listenToShell();
    return () => {
      this.#feed.stop();
      this.folders.stop();
      clearInterval(this.#ticker);
      clearTimeout(this.#timer);
      for (const stop of this.#stops) stop();
      this.#stops = [];
    };
  }

  tryAgain(): void {
    this.#problem = null;
    void this.#feed.start();
  }

  /** Shows at once what waits for its turn: for those who are about to reckon with places in the list. */
  catchUp(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#show();
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  get shell(): ShellView {
    return this.#shell;
  }

  get connection(): ConnectionView {
    void this.#shown;
    return this.#connection;
  }

  /** The one that new files go to, and all others. */
  get connections(): readonly ConnectionView[] {
    void this.#shown;
    return this.#connections;
  }

  get allowance(): AllowanceView {
    void this.#shown;
    return this.#allowance;
  }

  /** What was made of a queue that was found damaged since the start. */
  get rebuilt(): RebuiltView | null {
    void this.#shown;
    return this.#rebuilt;
  }

  get totals(): Totals {
    void this.#shown;
    return { ...this.#roster.totals };
  }

  get size(): number {
    void this.#shown;
    return this.#roster.size;
  }

  /** The groups that have uploads. */
  get groups(): GroupCount[] {
    void this.#shown;
    return GROUPS.map((group) => ({ group, count: this.#roster.count(group) })).filter(
      ({ count }) => count > 0,
    );
  }

  /** Total speed, one number a second, of the last minute. */
  get speeds(): readonly number[] {
    return this.#speeds;
  }

  /** The same of one upload. */
  speedsOf(id: UploadId): readonly number[] {
    void this.#speeds;
    return this.#speedsOf.of(id);
  }

  /** Another number whenever something has ended, or was taken off the list. */
  get past(): number {
    void this.#shown;
    return this.#past;
  }

  /** Absent until it means something. */
  get secondsLeft(): number | null {
    void this.#speeds;
    return this.#speedometer.secondsFor(this.#roster.totals.comingBytes);
  }

  /** What ended since the screen was last brought up to date. */
  get announced(): readonly Ending[] {
    return this.#announced;
  }

  count(group: Group): number {
    void this.#shown;
    return this.#roster.count(group);
  }

  /** How many of those that wait, at their top, are set to go next. */
  get firsts(): number {
    void this.#shown;
    return this.#roster.firsts("waiting");
  }

  at(group: Group, index: number): UploadView | undefined {
    void this.#shown;
    return this.#roster.at(group, index);
  }

  upload(id: UploadId): UploadView | undefined {
    void this.#shown;
    return this.#roster.get(id);
  }

  /** Uploads to a server that are not with their team. Looks at every upload: for a question, not a screen. */
  unsentTo(server: string): number {
    return this.#roster.countAll((upload) => upload.server === server && isUnsent(upload));
  }

  /** The upload of a team's video. Looks at every upload, too. */
  ofVideo(videoId: string, server: string | null): UploadView | undefined {
    return this.#roster.find(
      (upload) => upload.videoId === videoId && (server === null || upload.server === server),
    );
  }

  place(id: UploadId): { group: Group; index: number } | undefined {
    void this.#shown;
    return this.#roster.place(id);
  }

  async #listenToShell(): Promise<void> {
    try {
      this.#stops.push(
        await this.#host.onShell((shell) => {
          this.#see(shell);
        }),
      );
      this.#see(await this.#host.shell());
    } catch (error) {
      this.#problem = asEngineError(error);
    }
  }

  #see(shell: ShellView): void {
    this.#shell = shell;
    speak(shell.preferences.language);
  }

  #apply({ news }: Change): void {
    switch (news.kind) {
      case "uploads":
        for (const upload of news.uploads) {
          const before = this.#roster.get(upload.id);
          const end = ending(before, upload);
          if (end) this.#endings.push(end);
          if (before && isUnsent(before) !== isUnsent(upload)) this.#past++;
        }
        this.#roster.put(news.uploads);
        break;
      case "progress":
        this.#roster.progress(news.uploads);
        this.#speedsOf.note(news.uploads);
        break;
      case "removed":
        this.#roster.remove(news.ids);
        this.#past++;
        break;
      case "connection":
        this.#connection = news.connection;
        this.#connections = news.connections;
        break;
      case "allowance":
        this.#allowance = news.allowance;
        break;
      case "folders":
        if (!document.hidden) void this.folders.changed();
        break;
      case "queue":
        // The roster counts for itself.
        break;
      case "order":
        // The feed takes a snapshot.
        break;
    }
  }

  #plan(): void {
    if (this.#timer !== undefined || document.hidden) return;
    const pause = document.hasFocus() ? PAUSE_FOCUSED : PAUSE_BACKGROUND;
    const wait = this.#lastShown + pause - performance.now();
    if (wait <= 0) {
      this.#show();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#show();
    }, wait);
  }

  #show(): void {
    this.#lastShown = performance.now();
    if (this.#endings.length > 0) {
      this.#announced = this.#endings;
      this.#endings = [];
    }
    this.#shown++;
  }

  #tick(): void {
    this.#speedometer.sample(this.#roster.totals.bytesPerSecond);
    this.#speedsOf.tick();
    if (!document.hidden) this.#speeds = this.#speedometer.samples();
    if (this.#roster.turn(dayStart(Date.now()))) this.#plan();
  }
}
