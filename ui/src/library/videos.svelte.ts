import type { EngineError } from "../bindings/EngineError";
import type { VideosView } from "../bindings/VideosView";
import type { VideoView } from "../bindings/VideoView";
import { asEngineError, type LibraryHost } from "../host/host";

/** Pages on either side of what is seen whose videos are kept; of the others, only how many they are. */
const KEPT = 2;

/** A stretch of a project's videos, newest first. */
interface Stretch {
  /** What it is asked for with; `null` at the newest. */
  readonly cursor: string | null;
  /** What follows is asked for with this; `null` at the end. */
  readonly next: string | null;
  readonly count: number;
  /** When its last one was made. */
  readonly lastAt: number;
  /** `null` while it is far from what is seen. */
  readonly videos: readonly VideoView[] | null;
}

function stretch(cursor: string | null, { videos, next }: VideosView): Stretch {
  return { cursor, next, count: videos.length, lastAt: videos.at(-1)?.createdAt ?? 0, videos };
}

/** It is on its way to be something else by itself. */
export function isUnsettled({ state }: VideoView): boolean {
  return state === "uploading" || state === "processing";
}

/**
 * A project's videos, page by page as somebody scrolls. However many they are, those of a few pages are in
 * memory: of one that is far away, its place stays, and its videos are asked for again.
 */
export class Videos {
  readonly #host: Pick<LibraryHost, "videos">;
  #stretches = $state.raw<readonly Stretch[]>([]);
  #loaded = $state.raw(false);
  #problem = $state.raw<EngineError | null>(null);
  #project = "";
  #search = "";
  /** Rises with every new beginning: answers to what was asked before are of no use. */
  #beginning = 0;
  #begun: Promise<unknown> = Promise.resolve();
  /** Pages that are on their way. */
  #asked: readonly number[] = [];

  constructor(host: Pick<LibraryHost, "videos">) {
    this.#host = host;
  }

  get size(): number {
    return this.#stretches.reduce((sum, { count }) => sum + count, 0);
  }

  /** There are no more than these. */
  get end(): boolean {
    const last = this.#stretches.at(-1);
    return last !== undefined && last.next === null;
  }

  /** What was asked for last has been answered, one way or the other. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  at(index: number): VideoView | null {
    let first = 0;
    for (const { count, videos } of this.#stretches) {
      if (index < first + count) return videos?.[index - first] ?? null;
      first += count;
    }
    return null;
  }

  /** Where a video is, of those that are in memory. */
  indexOf(id: string): number | null {
    let first = 0;
    for (const { count, videos } of this.#stretches) {
      const place = videos?.findIndex((video) => video.id === id) ?? -1;
      if (place >= 0) return first + place;
      first += count;
    }
    return null;
  }

  /** From the newest on. What is shown of the same project stays until the first page is there. */
  async begin(project: string, search: string): Promise<void> {
    if (project !== this.#project) {
      this.#stretches = [];
      this.#loaded = false;
    }
    this.#project = project;
    this.#search = search;
    const beginning = ++this.#beginning;
    this.#asked = [];
    // A search looks at a whole project: one is enough at a time, and of those that wait the last.
    await this.#begun;
    if (beginning !== this.#beginning) return;
    const asked = this.#ask(null, beginning);
    this.#begun = asked;
    const view = await asked;
    if (!view) return;
    this.#stretches = [stretch(null, view)];
    this.#loaded = true;
  }

  /** The next page. */
  async more(): Promise<void> {
    const [last, index] = [this.#stretches.at(-1), this.#stretches.length];
    if (!last || last.next === null || this.#asked.includes(index) || this.#problem) return;
    const view = await this.#askFor(index, last.next);
    if (view) this.#stretches = [...this.#stretches, stretch(last.next, view)];
  }

  /** What is between these numbers is seen: it comes back if it was let go of, and what is far away goes. */
  see(from: number, to: number): void {
    const seen = this.#between(from, to);
    const [first, last] = [seen.at(0) ?? 0, seen.at(-1) ?? 0];
    const near = (index: number): boolean => index >= first - KEPT && index <= last + KEPT;
    if (this.#stretches.some(({ videos }, index) => videos !== null && !near(index))) {
      this.#stretches = this.#stretches.map((one, index) => (near(index) ? one : { ...one, videos: null }));
    }
    for (const index of seen) if (this.#stretches[index]?.videos === null) void this.#fill(index);
  }

  /** Looks again at what is between these numbers and is on its way to be something else. */
  async look(from: number, to: number): Promise<void> {
    const stale = this.#between(from, to).filter((index) =>
      this.#stretches[index]?.videos?.some(isUnsettled),
    );
    await Promise.all(stale.map((index) => this.#fill(index)));
  }

  #between(from: number, to: number): number[] {
    let first = 0;
    return this.#stretches.flatMap(({ count }, index) => {
      const fits = count > 0 && first <= to && first + count > from;
      first += count;
      return fits ? [index] : [];
    });
  }

  async #fill(index: number): Promise<void> {
    const before = this.#stretches[index];
    if (!before || this.#asked.includes(index)) return;
    const view = await this.#askFor(index, before.cursor);
    if (!view) return;
    // What came or went meanwhile changes numbers below: that waits for a new beginning. Of a page that
    // was let go of, what was taken away since lets videos of the next one in.
    const videos =
      before.videos?.map((video) => view.videos.find(({ id }) => id === video.id) ?? video) ??
      view.videos.filter(({ createdAt }) => createdAt >= before.lastAt).slice(0, before.count);
    this.#stretches = this.#stretches.map((one, place) =>
      place === index ? { ...one, count: videos.length, videos } : one,
    );
  }

  async #askFor(index: number, cursor: string | null): Promise<VideosView | null> {
    const beginning = this.#beginning;
    this.#asked = [...this.#asked, index];
    const view = await this.#ask(cursor, beginning);
    if (beginning === this.#beginning) this.#asked = this.#asked.filter((one) => one !== index);
    return view;
  }

  /** `null` where the answer is of no use any more, or there is none. */
  async #ask(cursor: string | null, beginning: number): Promise<VideosView | null> {
    try {
      const view = await this.#host.videos(this.#project, this.#search, cursor);
      if (beginning !== this.#beginning) return null;
      this.#problem = null;
      return view;
    } catch (error) {
      if (beginning === this.#beginning) {
        this.#problem = asEngineError(error);
        this.#loaded = true;
      }
      return null;
    }
  }
}
