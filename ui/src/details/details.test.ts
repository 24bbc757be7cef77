import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { anUpload, NOW } from "../../tests/uploads";
import type { Episode } from "../bindings/Episode";
import type { Event } from "../bindings/Event";
import type { PartsView } from "../bindings/PartsView";
import type { ReceiptView } from "../bindings/ReceiptView";
import { eventWords, isSetback, lastTime, retries } from "./happened";
import { Particulars } from "./particulars.svelte";
import { report } from "./report";
import { Speeds } from "./speeds";
import { ofUpload } from "./subject";

const why = { kind: "server_fault", status: 503 } as const;
const EVENTS: Event[] = [
  { kind: "added" },
  { kind: "begun" },
  { kind: "failed", why, then: "backoff" },
  { kind: "parts_sent_again" },
  { kind: "omitted", events: 7, retries: 5 },
  { kind: "finished" },
];

function episode(number: number, event: Event, times = 1): Episode {
  return { number, at: NOW + number * 60_000, lastAt: NOW + number * 60_000 + times, times, event };
}

const EPISODES = EVENTS.map((event, number) => episode(number, event, event.kind === "failed" ? 3 : 1));

const RECEIPT: ReceiptView = {
  uploadId: "01",
  videoId: "vid_7",
  path: "/footage/reel.mov",
  size: 1000,
  checksum: "kJ2uXNf0s9E=",
  algorithm: "CRC64NVME",
  key: "originals/01",
  server: "https://team.example/",
  projectId: "p",
  project: "Spring / Rushes",
  team: "North Studio",
  parts: 2,
  proof: "signed",
  answer: { size: 1000, checksum: null },
  addedAt: NOW,
  beganAt: NOW,
  finishedAt: NOW,
  retries: 9,
};

describe("what happened", () => {
  it("is a sentence each, that says why and what then", () => {
    expect(eventWords({ kind: "failed", why, then: "backoff" })).toBe(
      "The server had a fault (503). It is tried again after a pause.",
    );
    const refused = { kind: "refused", code: "quota_exceeded", reason: "9 TB of 9 TB" } as const;
    expect(eventWords({ kind: "failed", why: refused, then: "needs_user" })).toBe(
      "Your team’s storage is full. The server says: “9 TB of 9 TB”. It waits for you.",
    );
    const reason = "The file could not be read.";
    expect(eventWords({ kind: "processing_failed", reason })).toBe(
      "No playable version could be made. The server says: “The file could not be read”.",
    );
    expect(eventWords({ kind: "omitted", events: 1, retries: 0 })).toBe("1 more event is not kept.");
  });

  it("counts tries as the engine does: also those that are no more told", () => {
    expect(retries(EPISODES)).toBe(3 + 1 + 5);
    expect(EPISODES.filter(isSetback).map(({ number }) => number)).toEqual([2, 3]);
    expect(lastTime(EPISODES, "begun")).toBe(NOW + 60_001);
    expect(lastTime(EPISODES, "sent")).toBeNull();
  });
});

describe("a report", () => {
  it("has what a helper needs, exact and with the world's time", () => {
    const upload = anUpload({ phase: "uploading", hold: { kind: "needs_user", code: "quota_exceeded" } });
    const parts: PartsView = { count: 4, partSize: 250, confirmed: 1, runs: [100, 0, 0, 0] };
    const text = report(ofUpload(upload), { parts, episodes: EPISODES, receipt: null });
    expect(text).toContain("Upload id: 01");
    expect(text).toContain("State: uploading, needs_user (quota_exceeded)");
    expect(text).toContain("Parts: 1 / 4 × 250 B");
    expect(text).toContain(`${new Date(NOW + 120_000).toISOString()}  The server had a fault (503).`);
    expect(text).toContain("(× 3, ");
    expect(text).not.toContain("Checksum");
  });

  it("has the receipt of one that is off the list", () => {
    const subject = { ...ofUpload(anUpload()), upload: null };
    const text = report(subject, { parts: null, episodes: [], receipt: RECEIPT });
    expect(text).toContain("Checksum: CRC64NVME kJ2uXNf0s9E= (signed)");
    expect(text).toContain("Storage key: originals/01");
    expect(text).toContain("Failed tries: 9");
    expect(text).not.toContain("State");
  });
});

describe("speeds", () => {
  const news = (id: string, bytesPerSecond: number) => ({
    id,
    progress: { ...anUpload().progress, bytesPerSecond },
  });

  it("are kept of what moves, and of nothing that has stood still for a minute", () => {
    const speeds = new Speeds();
    speeds.note([news("a", 5), news("b", 0)]);
    speeds.tick();
    speeds.tick();
    expect(speeds.of("a")).toEqual([5, 5]);
    expect(speeds.of("b")).toEqual([]);
    for (let second = 0; second < 5; second++) speeds.tick();
    expect(speeds.of("a").slice(2)).toEqual([0, 0, 0, 0, 0]);
    for (let second = 0; second < 60; second++) speeds.tick();
    expect(speeds.size).toBe(0);
  });
});

describe("particulars", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are asked for at most once a second, however often the row changes", async () => {
    const history = vi.fn(async () => EPISODES);
    const gone = { code: "wrong_state", message: "not finished" } as const;
    const host = { parts: async () => null, history, receipt: () => Promise.reject(gone) };
    const known = new Particulars(host, "01");
    known.ask();
    await vi.advanceTimersByTimeAsync(10);
    expect(known.loaded).toBe(true);
    expect(known.receipt).toBeNull();
    expect(known.problem).toBeNull();
    for (let time = 0; time < 30; time++) {
      known.ask();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(history.mock.calls.length).toBeLessThanOrEqual(4);
    expect(history.mock.calls.length).toBeGreaterThanOrEqual(3);
    known.stop();
    const before = history.mock.calls.length;
    known.ask();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(history).toHaveBeenCalledTimes(before);
  });

  it("say what went wrong, and mend", async () => {
    let broken = true;
    const broke = { code: "stopped", message: "stopped" } as const;
    const history = async () => (broken ? Promise.reject(broke) : EPISODES);
    const known = new Particulars({ parts: async () => null, history, receipt: async () => RECEIPT }, "01");
    known.ask();
    await vi.advanceTimersByTimeAsync(10);
    expect(known.problem?.code).toBe("stopped");
    broken = false;
    known.ask();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(known.problem).toBeNull();
    expect(known.receipt).toEqual(RECEIPT);
  });
});
