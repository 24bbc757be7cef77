import { SvelteMap } from "svelte/reactivity";

const KEPT = 300;
const AT_ONCE = 2;
/** After this many lost images of one video, its type is shown instead. */
const TRIES = 2;
/** How long nobody is asked again who did not answer, in milliseconds. */
const PAUSE = 30_000;

interface Poster {
  url: string | null;
  /** How often its image did not load. */
  losses: number;
  /** When nobody answered who was asked for it. */
  failedAt?: number;
}

/**
 * Addresses of posters, asked for when a row comes into sight. They live as long as their session: one
 * that does not load any more is asked for again.
 */
export class Posters {
  readonly #ask: (id: string) => Promise<string | null>;
  readonly #known = new SvelteMap<string, Poster>();
  #wanted: string[] = [];
  #running = 0;

  constructor(ask: (id: string) => Promise<string | null>) {
    this.#ask = ask;
  }

  url(id: string): string | null {
    return this.#known.get(id)?.url ?? null;
  }

  want(id: string): void {
    const known = this.#known.get(id);
    const again = known?.failedAt !== undefined && performance.now() - known.failedAt >= PAUSE;
    if ((known && !again) || this.#wanted.includes(id)) return;
    this.#queue(id);
  }

  lost(id: string): void {
    const losses = (this.#known.get(id)?.losses ?? 0) + 1;
    this.#known.set(id, { url: null, losses });
    if (losses < TRIES) this.#queue(id);
  }

  #queue(id: string): void {
    // The newest are in sight; what was scrolled past need not be asked for.
    this.#wanted = [...this.#wanted.slice(-20), id];
    this.#next();
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const id = this.#wanted.pop();
      if (id === undefined) return;
      this.#running++;
      void this.#load(id);
    }
  }

  async #load(id: string): Promise<void> {
    const losses = this.#known.get(id)?.losses ?? 0;
    try {
      this.#known.set(id, { url: await this.#ask(id), losses });
    } catch {
      // A poster is no promise: without one the row shows the file's type.
      this.#known.set(id, { url: null, losses, failedAt: performance.now() });
    }
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    this.#running--;
    this.#next();
  }
}
