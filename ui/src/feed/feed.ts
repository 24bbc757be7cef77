import type { Change } from "../bindings/Change";
import type { EngineError } from "../bindings/EngineError";
import { asEngineError, type Everything, type Host, type Stop } from "../host/host";

/** More than these while one snapshot loads, and the next snapshot is cheaper than keeping them. */
const MOST_KEPT = 5_000;

/** Before another snapshot when the last one did not close the gap: a fault must not become a storm. */
const PAUSE = 500;

export interface FeedSink {
  snapshot(everything: Everything): void;
  change(change: Change): void;
  failed(error: EngineError): void;
}

/**
 * Puts snapshot and changes in order: each change is handed on exactly once and with no gap before it.
 *
 * It listens before it asks, so that nothing can fall between the two.
 */
export class Feed {
  readonly #host: Pick<Host, "everything" | "subscribe">;
  readonly #sink: FeedSink;
  #last = -1;
  #loading = false;
  #stopped = false;
  #kept: Change[] = [];
  /** Snapshots taken for a gap since a change last followed on. */
  #gaps = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unsubscribe: Stop | null = null;

  constructor(host: Pick<Host, "everything" | "subscribe">, sink: FeedSink) {
    this.#host = host;
    this.#sink = sink;
  }

  /** Also the way to try again after `failed`. */
  async start(): Promise<void> {
    try {
      if (this.#unsubscribe === null) {
        const stop = await this.#host.subscribe((change) => {
          this.#receive(change);
        });
        if (this.#stopped) stop();
        else this.#unsubscribe = stop;
      }
    } catch (error) {
      this.#sink.failed(asEngineError(error));
      return;
    }
    await this.#load();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #receive(change: Change): void {
    if (this.#stopped) return;
    if (this.#loading || this.#last < 0) {
      if (this.#kept.length < MOST_KEPT) this.#kept.push(change);
      return;
    }
    if (change.seq <= this.#last) return;
    if (change.seq === this.#last + 1) {
      this.#last = change.seq;
      this.#gaps = 0;
      this.#sink.change(change);
      if (change.news.kind === "order") void this.#load();
      return;
    }
    this.#kept = [change];
    this.#mend();
  }

  #mend(): void {
    if (this.#gaps++ === 0) {
      void this.#load();
      return;
    }
    this.#loading = true;
    this.#timer = setTimeout(() => {
      this.#loading = false;
      void this.#load();
    }, PAUSE);
  }

  async #load(): Promise<void> {
    if (this.#loading || this.#stopped) return;
    this.#loading = true;
    try {
      const snapshot = await this.#host.everything();
      if (this.#stopped) return;
      this.#last = snapshot.seq;
      this.#sink.snapshot(snapshot);
    } catch (error) {
      this.#sink.failed(asEngineError(error));
      return;
    } finally {
      this.#loading = false;
    }
    const kept = this.#kept;
    this.#kept = [];
    for (const change of kept) this.#receive(change);
  }
}
