import { describe, expect, it } from "vitest";
import { anUpload, NOW } from "../../tests/uploads";
import type { Hold } from "../bindings/Hold";
import type { Phase } from "../bindings/Phase";
import type { UploadView } from "../bindings/UploadView";
import { dayStart } from "../format";
import { type Group, GROUPS, groupOf } from "./group";
import { Roster } from "./roster";

const TODAY = dayStart(NOW);

function filled(...uploads: UploadView[]): Roster {
  const roster = new Roster(TODAY);
  roster.reset(uploads);
  return roster;
}

function ids(roster: Roster, group: Group): string[] {
  return Array.from({ length: roster.count(group) }, (_, index) => roster.at(group, index)?.id ?? "?");
}

describe("groups", () => {
  it.each<[string, Partial<UploadView>, Group]>([
    ["waits for its turn", {}, "waiting"],
    ["is worked on", { active: true, phase: "beginning" }, "uploading"],
    ["is put together", { phase: "finishing" }, "uploading"],
    ["is processed", { phase: "processing", uploadedAt: NOW }, "today"],
    ["is processed since yesterday", { phase: "processing", uploadedAt: TODAY - 1 }, "earlier"],
    [
      "is asked about again soon",
      { phase: "processing", uploadedAt: NOW, hold: { kind: "backoff", until: 0 } },
      "today",
    ],
    ["is paused", { phase: "uploading", hold: { kind: "paused" } }, "waiting"],
    ["waits for the network", { phase: "uploading", hold: { kind: "offline", until: 0 } }, "waiting"],
    ["had a hiccup", { phase: "uploading", hold: { kind: "backoff", until: 0 } }, "uploading"],
    ["needs somebody", { hold: { kind: "needs_user", code: "quota_exceeded" } }, "needs"],
    ["failed", { hold: { kind: "failed", code: "damaged" } }, "needs"],
    ["lost its file", { hold: { kind: "source_missing" } }, "needs"],
    ["got ready today", { phase: "ready", uploadedAt: NOW }, "today"],
    ["got ready before", { phase: "ready", uploadedAt: TODAY - 1 }, "earlier"],
    ["was cancelled", { hold: { kind: "cancelled" } }, "today"],
  ])("an upload that %s", (_, given, group) => {
    expect(groupOf(anUpload(given), TODAY)).toBe(group);
  });
});

