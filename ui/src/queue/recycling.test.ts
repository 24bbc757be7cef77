import { expect, it } from "vitest";
import { Recycling } from "./recycling";

const nothing = (): boolean => false;

/** Rows by their names, of a kind that is before the colon. */
function rows(...names: string[]): { id: string; kind: string | null }[] {
  return names.map((name) => {
    const [kind, id = ""] = name.split(":");
    return { id, kind: kind || null };
  });
}

it("rows that come take the keys of those that go, and those that stay keep theirs", () => {
  const recycling = new Recycling();
  const [a, b, c] = recycling.keys(rows("x:a", "x:b", "x:c"), nothing);
  expect(new Set([a, b, c]).size).toBe(3);
  expect(recycling.keys(rows("x:b", "x:c", "x:d"), nothing)).toEqual([b, c, a]);
  expect(recycling.keys(rows("x:b", "x:c", "x:d"), nothing)).toEqual([b, c, a]);
  expect(recycling.keys(rows("x:e", "x:f", "x:g"), nothing)).toEqual([b, c, a]);
});

it("more rows than there were get keys of their own", () => {
  const recycling = new Recycling();
  const keys = [recycling.keys(rows("x:a"), nothing), recycling.keys(rows("x:a", "x:b", "x:c"), nothing)];
  expect(new Set(keys.flat()).size).toBe(3);
});

it("a row of another kind is built anew", () => {
  const recycling = new Recycling();
  const [a] = recycling.keys(rows("x:a"), nothing);
  const [b, again] = recycling.keys(rows("y:b", "x:c"), nothing);
  expect(b).not.toBe(a);
  expect(again).toBe(a);
  const [moved] = recycling.keys(rows("y:c"), nothing);
  expect(moved).toBe(b);
});

it("a row without a kind is taken for no other", () => {
  const recycling = new Recycling();
  const [a] = recycling.keys(rows(":a"), nothing);
  expect(recycling.keys(rows(":b"), nothing)).not.toContain(a);
});

it("a row that is held is taken for no other", () => {
  const recycling = new Recycling();
  const [a, b] = recycling.keys(rows("x:a", "x:b"), nothing);
  const [c, d] = recycling.keys(rows("x:c", "x:d"), (id) => id === "a");
  expect(c).toBe(b);
  expect(d).not.toBe(a);
});
