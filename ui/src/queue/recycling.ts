/** A row that is drawn. Rows of one kind are built alike; with none, it is nobody else's. */
export interface Drawn {
  readonly id: string;
  readonly kind: string | null;
}

/**
 * Gives drawn rows the keys of rows that are not drawn any more, so that their part of the page is filled anew,
 * not built anew: that is most of what a scroll through a long list costs.
 */
export class Recycling {
  #drawn = new Map<string, { key: string; kind: string | null }>();
  #made = 0;

  /**
   * The keys of these rows, in their order. While a row is drawn it keeps its key. What is held, by the
   * keyboard or the pointer, goes to no other: who presses its button means that row.
   */
  keys(rows: readonly Drawn[], isHeld: (id: string) => boolean): string[] {
    const before = this.#drawn;
    this.#drawn = new Map();
    for (const { id, kind } of rows) {
      const own = before.get(id);
      if (own?.kind !== kind) continue;
      this.#drawn.set(id, own);
      before.delete(id);
    }
    const free = [...before].filter(([id, { kind }]) => kind !== null && !isHeld(id));
    return rows.map(({ id, kind }) => {
      const own = this.#drawn.get(id);
      if (own) return own.key;
      const at = free.findIndex(([, other]) => other.kind === kind);
      const [taken] = at < 0 ? [] : free.splice(at, 1);
      const key = taken?.[1].key ?? `row-${++this.#made}`;
      this.#drawn.set(id, { key, kind });
      return key;
    });
  }
}
