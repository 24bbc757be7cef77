import { describe, expect, it } from "vitest";
import codeSource from "../bindings/Code.ts?raw";
import type { Code } from "../bindings/Code";
import { LANGUAGES } from "../words/words";
import { present, PRESENTED_CODES, presentInLibrary } from "./present";

/** From the generated type itself, so that a new code fails here too. */
const codes = [...(codeSource.split("export type Code =")[1] ?? "").matchAll(/"(\w+)"/g)].map(
  ([, code]) => code as Code,
);

describe("presentations", () => {
  it("there is one for every code of the engine's, and no other", () => {
    expect(codes.length).toBeGreaterThan(20);
    expect([...PRESENTED_CODES].sort()).toEqual([...codes].sort());
  });

  it.each(codes)("%s says what happened, what it means and what to do", (code) => {
    const { what, means, todo } = present(code);
    for (const words of Object.values(LANGUAGES)) {
      for (const key of [what, means, todo]) expect(words[key]).toMatch(/[.]$/);
    }
  });

  it.each(codes)("%s speaks of no upload in the library, where it can come up there", (code) => {
    const { what, means, todo } = presentInLibrary(code);
    for (const words of Object.values(LANGUAGES)) {
      for (const key of [what, means, todo]) expect(words[key]).toMatch(/[.]$/);
    }
    if (what === present(code).what) return;
    expect(LANGUAGES.en[what] + LANGUAGES.en[means] + LANGUAGES.en[todo]).not.toMatch(/upload|safe here/i);
  });

  it("a code of a newer engine is an answer that nobody here knows", () => {
    expect(present("from_the_future" as Code)).toBe(present("unexpected_answer"));
  });
});
