import type { UploadId } from "../bindings/UploadId";

/** Which rows are meant. `current` has the keyboard, `anchor` is where a range began. */
export interface Selection {
  readonly ids: ReadonlySet<UploadId>;
  readonly current: UploadId | null;
  readonly anchor: UploadId | null;
}

export const NOTHING: Selection = { ids: new Set(), current: null, anchor: null };

export function only(id: UploadId): Selection {
  return { ids: new Set([id]), current: id, anchor: id };
}

export function toggled(selection: Selection, id: UploadId): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, current: id, anchor: id };
}

/** The keyboard moves on, what is selected stays. */
export function moved(selection: Selection, id: UploadId): Selection {
  return { ...selection, current: id };
}

/** From the anchor to `id`; `range` lists the ids between two rows, both included. */
export function extended(
  selection: Selection,
  id: UploadId,
  range: (from: UploadId, to: UploadId) => UploadId[],
): Selection {
  const anchor = selection.anchor ?? id;
  return { ids: new Set(range(anchor, id)), current: id, anchor };
}

/** Without the uploads that are gone. */
export function pruned(selection: Selection, exists: (id: UploadId) => boolean): Selection {
  const gone = [...selection.ids].filter((id) => !exists(id));
  const lost = (id: UploadId | null): boolean => id !== null && !exists(id);
  if (gone.length === 0 && !lost(selection.current) && !lost(selection.anchor)) return selection;
  const ids = new Set(selection.ids);
  for (const id of gone) ids.delete(id);
  return {
    ids,
    current: lost(selection.current) ? null : selection.current,
    anchor: lost(selection.anchor) ? null : selection.anchor,
  };
}
