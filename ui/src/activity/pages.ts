import type { EndedBefore } from "../bindings/EndedBefore";
import type { EndedView } from "../bindings/EndedView";
import { dayStart } from "../format";

/** A stretch of what has ended, newest first. */
export interface PastPage {
  /** Where it begins: after this one; `null` at the newest. */
  readonly before: EndedBefore | null;
  /** Its last row. */
  readonly last: EndedBefore;
  readonly lastDay: number;
  readonly count: number;
  /** How many days begin in it. */
  readonly days: number;
  /** `null` while it is far from what is seen. */
  readonly rows: readonly PastRow[] | null;
}

export interface PastRow {
  readonly ended: EndedView;
  /** The day's first millisecond, on the first row of that day. */
  readonly day: number | null;
}

export interface Heights {
  readonly row: number;
  readonly day: number;
}

/** Something drawn, by its place from the list's top. */
export type Drawn =
  | { kind: "day"; key: string; top: number; day: number }
  | { kind: "row"; key: string; top: number; ended: EndedView; index: number };

export function pageOf(
  before: EndedBefore | null,
  dayBefore: number | null,
  views: readonly EndedView[],
): PastPage {
  let day = dayBefore;
  const rows = views.map((ended): PastRow => {
    const its = dayStart(ended.endedAt);
    const first = its !== day;
    day = its;
    return { ended, day: first ? its : null };
  });
  const last = views.at(-1);
  return {
    before,
    last: last
      ? { endedAt: last.endedAt, uploadId: last.uploadId }
      : (before ?? { endedAt: 0, uploadId: "" }),
    lastDay: day ?? 0,
    count: rows.length,
    days: rows.filter((row) => row.day !== null).length,
    rows,
  };
}

/** The rows that did not end before `last`. */
export function upTo(views: readonly EndedView[], last: EndedBefore): EndedView[] {
  return views.filter(
    ({ endedAt, uploadId }) =>
      endedAt > last.endedAt || (endedAt === last.endedAt && uploadId >= last.uploadId),
  );
}

export function count(pages: readonly PastPage[]): number {
  return pages.reduce((sum, page) => sum + page.count, 0);
}

export function heightOf(page: PastPage, { row, day }: Heights): number {
  return page.count * row + page.days * day;
}

export function totalHeight(pages: readonly PastPage[], heights: Heights): number {
  return pages.reduce((sum, page) => sum + heightOf(page, heights), 0);
}

/** The pages that lie between two heights, first and last; `null` where there are none. */
export function pagesBetween(
  pages: readonly PastPage[],
  heights: Heights,
  from: number,
  to: number,
): { first: number; last: number } | null {
  let top = 0;
  const between: number[] = [];
  for (const [index, page] of pages.entries()) {
    const bottom = top + heightOf(page, heights);
    if (bottom >= from && top <= to) between.push(index);
    top = bottom;
  }
  const [first] = between;
  return first === undefined ? null : { first, last: between.at(-1) ?? first };
}

/** What is drawn between two heights. */
export function drawn(pages: readonly PastPage[], heights: Heights, from: number, to: number): Drawn[] {
  const items: Drawn[] = [];
  let [top, index] = [0, 0];
  for (const [number, page] of pages.entries()) {
    const bottom = top + heightOf(page, heights);
    if (page.rows && bottom >= from && top <= to) {
      let at = top;
      for (const [place, { ended, day }] of page.rows.entries()) {
        if (day !== null) {
          if (at + heights.day >= from && at <= to)
            items.push({ kind: "day", key: `${String(number)} ${String(day)}`, top: at, day });
          at += heights.day;
        }
        if (at + heights.row >= from && at <= to) {
          items.push({
            kind: "row",
            key: `${String(number)} ${ended.uploadId}`,
            top: at,
            ended,
            index: index + place,
          });
        }
        at += heights.row;
      }
    }
    top = bottom;
    index += page.count;
  }
  return items;
}

/** The row with a number, if it is there. */
export function rowAt(pages: readonly PastPage[], index: number): EndedView | null {
  let first = 0;
  for (const page of pages) {
    if (index < first + page.count) return page.rows?.[index - first]?.ended ?? null;
    first += page.count;
  }
  return null;
}

/** Where a row is, and its top; `null` for one that is not in the rows that are there. */
export function placeOf(
  pages: readonly PastPage[],
  heights: Heights,
  id: string,
): { index: number; top: number } | null {
  let [top, first] = [0, 0];
  for (const page of pages) {
    let at = top;
    for (const [place, { ended, day }] of (page.rows ?? []).entries()) {
      if (day !== null) at += heights.day;
      if (ended.uploadId === id) return { index: first + place, top: at };
      at += heights.row;
    }
    top += heightOf(page, heights);
    first += page.count;
  }
  return null;
}
