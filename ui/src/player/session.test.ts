import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PlaybackView } from "../bindings/PlaybackView";
import { withSignatureOf } from "./address";
import { PlaybackSession } from "./session";

const MINUTE = 60_000;
let asked = 0;
let lives: number | null = 10 * MINUTE;
let refuse = 0;

async function ask(): Promise<PlaybackView> {
  if (refuse > 0) {
    refuse--;
    throw { code: "unreachable", message: "" };
  }
  asked++;
  return {
    url: `https://media.example/v.m3u8?token=${String(asked)}`,
    form: "stream",
    posterUrl: null,
    storyboardUrl: null,
    duration: 60,
    expiresAt: lives === null ? null : Date.now() + lives,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  lives = 10 * MINUTE;
  refuse = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

async function started(): Promise<{ session: PlaybackSession; renewed: string[] }> {
  const renewed: string[] = [];
  const session = new PlaybackSession(ask, ({ url }) => renewed.push(url));
  await session.start();
  return { session, renewed };
}

describe("playback session", () => {
  it("is renewed a minute before it ends, again and again", async () => {
    const { session, renewed } = await started();
    await vi.advanceTimersByTimeAsync(8.9 * MINUTE);
    expect(renewed).toEqual([]);
    await vi.advanceTimersByTimeAsync(0.2 * MINUTE);
    expect(renewed).toHaveLength(1);
    expect(session.view?.url).toContain("token=2");
    await vi.advanceTimersByTimeAsync(9 * MINUTE);
    expect(renewed).toHaveLength(2);
  });

  it("is renewed when a fifth is left of a short life", async () => {
    lives = 10_000;
    const { renewed } = await started();
    await vi.advanceTimersByTimeAsync(7_900);
    expect(renewed).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(renewed).toHaveLength(1);
  });

  it("does not ask in a circle when it is given one that has ended", async () => {
    lives = -1_000;
    await started();
    await vi.advanceTimersByTimeAsync(10_500);
    expect(asked).toBeLessThanOrEqual(11);
  });

  it("tries again when the team cannot be asked", async () => {
    const { renewed } = await started();
    refuse = 2;
    await vi.advanceTimersByTimeAsync(9 * MINUTE + 1_000);
    expect(renewed).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(renewed).toHaveLength(1);
  });

  it("is renewed at once after a sleep in which it ended", async () => {
    const { session, renewed } = await started();
    vi.setSystemTime(Date.now() + 30 * MINUTE);
    session.check();
    await vi.advanceTimersByTimeAsync(0);
    expect(renewed).toHaveLength(1);
  });

  it("shares one answer among those who ask at once", async () => {
    const { session } = await started();
    const [one, other] = await Promise.all([session.renew(), session.renew()]);
    expect(one).toBe(other);
    expect(asked).toBe(2);
  });

  it("without an end is left alone, and stops when told", async () => {
    lives = null;
    await started();
    await vi.advanceTimersByTimeAsync(24 * 60 * MINUTE);
    expect(asked).toBe(1);
    lives = MINUTE;
    const { session } = await started();
    session.stop();
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(asked).toBe(2);
  });
});

describe("the signature of a request", () => {
  const session = "https://media.example/v.m3u8?token=new";

  it("is the newest session's", () => {
    expect(withSignatureOf("https://media.example/v/seg1.m4s?token=old", session)).toBe(
      "https://media.example/v/seg1.m4s?token=new",
    );
  });

  it("is told to no other origin, and to nobody who had none", () => {
    for (const address of ["https://other.example/seg?token=old", "https://media.example/seg1.m4s"]) {
      expect(withSignatureOf(address, session)).toBe(address);
    }
  });
});
