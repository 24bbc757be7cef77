/** How a grid of equal cards lies in a view, in pixels. */
export interface Layout {
  readonly columns: number;
  readonly card: number;
  /** From one row to the next. */
  readonly row: number;
}

/** As many columns as fit that are not narrower than `narrowest`, which fill the width. */
export function layout(width: number, narrowest: number, gap: number, text: number): Layout {
  const columns = Math.max(1, Math.floor((width + gap) / (narrowest + gap)));
  const card = (width - (columns - 1) * gap) / columns;
  return { columns, card, row: Math.round((card * 9) / 16) + text + gap };
}

/** The rows between two heights, first and last, of `count` cards. */
export function rowsBetween(
  { columns, row }: Layout,
  count: number,
  from: number,
  to: number,
): { first: number; last: number } {
  const rows = Math.ceil(count / columns);
  const within = (value: number): number => Math.min(rows - 1, Math.max(0, value));
  return { first: within(Math.floor(from / row)), last: within(Math.floor(to / row)) };
}

/** Where a key leads from a card; `null` for a key that moves nothing. */
export function moved(
  key: string,
  from: number | null,
  count: number,
  columns: number,
  page: number,
): number | null {
  const within = (value: number): number => Math.min(count - 1, Math.max(0, value));
  // Nothing is chosen: the first key chooses.
  const here = from ?? 0;
  const steps: Partial<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: page * columns,
    PageUp: -page * columns,
    Home: -Infinity,
    End: Infinity,
  };
  const step = steps[key];
  if (step === undefined || count === 0) return null;
  if (from === null) return step === Infinity ? count - 1 : 0;
  const target = here + step;
  // Down from the last full row leads to the last card; up from the first row nowhere.
  if (key === "ArrowUp" && target < 0) return here;
  if (key === "ArrowDown" && target >= count) {
    const lastRow = Math.floor((count - 1) / columns);
    return Math.floor(here / columns) === lastRow ? here : count - 1;
  }
  return within(target);
}
