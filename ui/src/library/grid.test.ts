import { describe, expect, it } from "vitest";
import { layout, moved, rowsBetween } from "./grid";

describe("the grid", () => {
  it("fills the width with as many columns as fit", () => {
    expect(layout(856, 196, 20, 44)).toEqual({ columns: 4, card: 199, row: 176 });
    expect(layout(843, 196, 20, 44).columns).toBe(3);
    expect(layout(100, 196, 20, 44)).toMatchObject({ columns: 1, card: 100 });
  });

  it("draws what is between two heights, and no more", () => {
    const grid = { columns: 4, card: 199, row: 176 };
    expect(rowsBetween(grid, 5_000, 0, 700)).toEqual({ first: 0, last: 3 });
    expect(rowsBetween(grid, 5_000, 1_760, 1_761)).toEqual({ first: 10, last: 10 });
    expect(rowsBetween(grid, 6, -240, 10_000)).toEqual({ first: 0, last: 1 });
  });

  it.each([
    ["ArrowRight", 1, 2],
    ["ArrowRight", 9, 9],
    ["ArrowLeft", 4, 3],
    ["ArrowUp", 6, 2],
    ["ArrowUp", 2, 2],
    ["ArrowDown", 1, 5],
    ["ArrowDown", 7, 9],
    ["ArrowDown", 8, 8],
    ["PageDown", 0, 8],
    ["PageUp", 9, 1],
    ["Home", 7, 0],
    ["End", 0, 9],
    ["ArrowDown", null, 0],
    ["End", null, 9],
    ["x", 3, null],
  ])("%s leads from %s to %s", (key, from, to) => {
    expect(moved(key, from, 10, 4, 2)).toBe(to);
  });

  it("leads nowhere where there is nothing", () => {
    expect(moved("End", null, 0, 4, 2)).toBeNull();
  });
});
