import { expect, it } from "vitest";
import type { Rules } from "../bindings/Rules";
import { draftOf, isSize, NEW_RULES, rulesOf } from "./draft";

const RULES: Rules = {
  include: ["*.mov", "a b/**"],
  exclude: ["proxies"],
  smallest: 1_500_000,
  existing: "send",
  title: "{date} {name}",
  afterwards: "trash",
  projects: "per_subfolder",
  visibility: "private",
  first: true,
  namesakes: "version",
  paused: true,
};

it("writes rules as it read them, also those that it has no field for", () => {
  expect(rulesOf(draftOf(RULES, "p"), RULES)).toEqual(RULES);
  expect(rulesOf(draftOf(RULES, "p"), NEW_RULES)).toEqual({ ...RULES, paused: false });
  expect(rulesOf(draftOf(NEW_RULES, "p"), RULES)).toEqual({ ...NEW_RULES, paused: true });
});

it("takes a pattern from each line that has one", () => {
  const draft = { ...draftOf(NEW_RULES, "p"), include: " *.mov \n\n\ta b/**", smallest: undefined };
  expect(rulesOf(draft, NEW_RULES)).toEqual({ ...NEW_RULES, include: ["*.mov", "a b/**"] });
});

it("knows what is no size", () => {
  expect([null, undefined, 0, 2.5, 1e9].map(isSize)).toEqual([true, true, true, true, true]);
  expect([-1, 1e12, Number.NaN].map(isSize)).toEqual([false, false, false]);
});