describe("roster", () => {
  it("keeps queue order, and what is done the newest first", () => {
    const roster = filled(
      anUpload({ id: "a" }),
      anUpload({ id: "b", phase: "ready", uploadedAt: NOW - 20 }),
      anUpload({ id: "c" }),
      anUpload({ id: "d", phase: "ready", uploadedAt: NOW - 10 }),
    );
    expect(ids(roster, "waiting")).toEqual(["a", "c"]);
    expect(ids(roster, "today")).toEqual(["d", "b"]);
    roster.put([anUpload({ id: "e" }), anUpload({ id: "a", active: true, phase: "uploading" })]);
    expect(ids(roster, "uploading")).toEqual(["a"]);
    expect(ids(roster, "waiting")).toEqual(["c", "e"]);
    roster.put([anUpload({ id: "a", phase: "uploading", hold: { kind: "paused" } })]);
    expect(ids(roster, "waiting")).toEqual(["a", "c", "e"]);
    expect(roster.place("c")).toEqual({ group: "waiting", index: 1 });
  });

  it("stands as the engine has it: what goes first, then by place, and what came first of one place", () => {
    const roster = filled(
      anUpload({ id: "a", place: 20 }),
      anUpload({ id: "b", place: 10 }),
      anUpload({ id: "c", place: 30, first: true }),
      anUpload({ id: "d", place: 20 }),
    );
    expect(ids(roster, "waiting")).toEqual(["c", "b", "a", "d"]);
    expect(roster.firsts("waiting")).toBe(1);
    roster.put([anUpload({ id: "d", place: 15 }), anUpload({ id: "c", place: 30 })]);
    expect(ids(roster, "waiting")).toEqual(["b", "d", "a", "c"]);
    expect(roster.firsts("waiting")).toBe(0);
    expect(roster.place("a")).toEqual({ group: "waiting", index: 2 });
  });

  it("counts bytes that move and bytes that wait for somebody apart", () => {
    const roster = filled(
      anUpload({
        id: "a",
        active: true,
        phase: "uploading",
        progress: { confirmedBytes: 400, bytesPerSecond: 7 },
      }),
      anUpload({ id: "b", hold: { kind: "paused" } }),
      anUpload({ id: "c", phase: "ready", progress: { confirmedBytes: 1000 } }),
      anUpload({ id: "d", hold: { kind: "cancelled" } }),
    );
    expect(roster.totals).toEqual({
      unsent: 2,
      unsentBytes: 1600,
      comingBytes: 600,
      bytesPerSecond: 7,
      pausable: 1,
      paused: 1,
      doneToday: 1,
    });
    const progress = {
      totalBytes: 1000,
      confirmedBytes: 900,
      inFlightBytes: 50,
      bytesPerSecond: 9,
      secondsLeft: 2,
    };
    roster.progress([{ id: "a", progress }]);
    expect(roster.get("a")?.progress).toEqual(progress);
    expect(roster.totals).toMatchObject({ unsentBytes: 1100, comingBytes: 100, bytesPerSecond: 9 });
    roster.remove(["a", "b", "c", "d", "unknown"]);
    expect(roster.size).toBe(0);
    expect(Object.values(roster.totals).every((total) => total === 0)).toBe(true);
  });

  it("turns today into earlier at midnight", () => {
    const roster = filled(anUpload({ phase: "ready", uploadedAt: NOW }));
    expect(roster.turn(TODAY)).toBe(false);
    expect(roster.turn(TODAY + 86_400_000)).toBe(true);
    expect(ids(roster, "earlier")).toEqual(["01"]);
    expect(roster.totals.doneToday).toBe(0);
  });

  it("comes to the same by changes as by a snapshot", () => {
    const phases: Phase[] = ["queued", "beginning", "uploading", "finishing", "processing", "ready"];
    const holds: Hold[] = [
      { kind: "none" },
      { kind: "paused" },
      { kind: "cancelled" },
      { kind: "backoff", until: 1 },
      { kind: "failed", code: "damaged" },
    ];
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const roster = new Roster(TODAY);
    const order: string[] = [];
    const truth = new Map<string, UploadView>();
    for (let step = 0; step < 400; step++) {
      const many = step % 50 === 49 ? 300 : 1 + random(3);
      const batch = new Map<string, UploadView>();
      for (let index = 0; index < many; index++) {
        const id = `u${String(random(500))}`;
        batch.set(
          id,
          anUpload({
            id,
            phase: phases[random(6)] ?? "queued",
            hold: holds[random(5)] ?? { kind: "none" },
            active: random(2) === 0,
            place: random(100),
            first: random(9) === 0,
            uploadedAt: NOW - random(100_000_000),
            progress: { confirmedBytes: random(1000), bytesPerSecond: random(50) },
          }),
        );
      }
      for (const [id, upload] of batch) {
        if (!truth.has(id)) order.push(id);
        truth.set(id, upload);
      }
      roster.put([...batch.values()]);
      if (step % 7 === 0) {
        const gone = `u${String(random(500))}`;
        roster.remove([gone]);
        if (truth.delete(gone)) order.splice(order.indexOf(gone), 1);
      }
    }
    const anew = filled(...order.flatMap((id) => truth.get(id) ?? []));
    for (const group of GROUPS) expect(ids(roster, group)).toEqual(ids(anew, group));
    expect(roster.totals).toEqual(anew.totals);
  });
});
