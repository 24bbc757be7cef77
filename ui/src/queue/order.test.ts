import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { anUpload } from "../../tests/uploads";
import type { Spot } from "../bindings/Spot";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";
import { browserHost } from "../host/browser";
import { Store } from "../store.svelte";
import { listKey } from "./keys";
import { blockOf, gapBy, isMovable, type Line, spotAt, within } from "./line";
import { Order } from "./order.svelte";

/** Of uploads named by letters: capitals are set to go next, those in brackets cannot be moved. */
function aLine(letters: string): Line {
  const uploads = [...letters.matchAll(/\((\w)\)|(\w)/g)].map(([, stuck, free]) => {
    const id = stuck ?? free ?? "";
    const first = id !== id.toLowerCase();
    return anUpload(stuck ? { id, first, phase: "uploading" } : { id, first });
  });
  return {
    count: uploads.length,
    firsts: uploads.filter(({ first }) => first).length,
    at: (index) => uploads[index],
    index: (id) => uploads.findIndex((upload) => upload.id === id),
  };
}

describe("what can be moved", () => {
  it.each<[string, Partial<UploadView>, boolean]>([
    ["waits for its turn", {}, true],
    ["is prepared", { active: true }, false],
    ["is tried again", { hold: { kind: "backoff", until: 1 } }, true],
    ["is paused halfway", { phase: "uploading", hold: { kind: "paused" } }, true],
    ["waits for the network", { phase: "uploading", hold: { kind: "offline", until: 1 } }, true],
    ["was begun and has no room", { phase: "uploading" }, false],
    ["needs somebody", { hold: { kind: "needs_user", code: "duplicate" } }, false],
    ["was cancelled", { hold: { kind: "cancelled" } }, false],
    ["is ready", { phase: "ready" }, false],
  ])("an upload that %s", (_, given, movable) => {
    expect(isMovable(anUpload(given))).toBe(movable);
  });
});

describe("where it goes", () => {
  const move = (letters: string, ids: string, by: number): Spot | null | undefined => {
    const line = aLine(letters);
    const block = blockOf(line, ids);
    return block ? spotAt(line, block, gapBy(block, by)) : undefined;
  };

  it.each<[string, string, number, Spot | null | undefined]>([
    ["abcd", "c", -1, { before: "b" }],
    ["abcd", "b", -1, "front"],
    ["abcd", "b", 1, { before: "d" }],
    ["abcd", "c", 1, "end"],
    ["abcd", "d", -Infinity, "front"],
    ["abcd", "a", Infinity, "end"],
    ["abcd", "a", -1, null],
    ["abcd", "d", 1, null],
    ["abcd", "cb", -1, "front"],
    ["abcde", "db", 1, "end"],
    ["abcd", "ac", -1, "front"],
    ["abcdef", "b", 3, { before: "f" }],
    // What is set to go next stays above the rest.
    ["ABcd", "d", -Infinity, { before: "c" }],
    ["ABcd", "c", -1, null],
    ["ABcd", "A", Infinity, { before: "c" }],
    ["ABcd", "B", -Infinity, "front"],
    // What cannot be moved is left where it is, and others pass it.
    ["(a)bc", "b", -1, "front"],
    ["(a)bc", "a", 1, undefined],
    ["(a)bc", "ac", -1, { before: "b" }],
    ["abc", "x", 1, undefined],
  ])("in %s, %s by %d", (letters, ids, by, spot) => {
    expect(move(letters, ids, by)).toEqual(spot);
  });

  it("carries several from the top, whatever the order in which they were selected", () => {
    const line = aLine("abcdef");
    const block = blockOf(line, ["e", "b"]);
    if (!block) throw new Error("nothing to move");
    expect(block.ids).toEqual(["b", "e"]);
    expect(spotAt(line, block, within(block, 4))).toEqual({ before: "f" });
    expect(spotAt(line, block, within(block, -7))).toBe("front");
    expect(spotAt(line, block, within(block, 99))).toBe("end");
  });

  it("costs what is moved, not what waits", () => {
    const uploads = Array.from({ length: 100_000 }, (_, index) => anUpload({ id: String(index) }));
    let looks = 0;
    const line: Line = {
      count: uploads.length,
      firsts: 0,
      at: (index) => {
        looks++;
        return uploads[index];
      },
      index: Number,
    };
    const block = blockOf(line, ["70000", "70001"]);
    expect(block && spotAt(line, block, gapBy(block, -1))).toEqual({ before: "69999" });
    expect(looks).toBeLessThan(10);
  });
});

describe("keys", () => {
  it.each([
    ["ArrowUp", "move_up"],
    ["ArrowDown", "move_down"],
    ["Home", "move_top"],
    ["End", "move_end"],
  ])("Alt and %s", (key, move) => {
    const pressed = { key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: true };
    expect(listKey(pressed)).toEqual({ kind: "order", move });
    expect(listKey({ ...pressed, ctrlKey: true })).toBeNull();
  });
});

