import type { ProgressNews } from "../bindings/ProgressNews";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";
import { endedAt, type Group, GROUPS, groupOf, isUnsent } from "./group";

interface Entry {
  readonly id: UploadId;
  /** When it came, which tells those apart that stand in one place. */
  readonly order: number;
  upload: UploadView;
  group: Group;
  /** What its group is sorted by: what goes first, then this. */
  first: boolean;
  key: number;
}

export interface Totals {
  /** Not yet with the team and not given up. */
  unsent: number;
  unsentBytes: number;
  /** Of these, the bytes that nobody has to do anything for. */
  comingBytes: number;
  bytesPerSecond: number;
  pausable: number;
  paused: number;
  /** With the team since the day began; what was cancelled is not done. */
  doneToday: number;
}

const NOTHING: Readonly<Totals> = {
  unsent: 0,
  unsentBytes: 0,
  comingBytes: 0,
  bytesPerSecond: 0,
  pausable: 0,
  paused: 0,
  doneToday: 0,
};

/** One upload's share in the totals; added when it comes, taken away when it changes. */
function share({ upload, group }: Entry): Readonly<Totals> {
  const { progress, hold, phase } = upload;
  if (!isUnsent(upload)) {
    return group === "today" && hold.kind !== "cancelled" ? { ...NOTHING, doneToday: 1 } : NOTHING;
  }
  const left = Math.max(0, progress.totalBytes - progress.confirmedBytes);
  const moves = hold.kind === "none" || hold.kind === "backoff" || hold.kind === "offline";
  return {
    unsent: 1,
    unsentBytes: left,
    comingBytes: moves ? left : 0,
    bytesPerSecond: hold.kind === "none" ? progress.bytesPerSecond : 0,
    pausable: moves && phase !== "finishing" ? 1 : 0,
    paused: hold.kind === "paused" ? 1 : 0,
    doneToday: 0,
  };
}

const before = (a: Entry, b: Entry): number =>
  Number(b.first) - Number(a.first) || a.key - b.key || a.order - b.order;

/** Past this many at once, sorting anew is cheaper than finding each one's place. */
const BULK = 256;

/**
 * The uploads by group, kept in order as they change: a change costs what it touches, not the whole list.
 */
export class Roster {
  readonly #entries = new Map<UploadId, Entry>();
  #groups: Record<Group, Entry[]> = emptyGroups();
  #totals: Totals = { ...NOTHING };
  #next = 0;
  #today: number;

  constructor(today: number) {
    this.#today = today;
  }

  get size(): number {
    return this.#entries.size;
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  get(id: UploadId): UploadView | undefined {
    return this.#entries.get(id)?.upload;
  }

  count(group: Group): number {
    return this.#groups[group].length;
  }

  /** How many of a group, at its top, are set to go first. */
  firsts(group: Group): number {
    const list = this.#groups[group];
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (list[middle]?.first) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(group: Group, index: number): UploadView | undefined {
    return this.#groups[group][index]?.upload;
  }

  find(wanted: (upload: UploadView) => boolean): UploadView | undefined {
    for (const { upload } of this.#entries.values()) if (wanted(upload)) return upload;
    return undefined;
  }

  countAll(wanted: (upload: UploadView) => boolean): number {
    let count = 0;
    for (const { upload } of this.#entries.values()) if (wanted(upload)) count++;
    return count;
  }

  /** Its place in its group. */
  place(id: UploadId): { group: Group; index: number } | undefined {
    const entry = this.#entries.get(id);
    return entry && { group: entry.group, index: this.#find(entry) };
  }

  reset(uploads: readonly UploadView[]): void {
    this.#entries.clear();
    this.#next = 0;
    for (const upload of uploads) this.#enter(upload);
    this.#sortAnew();
  }

  put(uploads: readonly UploadView[]): void {
    const bulk = uploads.length > BULK;
    for (const upload of uploads) {
      const known = this.#entries.get(upload.id);
      if (known && !bulk) this.#leave(known);
      if (known) known.upload = upload;
      const entry = known ?? this.#enter(upload);
      if (!bulk) this.#join(entry);
    }
    if (bulk) this.#sortAnew();
  }

  progress(news: readonly ProgressNews[]): void {
    for (const { id, progress } of news) {
      const entry = this.#entries.get(id);
      if (!entry) continue;
      this.#count(entry, -1);
      entry.upload = { ...entry.upload, progress };
      this.#count(entry, 1);
    }
  }

  remove(ids: readonly UploadId[]): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (!entry) continue;
      this.#leave(entry);
      this.#entries.delete(id);
    }
  }

  /** True if the day is another than before, so that groups may have changed. */
  turn(today: number): boolean {
    if (today === this.#today) return false;
    this.#today = today;
    this.#sortAnew();
    return true;
  }

  #enter(upload: UploadView): Entry {
    const entry: Entry = {
      id: upload.id,
      order: this.#next++,
      upload,
      group: "waiting",
      first: false,
      key: 0,
    };
    this.#entries.set(upload.id, entry);
    return entry;
  }

  #settle(entry: Entry): void {
    entry.group = groupOf(entry.upload, this.#today);
    const ended = entry.group === "today" || entry.group === "earlier";
    entry.first = !ended && entry.upload.first;
    entry.key = ended ? -endedAt(entry.upload) : entry.upload.place;
  }

  #join(entry: Entry): void {
    this.#settle(entry);
    this.#groups[entry.group].splice(this.#find(entry), 0, entry);
    this.#count(entry, 1);
  }

  #leave(entry: Entry): void {
    this.#groups[entry.group].splice(this.#find(entry), 1);
    this.#count(entry, -1);
  }

  #find(entry: Entry): number {
    const list = this.#groups[entry.group];
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = list[middle];
      if (other && before(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sortAnew(): void {
    this.#groups = emptyGroups();
    this.#totals = { ...NOTHING };
    for (const entry of this.#entries.values()) {
      this.#settle(entry);
      this.#groups[entry.group].push(entry);
      this.#count(entry, 1);
    }
    for (const group of GROUPS) this.#groups[group].sort(before);
  }

  #count(entry: Entry, sign: 1 | -1): void {
    const part = share(entry);
    const totals = this.#totals;
    totals.unsent += sign * part.unsent;
    totals.unsentBytes += sign * part.unsentBytes;
    totals.comingBytes += sign * part.comingBytes;
    totals.bytesPerSecond += sign * part.bytesPerSecond;
    totals.pausable += sign * part.pausable;
    totals.paused += sign * part.paused;
    totals.doneToday += sign * part.doneToday;
  }
}

function emptyGroups(): Record<Group, Entry[]> {
  return { uploading: [], needs: [], waiting: [], today: [], earlier: [] };
}
