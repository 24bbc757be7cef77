import { expect, it } from "vitest";
import { anUpload } from "../../tests/uploads";
import { ending } from "./ended";

it("is what is ready, was given up or cancelled, or waits for somebody", () => {
  const before = anUpload({ phase: "uploading" });
  const to = (given: Parameters<typeof anUpload>[0]): string | undefined =>
    ending(before, anUpload(given))?.kind;
  expect(to({ phase: "ready" })).toBe("ready");
  expect(to({ hold: { kind: "failed", code: "processing_failed" } })).toBe("failed");
  expect(to({ hold: { kind: "needs_user", code: "duplicate" } })).toBe("needs");
  expect(to({ hold: { kind: "source_missing" } })).toBe("needs");
  expect(to({ hold: { kind: "cancelled" } })).toBe("cancelled");
  expect(to({ hold: { kind: "paused" } })).toBeUndefined();
  expect(ending(undefined, anUpload({ phase: "ready" }))).toBeNull();
});
