import { expect, it, vi } from "vitest";
import { Posters } from "./posters.svelte";

it("are asked for again after a while where nobody answered", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const ask = vi.fn(async (): Promise<string | null> => {
    if (ask.mock.calls.length === 1) throw new Error("offline");
    return null;
  });
  const posters = new Posters(ask);
  const wanted = async (after: number): Promise<number> => {
    vi.advanceTimersByTime(after);
    posters.want("a");
    await Promise.resolve();
    await Promise.resolve();
    return ask.mock.calls.length;
  };
  expect(await wanted(0)).toBe(1);
  expect(await wanted(29_000)).toBe(1);
  expect(await wanted(1_000)).toBe(2);
  // It has none.
  expect(await wanted(60_000)).toBe(2);
  vi.useRealTimers();
});
