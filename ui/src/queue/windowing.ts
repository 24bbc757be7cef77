/** A run of rows of one height under a header of its own. */
export interface Section {
  readonly key: string;
  readonly count: number;
  readonly headerHeight: number;
  readonly rowHeight: number;
}

/** A row, or with `index` −1 its section's header, and where it lies. */
export interface Slot {
  readonly section: number;
  readonly index: number;
  readonly top: number;
  readonly height: number;
}

export function totalHeight(sections: readonly Section[]): number {
  return sections.reduce(
    (sum, { count, headerHeight, rowHeight }) => sum + headerHeight + count * rowHeight,
    0,
  );
}

/** What is to be drawn between `from` and `to`. Costs the rows in sight, however many there are. */
export function slotsBetween(sections: readonly Section[], from: number, to: number): Slot[] {
  const slots: Slot[] = [];
  let top = 0;
  sections.forEach(({ count, headerHeight, rowHeight }, section) => {
    const rows = top + headerHeight;
    const bottom = rows + count * rowHeight;
    if (bottom > from && top < to) {
      if (rows > from) slots.push({ section, index: -1, top, height: headerHeight });
      const first = Math.max(0, Math.floor((from - rows) / rowHeight));
      const last = Math.min(count, Math.ceil((to - rows) / rowHeight));
      for (let index = first; index < last; index++) {
        slots.push({ section, index, top: rows + index * rowHeight, height: rowHeight });
      }
    }
    top = bottom;
  });
  return slots;
}

export function slotOf(sections: readonly Section[], section: number, index: number): Slot | null {
  const own = sections[section];
  if (!own || index >= own.count) return null;
  const before = totalHeight(sections.slice(0, section));
  return { section, index, top: before + own.headerHeight + index * own.rowHeight, height: own.rowHeight };
}

/** The row's place among all rows, headers not counted, and back. */
export function ordinalOf(sections: readonly Section[], section: number, index: number): number {
  return sections.slice(0, section).reduce((sum, { count }) => sum + count, 0) + index;
}

export function atOrdinal(
  sections: readonly Section[],
  ordinal: number,
): { section: number; index: number } | null {
  let left = ordinal;
  for (const [section, { count }] of sections.entries()) {
    if (left < count) return left < 0 ? null : { section, index: left };
    left -= count;
  }
  return null;
}
