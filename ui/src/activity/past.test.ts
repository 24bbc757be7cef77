import { describe, expect, it } from "vitest";
import { anEnded, NOW } from "../../tests/uploads";
import type { EndedBefore } from "../bindings/EndedBefore";
import type { EndedView } from "../bindings/EndedView";
import { drawn, pagesBetween, placeOf, rowAt, totalHeight } from "./pages";
import { Past } from "./past.svelte";

const PAGE = 100;
const HOUR = 3_600_000;
const HEIGHTS = { row: 50, day: 36 };

/** One an hour, newest first. */
function ended(index: number): EndedView {
  return anEnded({
    uploadId: `u${String(100_000 - index)}`,
    title: `clip ${String(index)}`,
    endedAt: NOW - index * HOUR,
  });
}

/** A host with so many uploads that have ended, and what it was asked. */
function aHost(count: number) {
  const asked: (EndedBefore | null)[] = [];
  const all = Array.from({ length: count }, (_, index) => ended(index));
  const activity = async (search: string, before: EndedBefore | null) => {
    asked.push(before);
    const found = all.filter(
      ({ title, endedAt }) => title.includes(search) && (!before || endedAt < before.endedAt),
    );
    return found.slice(0, PAGE);
  };
  return { host: { activity }, asked, all };
}

const loaded = (past: Past): number => past.pages.filter(({ rows }) => rows !== null).length;
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("the past", () => {
  it("comes page by page, to its end", async () => {
    const past = new Past(aHost(250).host);
    await past.begin("");
    expect(past.size).toBe(100);
    await past.more();
    await past.more();
    expect(past.size).toBe(250);
    expect(past.end).toBe(false);
    await past.more();
    expect(past.end).toBe(true);
    expect(rowAt(past.pages, 249)?.title).toBe("clip 249");
  });

  it("keeps the rows of a few pages however long it is, and asks for them again", async () => {
    const { host, asked } = aHost(3_000);
    const past = new Past(host);
    await past.begin("");
    for (let page = 1; page < 30; page++) {
      await past.more();
      past.see(page, page);
    }
    expect(past.size).toBe(3_000);
    expect(loaded(past)).toBeLessThanOrEqual(5);
    const height = totalHeight(past.pages, HEIGHTS);
    expect(rowAt(past.pages, 3)).toBeNull();
    const before = asked.length;
    past.see(0, 0);
    past.see(0, 0);
    await settle();
    expect(asked.length).toBe(before + 1);
    expect(rowAt(past.pages, 3)?.title).toBe("clip 3");
    expect(loaded(past)).toBeLessThanOrEqual(5);
    expect(totalHeight(past.pages, HEIGHTS)).toBe(height);
  });

  it("shows no row twice where others have gone meanwhile", async () => {
    const { host, all } = aHost(400);
    const past = new Past(host);
    await past.begin("");
    for (let page = 1; page < 4; page++) await past.more();
    past.see(3, 3);
    all.splice(10, 5);
    past.see(0, 3);
    await settle();
    const rows = past.pages.flatMap(({ rows }) => rows ?? []).map(({ ended }) => ended.uploadId);
    expect(new Set(rows).size).toBe(rows.length);
    expect(past.size).toBe(395);
  });

  it("takes no answer to what was asked before", async () => {
    const { host } = aHost(50);
    const past = new Past(host);
    const first = past.begin("");
    await past.begin("clip 7");
    await first;
    expect(past.size).toBe(1);
  });

  it("searches once at a time, and of what is typed meanwhile only the last", async () => {
    const { host } = aHost(50);
    const searched: string[] = [];
    let answer: () => void = () => undefined;
    const slow = async (search: string, before: EndedBefore | null) => {
      searched.push(search);
      await new Promise<void>((resolve) => (answer = resolve));
      return host.activity(search, before);
    };
    const past = new Past({ activity: slow });
    const all = ["c", "cl", "cli", "clip 7"].map((text) => past.begin(text));
    await settle();
    expect(searched).toEqual(["clip 7"]);
    all.push(past.begin("clip 8"), past.begin("clip 9"));
    await settle();
    expect(searched).toEqual(["clip 7"]);
    answer();
    await settle();
    expect(searched).toEqual(["clip 7", "clip 9"]);
    answer();
    await Promise.all(all);
    expect(rowAt(past.pages, 0)?.title).toBe("clip 9");
  });

  it("says what went wrong", async () => {
    const broke = { code: "local_storage", message: "disk" } as const;
    const past = new Past({ activity: () => Promise.reject(broke) });
    await past.begin("");
    expect(past.loaded).toBe(true);
    expect(past.problem?.code).toBe("local_storage");
  });
});

describe("what is drawn", () => {
  it("has each day once, and of many rows only those that are seen", async () => {
    const past = new Past(aHost(300).host);
    await past.begin("");
    await past.more();
    await past.more();
    const whole = totalHeight(past.pages, HEIGHTS);
    const all = drawn(past.pages, HEIGHTS, 0, whole);
    const days = all.filter(({ kind }) => kind === "day");
    expect(new Set(days.map(({ key }) => key)).size).toBe(days.length);
    expect(all.length).toBe(300 + days.length);
    expect(all.at(-1)?.top).toBe(whole - HEIGHTS.row);
    const some = drawn(past.pages, HEIGHTS, whole / 2, whole / 2 + 500);
    expect(some.length).toBeLessThan(15);
    expect(pagesBetween(past.pages, HEIGHTS, whole / 2, whole / 2 + 500)).toEqual({ first: 1, last: 1 });
  });

  it("knows where a row is", async () => {
    const past = new Past(aHost(300).host);
    await past.begin("");
    await past.more();
    const place = placeOf(past.pages, HEIGHTS, ended(150).uploadId);
    expect(place?.index).toBe(150);
    const item = drawn(past.pages, HEIGHTS, 0, 1e9).find((one) => one.kind === "row" && one.index === 150);
    expect(item?.top).toBe(place?.top);
  });
});
