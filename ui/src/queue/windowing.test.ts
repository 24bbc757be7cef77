import { describe, expect, it } from "vitest";
import { extended, moved, NOTHING, only, pruned, toggled } from "./selection";
import { atOrdinal, ordinalOf, type Section, slotOf, slotsBetween, totalHeight } from "./windowing";

const SECTIONS: Section[] = [
  { key: "a", count: 3, headerHeight: 40, rowHeight: 70 },
  { key: "b", count: 100_000, headerHeight: 40, rowHeight: 50 },
];

describe("windowing", () => {
  it("draws what is in sight", () => {
    const slots = slotsBetween(SECTIONS, 200, 400);
    expect(slots.map(({ section, index, top }) => [section, index, top])).toEqual([
      [0, 2, 180],
      [1, -1, 250],
      [1, 0, 290],
      [1, 1, 340],
      [1, 2, 390],
    ]);
  });

  it("draws no more at the end of a hundred thousand", () => {
    const end = totalHeight(SECTIONS);
    expect(end).toBe(250 + 40 + 5_000_000);
    expect(slotsBetween(SECTIONS, end - 500, end)).toHaveLength(10);
  });

  it("finds rows by their place among all", () => {
    expect(ordinalOf(SECTIONS, 1, 5)).toBe(8);
    expect(atOrdinal(SECTIONS, 8)).toEqual({ section: 1, index: 5 });
    expect(atOrdinal(SECTIONS, 200_000)).toBeNull();
  });

  it("knows where a row lies", () => {
    expect(slotOf(SECTIONS, 1, 10)).toEqual({ section: 1, index: 10, top: 790, height: 50 });
    expect(slotOf(SECTIONS, 0, 3)).toBeNull();
  });
});

describe("selection", () => {
  const range = (from: string, to: string): string[] => [from, "between", to];

  it("extends from where it began", () => {
    const selection = extended(moved(only("a"), "b"), "c", range);
    expect([...selection.ids]).toEqual(["a", "between", "c"]);
    expect(selection).toMatchObject({ anchor: "a", current: "c" });
  });

  it("toggles one and leaves the others", () => {
    expect([...toggled(toggled(only("a"), "b"), "a").ids]).toEqual(["b"]);
  });

  it("forgets what is gone, and is the same when nothing is", () => {
    const selection = toggled(only("a"), "b");
    expect(pruned(selection, () => true)).toBe(selection);
    expect(pruned(selection, (id) => id === "a")).toEqual({
      ids: new Set(["a"]),
      current: null,
      anchor: null,
    });
    expect(pruned(NOTHING, () => false)).toBe(NOTHING);
  });
});
