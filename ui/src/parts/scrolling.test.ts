import { expect, it } from "vitest";
import { reveal } from "./scrolling";

it.each([
  ["is seen already", 600, 600],
  ["is below", 0, 448],
  ["is above", 2_000, 782],
])("what %s is scrolled to no further than it must", (_, scrollTop, to) => {
  expect(reveal({ scrollTop, clientHeight: 400 }, 782, 848)).toBe(to);
});

it("shows the beginning of what is higher than the view, and scrolls to nowhere above the first", () => {
  expect(reveal({ scrollTop: 500, clientHeight: 40 }, 782, 848)).toBe(782);
  expect(reveal({ scrollTop: 500, clientHeight: 400 }, -8, 52)).toBe(0);
});
