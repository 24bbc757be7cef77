import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { endStandstills } from "./standstill";

interface Playback {
  currentTime: number;
  paused?: boolean;
  seeking?: boolean;
  ended?: boolean;
  /** Of twelve seconds, the seconds from the first that are there. */
  there: number;
}

const orders: string[] = [];

function playing(state: Playback): HTMLVideoElement {
  return {
    paused: false,
    seeking: false,
    ended: false,
    duration: 12,
    ...state,
    buffered: { length: 1, start: () => 0, end: () => state.there },
    pause: () => orders.push("pause"),
    play: () => {
      orders.push("play");
      return Promise.resolve();
    },
  } as unknown as HTMLVideoElement;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  orders.length = 0;
});

it("what stands still with more at hand is told to play again, until it does", () => {
  const video = playing({ currentTime: 9.8, there: 12 });
  const forget = endStandstills(video);
  vi.advanceTimersByTime(500);
  expect(orders).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(orders).toEqual(["pause", "play", "pause", "play"]);
  for (let look = 0; look < 4; look++) {
    video.currentTime += 0.5;
    vi.advanceTimersByTime(500);
  }
  expect(orders).toHaveLength(4);
  forget();
  vi.advanceTimersByTime(2000);
  expect(orders).toHaveLength(4);
});

it("so is what stands just before its end", () => {
  endStandstills(playing({ currentTime: 11.9, there: 12 }));
  vi.advanceTimersByTime(1000);
  expect(orders).toEqual(["pause", "play"]);
});

it.each([
  ["has no more", { currentTime: 9.8, there: 9.9 }],
  ["is paused", { currentTime: 9.8, there: 12, paused: true }],
  ["is on its way to another place", { currentTime: 9.8, there: 12, seeking: true }],
  ["has ended", { currentTime: 12, there: 12, ended: true }],
])("what %s is left alone", (_, state) => {
  endStandstills(playing(state));
  vi.advanceTimersByTime(5000);
  expect(orders).toEqual([]);
});
