import type { PlaybackView } from "../bindings/PlaybackView";

/** Renewed this long before it ends, or, if it lives shortly, when a fifth of it is left. */
const LEAD = 60_000;
const LEAD_SHARE = 0.2;
const SOONEST = 1_000;
const RETRIES = [2_000, 5_000, 10_000, 30_000];
/** Longer timers fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A playback session that is asked for anew before it ends. */
export class PlaybackSession {
  readonly #ask: () => Promise<PlaybackView>;
  readonly #onrenewed: (view: PlaybackView) => void;
  #view: PlaybackView | null = null;
  #due: number | null = null;
  #asking: Promise<PlaybackView> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(ask: () => Promise<PlaybackView>, onrenewed: (view: PlaybackView) => void) {
    this.#ask = ask;
    this.#onrenewed = onrenewed;
  }

  get view(): PlaybackView | null {
    return this.#view;
  }

  async start(): Promise<PlaybackView> {
    return this.#fetch();
  }

  /** Asks for a new one now; calls that come while one is under way share its answer. */
  async renew(): Promise<PlaybackView> {
    const view = await this.#fetch();
    if (!this.#stopped) this.#onrenewed(view);
    return view;
  }

  /** Timers stand still while a computer sleeps: to be called when there may have been a sleep. */
  check(): void {
    if (this.#due !== null && Date.now() >= this.#due) this.#renewQuietly();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #fetch(): Promise<PlaybackView> {
    this.#asking ??= this.#load().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #load(): Promise<PlaybackView> {
    const asked = Date.now();
    const view = await this.#ask();
    this.#view = view;
    this.#failures = 0;
    this.#due = null;
    if (view.expiresAt !== null) {
      const lead = Math.min(LEAD, Math.max(0, view.expiresAt - asked) * LEAD_SHARE);
      this.#due = Math.max(view.expiresAt - lead, Date.now() + SOONEST);
      this.#plan(this.#due - Date.now());
    }
    return view;
  }

  #plan(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => {
        this.#renewQuietly();
      },
      Math.min(delay, LONGEST_TIMER),
    );
  }

  #renewQuietly(): void {
    if (this.#stopped || this.#asking !== null) return;
    this.renew().catch(() => {
      // What is loaded plays on meanwhile; the player speaks up when a request is refused.
      this.#plan(RETRIES[Math.min(this.#failures++, RETRIES.length - 1)] ?? SOONEST);
    });
  }
}