/** The scripted queue, which moves by itself only when a test lets time pass. */
async function aQueue(query = "scenario=busy") {
  const host = browserHost(new URLSearchParams(query));
  const store = new Store(host);
  const stop = store.start();
  const refused: unknown[] = [];
  const order = new Order(host, store, async (command) => {
    try {
      await command;
      return true;
    } catch (error) {
      refused.push(error);
      return false;
    }
  });
  await vi.advanceTimersByTimeAsync(0);
  const titles = (): string[] =>
    Array.from({ length: store.count("waiting") }, (_, index) => store.at("waiting", index)?.title ?? "");
  const id = (title: string): UploadId => {
    const place = titles().indexOf(title);
    const upload = store.at("waiting", place);
    if (!upload) throw new Error(`no ${title} waits`);
    return upload.id;
  };
  return { host, store, order, stop, refused, titles, id };
}

const finish = (command: Promise<void>): Promise<unknown> =>
  Promise.all([command, vi.advanceTimersByTimeAsync(3_000)]);

describe("order", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("shows the new order once the engine has it, and says so", async () => {
    const { order, titles, id, stop } = await aQueue("scenario=offline&order=slow");
    const [first, second] = titles() as [string, string];
    const moved = id(second);
    const command = order.move([moved], -1);
    await vi.advanceTimersByTimeAsync(300);
    expect(titles()[0]).toBe(first);
    expect(order.underWay).toContain(moved);
    await finish(command);
    expect(titles().slice(0, 2)).toEqual([second, first]);
    expect(order.underWay).toEqual([]);
    expect(order.said).toBe(`${second} is now 1 of ${String(titles().length)}.`);
    stop();
  });

  it("leaves the order as it is when the engine refuses, and hands on why", async () => {
    const { order, titles, id, refused, stop } = await aQueue("scenario=offline&order=refused");
    const before = titles();
    await finish(order.move([id(before[1] ?? "")], -1));
    expect(titles()).toEqual(before);
    expect(refused).toEqual([{ code: "local_storage", message: "the disk is full" }]);
    expect(order.underWay).toEqual([]);
    expect(order.said).toBe("");
    stop();
  });

  it("adds up what is pressed while a change is under way", async () => {
    const { order, titles, id, stop } = await aQueue("scenario=busy&order=slow");
    const [, , , , last] = titles() as string[];
    const moved = [id(last ?? "")];
    await finish(Promise.all([-1, -1, -1].map((by) => order.move(moved, by))).then(() => undefined));
    expect(titles().indexOf(last ?? "")).toBe(1);
    stop();
  });

  it("puts what goes next on top, and keeps it there until that is undone", async () => {
    const { order, titles, id, stop } = await aQueue("scenario=offline");
    const [first, second, third] = titles() as [string, string, string];
    await finish(order.setFirst([id(third)], true));
    expect(titles().slice(0, 3)).toEqual([third, first, second]);
    expect(order.said).toBe(`${third} goes next.`);
    const others = [id(second)];
    expect(order.leading(others, [-1, 1, Infinity])).toEqual([-1]);
    await finish(order.move(others, -Infinity));
    expect(titles().slice(0, 3)).toEqual([third, second, first]);
    await finish(order.setFirst([id(third)], false));
    await finish(order.move(others, -Infinity));
    expect(titles().slice(0, 3)).toEqual([second, third, first]);
    stop();
  });

  it("says why nothing moves", async () => {
    const { order, store, titles, id, stop } = await aQueue();
    await finish(order.move([store.at("uploading", 0)?.id ?? ""], 1));
    expect(order.said).toBe("Only what waits can be moved.");
    await finish(order.move([id(titles()[0] ?? "")], -1));
    expect(order.said).toBe("That is as far up as it goes.");
    stop();
  });
});

describe("the scripted queue", () => {
  it("gives all new places where there is no room left, and the list is read again", async () => {
    vi.useFakeTimers();
    const { host, titles, id, stop } = await aQueue("scenario=offline");
    const [a, b, c] = titles() as [string, string, string];
    let told = 0;
    await host.subscribe(({ news }) => {
      if (news.kind === "order") told++;
    });
    for (let round = 0; round < 200; round++) {
      const [moved, before] = round % 2 === 0 ? [b, a] : [a, b];
      await host.put([id(moved)], { before: id(before) });
      await vi.advanceTimersByTimeAsync(1);
      expect(titles().slice(0, 3)).toEqual(round % 2 === 0 ? [b, a, c] : [a, b, c]);
    }
    expect(told).toBeGreaterThan(0);
    stop();
    vi.useRealTimers();
  });

  it("refuses a place before what has ended", async () => {
    const host = browserHost(new URLSearchParams("scenario=busy"));
    const { uploads } = await host.everything();
    const ended = uploads.find(({ phase }) => phase === "ready")?.id ?? "";
    const waiting = uploads.find(({ phase }) => phase === "queued")?.id ?? "";
    await expect(host.put([waiting], { before: ended })).rejects.toMatchObject({ code: "wrong_state" });
  });
});
