import { expect, it } from "vitest";
import { announcement } from "./announcement";

it("says what ended in a sentence each, and how many where they are many", () => {
  const titles = ["a.mov", "b.mov"];
  const of = (kind: "ready" | "needs" | "failed" | "cancelled", count: number): string =>
    announcement(titles.slice(0, count).map((title) => ({ kind, title })));
  expect(of("ready", 1)).toBe("a.mov is ready.");
  expect(of("ready", 2)).toBe("2 videos are ready.");
  expect(of("needs", 1)).toBe("a.mov needs you.");
  expect(of("failed", 1)).toBe("a.mov could not be uploaded.");
  expect(of("failed", 2)).toBe("2 uploads need you.");
  expect(of("cancelled", 1)).toBe("a.mov is cancelled.");
  expect(of("cancelled", 2)).toBe("2 uploads are cancelled.");
  const both = announcement([
    { kind: "cancelled", title: "a.mov" },
    { kind: "ready", title: "b.mov" },
  ]);
  expect(both).toBe("b.mov is ready. a.mov is cancelled.");
});
