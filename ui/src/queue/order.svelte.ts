import type { Spot } from "../bindings/Spot";
import type { UploadId } from "../bindings/UploadId";
import type { Host } from "../host/host";
import type { Store } from "../store.svelte";
import { format, t } from "../words/words";
import { blockOf, gapBy, type Line, spotAt, within } from "./line";

/** Between two looks at whether the news of a change have come. */
const LOOK = 16;
/** They come within milliseconds, on a busy computer within a second; where they do not, the list shows what it knows. */
const LOOKS = 150;

type Steps = { ids: readonly UploadId[]; by: number };

/**
 * Puts what waits into another order. The list keeps the one that it has until the engine has changed it;
 * meanwhile `underWay` says what is being moved.
 */
export class Order {
  readonly #host: Pick<Host, "put" | "setFirst">;
  readonly #store: Store;
  readonly #watch: (command: Promise<unknown>) => Promise<boolean>;
  /** The uploads that wait, as they are shown. */
  readonly line: Line;
  #underWay = $state.raw<readonly UploadId[]>([]);
  #said = $state.raw("");
  /** What was pressed while a change was under way. */
  #more: Steps | null = null;

  constructor(
    host: Pick<Host, "put" | "setFirst">,
    store: Store,
    watch: (command: Promise<unknown>) => Promise<boolean>,
  ) {
    this.#host = host;
    this.#store = store;
    this.#watch = watch;
    this.line = {
      get count() {
        return store.count("waiting");
      },
      get firsts() {
        return store.firsts;
      },
      at: (index) => store.at("waiting", index),
      index: (id) => {
        const place = store.place(id);
        return place?.group === "waiting" ? place.index : -1;
      },
    };
  }

  get underWay(): readonly UploadId[] {
    return this.#underWay;
  }

  /** What came of the last change, for those who do not see the list. */
  get said(): string {
    return this.#said;
  }

  /** Of numbers of rows further up (negative) or down, those by which any of these would stand elsewhere. */
  leading<By extends number>(ids: Iterable<UploadId>, all: readonly By[]): By[] {
    const block = blockOf(this.line, ids);
    return block ? all.filter((by) => spotAt(this.line, block, gapBy(block, by)) !== null) : [];
  }

  /** Moves what of these waits, together; to the top or the end by an infinite number of rows. */
  async move(ids: readonly UploadId[], by: number): Promise<void> {
    if (this.#underWay.length > 0) {
      const before = this.#more?.ids.join() === ids.join() ? this.#more.by : 0;
      this.#more = { ids, by: Number.isFinite(by) ? before + by : by };
      return;
    }
    const block = blockOf(this.line, ids);
    if (!block) {
      this.#said = t("order.only_waiting");
      return;
    }
    const spot = spotAt(this.line, block, gapBy(block, by));
    if (spot === null) this.#said = t(by < 0 ? "order.top" : "order.end");
    else await this.#put(block.ids, spot);
    const more = this.#more;
    this.#more = null;
    if (more && more.by !== 0) await this.move(more.ids, more.by);
  }

  /** Puts these into a gap as it was shown, above `below` if that still waits. */
  async drop(ids: readonly UploadId[], gap: number, below: UploadId | null): Promise<void> {
    const block = blockOf(this.line, ids);
    if (!block || this.#underWay.length > 0) return;
    const now = below === null ? this.line.count : this.line.index(below);
    const spot = spotAt(this.line, block, within(block, now < 0 ? gap : now));
    if (spot !== null) await this.#put(block.ids, spot);
  }

  /** These are named from the top. */
  async #put(ids: readonly UploadId[], spot: Spot): Promise<void> {
    if (!(await this.#change(ids, () => this.#host.put(ids, spot)))) return;
    const [first] = ids;
    const place = first === undefined ? -1 : this.line.index(first);
    if (first === undefined || place < 0) return;
    const where = { place: format.count(place + 1), total: format.count(this.line.count) };
    this.#said =
      ids.length === 1
        ? t("order.moved", { title: this.#title(first), ...where })
        : t("order.moved_many", { count: ids.length, ...where });
  }

  /** Lets these go before all others, or no longer. */
  async setFirst(ids: readonly UploadId[], first: boolean): Promise<void> {
    const sorted = ids.map((id) => ({ id, index: this.line.index(id) })).sort((a, b) => a.index - b.index);
    const named = sorted.map(({ id }) => id);
    const [one] = named;
    if (one === undefined || this.#underWay.length > 0) return;
    if (!(await this.#change(named, () => this.#host.setFirst(named, first)))) return;
    this.#said =
      named.length === 1
        ? t(first ? "order.next" : "order.not_next", { title: this.#title(one) })
        : t(first ? "order.next_many" : "order.not_next_many", { count: named.length });
  }

  /** Until the change is in the list, or was refused. */
  async #change(ids: readonly UploadId[], command: () => Promise<void>): Promise<boolean> {
    this.#underWay = ids;
    const before = this.#standing(ids);
    const done = await this.#watch(command());
    for (let look = 0; done && look < LOOKS && this.#standing(ids) === before; look++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    this.#store.catchUp();
    this.#underWay = [];
    return done;
  }

  /** How the first of these stands, to be compared. */
  #standing([id]: readonly UploadId[]): string {
    const upload = id === undefined ? undefined : this.#store.upload(id);
    return upload ? `${String(upload.place)} ${String(upload.first)}` : "";
  }

  #title(id: UploadId): string {
    return this.#store.upload(id)?.title ?? "";
  }
}
