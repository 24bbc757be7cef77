import type { Spot } from "../bindings/Spot";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";

/** The uploads that wait, as they are shown: what is set to go next, then all others. */
export interface Line {
  readonly count: number;
  /** So many of them, at the top, are set to go next. */
  readonly firsts: number;
  at(index: number): UploadView | undefined;
  /** −1 for what does not wait. */
  index(id: UploadId): number;
}

/** What of the line is moved together. */
export interface Block {
  /** From the top. */
  readonly ids: readonly UploadId[];
  /** Where its first and its last one stand. */
  readonly from: number;
  readonly to: number;
  /** The gaps between which it may stand: what is set to go next stays above what is not. */
  readonly lowest: number;
  readonly highest: number;
}

/** Whether the engine gives it another place: nothing was begun with it, or it stands still until it goes on. */
export function isMovable({ phase, hold, active }: UploadView): boolean {
  if (active || phase === "ready") return false;
  if (hold.kind === "paused" || hold.kind === "offline") return true;
  return phase === "queued" && (hold.kind === "none" || hold.kind === "backoff");
}

/** Those of `ids` that can be moved; `null` if none can. */
export function blockOf(line: Line, ids: Iterable<UploadId>): Block | null {
  const found: { id: UploadId; index: number; first: boolean }[] = [];
  for (const id of ids) {
    const index = line.index(id);
    const upload = index < 0 ? undefined : line.at(index);
    if (upload && isMovable(upload)) found.push({ id, index, first: upload.first });
  }
  found.sort((a, b) => a.index - b.index);
  const [top, end] = [found[0], found.at(-1)];
  if (!top || !end) return null;
  return {
    ids: found.map(({ id }) => id),
    from: top.index,
    to: end.index,
    lowest: found.some(({ first }) => first) ? 0 : line.firsts,
    highest: found.every(({ first }) => first) ? line.firsts : line.count,
  };
}

/** The gap that is nearest to `gap` and that the block may stand in; gap 0 is above the first row. */
export function within({ lowest, highest }: Block, gap: number): number {
  return Math.min(highest, Math.max(lowest, gap));
}

/** The gap so many rows further up (negative) or down. */
export function gapBy(block: Block, by: number): number {
  return within(block, by < 0 ? block.from + by : block.to + 1 + by);
}

/** How the engine is told of a gap; `null` where the block stands already. */
export function spotAt(line: Line, block: Block, gap: number): Spot | null {
  const together = block.to - block.from + 1 === block.ids.length;
  if (together && gap >= block.from && gap <= block.to + 1) return null;
  if (gap <= 0) return "front";
  const moved = new Set(block.ids);
  for (let index = gap; index < line.count; index++) {
    const upload = line.at(index);
    if (upload && !moved.has(upload.id)) return { before: upload.id };
  }
  return "end";
}
