import { describe, expect, it } from "vitest";
import { anUpload } from "../../tests/uploads";
import type { AllowanceView } from "../bindings/AllowanceView";
import type { UploadView } from "../bindings/UploadView";
import { type Action, allows, actionsFor, mainAction } from "./actions";
import { fileType, rowState, shares } from "./state";

const STILL = anUpload({}).progress;

describe("states", () => {
  it.each<[Partial<UploadView>, string]>([
    [{}, "state.waiting"],
    [{ active: true }, "state.preparing"],
    [{ phase: "uploading", active: true }, "state.uploading"],
    [{ phase: "uploading", active: true, growing: true, progress: STILL }, "state.writing"],
    [
      { phase: "uploading", active: true, growing: true, progress: { ...STILL, inFlightBytes: 1 } },
      "state.recording",
    ],
    [
      { phase: "uploading", active: true, growing: true, progress: { ...STILL, bytesPerSecond: 1 } },
      "state.recording",
    ],
    [{ phase: "uploading" }, "state.waiting"],
    [{ phase: "uploading", hold: { kind: "paused" } }, "state.paused"],
    [{ phase: "uploading", hold: { kind: "offline", until: 0 } }, "state.offline"],
    [{ phase: "finishing" }, "state.finishing"],
    [{ phase: "processing" }, "state.processing"],
    [{ phase: "ready" }, "state.ready"],
    [{ hold: { kind: "cancelled" } }, "state.cancelled"],
  ])("%o", (given, word) => {
    expect(rowState(anUpload(given))).toMatchObject({ kind: "word", word });
  });

  it("keeps the code of what needs somebody", () => {
    expect(rowState(anUpload({ hold: { kind: "source_missing" } }))).toEqual({
      kind: "problem",
      code: "source_missing",
      failed: false,
    });
    const failed = anUpload({ hold: { kind: "failed", code: "damaged" } });
    expect(rowState(failed)).toMatchObject({ failed: true });
  });

  it.each<[AllowanceView, string]>([
    [{ kind: "schedule", until: null }, "state.schedule"],
    [{ kind: "metered" }, "state.metered"],
    [{ kind: "battery" }, "state.battery"],
    [{ kind: "limit", bytesPerSecond: 1 }, "state.waiting"],
  ])("says of what stands halfway why: %o", (allowance, word) => {
    expect(rowState(anUpload({ phase: "uploading" }), allowance)).toMatchObject({ word });
    expect(rowState(anUpload({}), allowance)).toMatchObject({ word: "state.waiting" });
    const paused = anUpload({ phase: "uploading", hold: { kind: "paused" } });
    expect(rowState(paused, allowance)).toMatchObject({ word: "state.paused" });
  });
});

describe("the bar", () => {
  it("is full only when the server has said so", () => {
    const all = { totalBytes: 10, confirmedBytes: 10 };
    expect(shares(anUpload({ phase: "uploading", progress: all })).confirmed).toBeLessThan(1);
    expect(shares(anUpload({ phase: "finishing", progress: all })).confirmed).toBeLessThan(1);
    expect(shares(anUpload({ phase: "processing", progress: all })).confirmed).toBe(1);
  });

  it("never shows more than the whole", () => {
    const { confirmed, inFlight } = shares(
      anUpload({ phase: "uploading", progress: { totalBytes: 10, confirmedBytes: 9, inFlightBytes: 8 } }),
    );
    expect(confirmed + inFlight).toBeLessThanOrEqual(1);
    expect(shares(anUpload({ progress: { totalBytes: 0 } }))).toEqual({ confirmed: 0, inFlight: 0 });
  });
});

describe("actions", () => {
  const moves = ["move_top", "move_up", "move_down", "move_end"] as const;

  it.each<[string, Partial<UploadView>, Action[]]>([
    ["waiting", {}, ["pause", "next", ...moves, "details", "play_local", "show_in_folder", "cancel"]],
    [
      "set to go next",
      { first: true },
      ["pause", "not_next", ...moves, "details", "play_local", "show_in_folder", "cancel"],
    ],
    [
      "under way and set to go first",
      { first: true, active: true, phase: "uploading" },
      ["pause", "not_next", "details", "play_local", "show_in_folder", "cancel"],
    ],
    [
      "paused",
      { hold: { kind: "paused" } },
      ["resume", ...moves, "details", "play_local", "show_in_folder", "cancel"],
    ],
    [
      "offline",
      { hold: { kind: "offline", until: 0 } },
      ["pause", "retry", "next", ...moves, "details", "play_local", "show_in_folder", "cancel"],
    ],
    [
      "processing",
      { phase: "processing", videoId: "v" },
      ["copy_link", "details", "play_local", "show_in_folder"],
    ],
    ["ready", { phase: "ready", videoId: "v" }, ["play", "copy_link", "details", "show_in_folder", "remove"]],
    [
      "failed",
      { hold: { kind: "failed", code: "damaged" } },
      ["retry", "details", "play_local", "show_in_folder", "remove"],
    ],
    ["missing", { hold: { kind: "source_missing" } }, ["retry", "details", "show_in_folder", "cancel"]],
    ["cancelled", { hold: { kind: "cancelled" } }, ["details", "play_local", "show_in_folder", "remove"]],
    [
      "needy",
      { hold: { kind: "needs_user", code: "refused" } },
      ["retry", "details", "play_local", "show_in_folder", "cancel"],
    ],
    [
      "duplicate",
      { hold: { kind: "needs_user", code: "duplicate" } },
      ["send_anyway", "details", "play_local", "show_in_folder", "cancel"],
    ],
  ])("of one that is %s", (_, given, actions) => {
    expect(actionsFor([anUpload(given)])).toEqual(actions);
  });

  it("for many are those that at least one takes", () => {
    const paused = anUpload({ hold: { kind: "paused" } });
    const done = anUpload({ id: "02", phase: "ready", videoId: "v" });
    expect(actionsFor([paused, done])).toEqual(["resume", ...moves, "copy_link", "cancel", "remove"]);
    expect(allows(done, "cancel")).toBe(false);
  });

  it("has one that Enter means", () => {
    expect(mainAction(anUpload({ phase: "ready" }))).toBe("play");
    expect(mainAction(anUpload({ hold: { kind: "paused" } }))).toBe("resume");
    expect(mainAction(anUpload())).toBe("pause");
    expect(mainAction(anUpload({ hold: { kind: "cancelled" } }))).toBeNull();
  });
});

describe("the file's type", () => {
  it.each([
    ["/a/b/clip.mov", "MOV"],
    ["C:\\footage\\clip.MP4", "MP4"],
    ["/a/.hidden", ""],
    ["/a/no ending", ""],
    ["/a/odd.verylong", ""],
  ])("%s", (path, type) => {
    expect(fileType(path)).toBe(type);
  });
});
