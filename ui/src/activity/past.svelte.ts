import type { EndedBefore } from "../bindings/EndedBefore";
import type { EndedView } from "../bindings/EndedView";
import type { EngineError } from "../bindings/EngineError";
import { asEngineError, type Host } from "../host/host";
import { count, type PastPage, pageOf, upTo } from "./pages";

/** Pages on either side of what is seen whose rows are kept; of the others, only how high they are. */
const KEPT = 2;

/**
 * What has ended, page by page as somebody scrolls. However much that is, the rows of a few pages are in
 * memory: of one that is far away, its place stays, and its rows are asked for again.
 */
export class Past {
  readonly #host: Pick<Host, "activity">;
  #pages = $state.raw<readonly PastPage[]>([]);
  #end = $state.raw(false);
  #loaded = $state.raw(false);
  #problem = $state.raw<EngineError | null>(null);
  #search = "";
  /** Rises with every new beginning: answers to what was asked before are of no use. */
  #beginning = 0;
  #begun: Promise<unknown> = Promise.resolve();
  /** Pages whose rows are on their way. */
  #asked: readonly number[] = [];

  constructor(host: Pick<Host, "activity">) {
    this.#host = host;
  }

  get pages(): readonly PastPage[] {
    return this.#pages;
  }

  /** There is no more than these. */
  get end(): boolean {
    return this.#end;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  get size(): number {
    return count(this.#pages);
  }

  /** From the newest on; what is shown stays until the first page is there. */
  async begin(search: string): Promise<void> {
    this.#search = search;
    const beginning = ++this.#beginning;
    this.#asked = [];
    // A search may have to look at everything: one is enough at a time, and of those that wait the last.
    await this.#begun;
    if (beginning !== this.#beginning) return;
    const asked = this.#ask(null, beginning);
    this.#begun = asked;
    const rows = await asked;
    if (!rows) return;
    this.#pages = rows.length > 0 ? [pageOf(null, null, rows)] : [];
    this.#end = rows.length === 0;
    this.#loaded = true;
  }

  /** The next page. */
  async more(): Promise<void> {
    const last = this.#pages.at(-1);
    if (this.#end || !last || this.#asked.includes(this.#pages.length)) return;
    const [index, beginning] = [this.#pages.length, this.#beginning];
    this.#asked = [...this.#asked, index];
    const rows = await this.#ask(last.last, beginning);
    if (!rows) return;
    this.#asked = this.#asked.filter((one) => one !== index);
    if (rows.length === 0) this.#end = true;
    else this.#pages = [...this.#pages, pageOf(last.last, last.lastDay, rows)];
  }

  /** These pages are seen: their rows come back, those of pages far from them go. */
  see(first: number, last: number): void {
    const near = (index: number): boolean => index >= first - KEPT && index <= last + KEPT;
    if (this.#pages.some(({ rows }, index) => rows !== null && !near(index))) {
      this.#pages = this.#pages.map((page, index) => (near(index) ? page : { ...page, rows: null }));
    }
    for (let index = first; index <= last; index++) void this.#fill(index);
  }

  async #fill(index: number): Promise<void> {
    const page = this.#pages[index];
    if (!page || page.rows !== null || this.#asked.includes(index)) return;
    const beginning = this.#beginning;
    this.#asked = [...this.#asked, index];
    const rows = await this.#ask(page.before, beginning);
    if (!rows) return;
    this.#asked = this.#asked.filter((one) => one !== index);
    const dayBefore = this.#pages[index - 1]?.lastDay ?? null;
    // What was taken away since lets rows of the next page in.
    const again = pageOf(page.before, dayBefore, upTo(rows, page.last));
    this.#pages = this.#pages.map((one, place) => (place === index ? { ...again, last: page.last } : one));
  }

  /** `null` where the answer is of no use any more, or there is none. */
  async #ask(before: EndedBefore | null, beginning: number): Promise<EndedView[] | null> {
    try {
      const rows = await this.#host.activity(this.#search, before);
      if (beginning !== this.#beginning) return null;
      this.#problem = null;
      return rows;
    } catch (error) {
      if (beginning === this.#beginning) {
        this.#problem = asEngineError(error);
        this.#loaded = true;
        this.#asked = [];
      }
      return null;
    }
  }
}
