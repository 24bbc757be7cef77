import { describe, expect, it } from "vitest";
import { NOW } from "../tests/uploads";
import { clock, formats, kilobyte, timeLeft } from "./format";
import { Speedometer } from "./queue/speedometer";

const en = formats("en-GB");
const de = formats("de-DE");

describe("numbers", () => {
  it.each([
    [0, "0 B"],
    [812, "812 B"],
    [999, "999 B"],
    [1_000, "1 kB"],
    [999_499, "999 kB"],
    [999_600, "1.0 MB"],
    [2_400_000_000, "2.4 GB"],
    [60_240_000_000, "60.2 GB"],
    [118_400_000_000, "118 GB"],
    [3_000_000_000_000, "3.0 TB"],
  ])("%d bytes", (bytes, text) => {
    expect(en.size(bytes)).toBe(text);
  });

  it("counts a file's size as the system does, and a line's speed in tens", () => {
    const windows = formats("en-GB", kilobyte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/142.0"));
    expect(windows.size(2_400_000_000)).toBe("2.2 GB");
    expect(windows.sizeOf(1_500_000_000, 2_147_483_648)).toEqual({ part: "1.3", whole: "2.0 GB" });
    expect(windows.speed(5_000_000)).toBe("5.0 MB/s");
    expect(kilobyte("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15")).toBe(1000);
  });

  it("writes a part in the unit of the whole and never rounds it up", () => {
    expect(en.sizeOf(36_780_000_000, 60_200_000_000)).toEqual({ part: "36.7", whole: "60.2 GB" });
    expect(en.sizeOf(60_199_999_999, 60_200_000_000).part).toBe("60.1");
    expect(en.sizeOf(500_000, 2_400_000_000).part).toBe("0.0");
  });

  it("rounds percent down and follows the language", () => {
    expect(en.percent(0.999)).toBe("99%");
    expect(en.percent(0.29)).toBe("29%");
    expect(de.percent(0.61)).toBe("61\u00a0%");
    expect(de.speed(41_830_000)).toBe("41,8 MB/s");
  });

  it("names the day only when it is another", () => {
    expect(en.moment(NOW - 29 * 60_000, NOW)).toBe("14:31");
    expect(en.moment(NOW - 86_400_000, NOW)).toBe("19 Nov, 15:00");
  });

  it("writes lengths like a player", () => {
    expect([9, 128, 1122, 3723].map(clock)).toEqual(["0:09", "2:08", "18:42", "1:02:03"]);
  });
});

describe("time left", () => {
  it.each([
    [5, { kind: "moment" }],
    [61, { kind: "minutes", minutes: 2 }],
    [780, { kind: "minutes", minutes: 13 }],
    [1_900, { kind: "minutes", minutes: 35 }],
    [3_350, { kind: "hours", hours: 1, minutes: 0 }],
    [3_600, { kind: "hours", hours: 1, minutes: 0 }],
    [4_200, { kind: "hours", hours: 1, minutes: 10 }],
    [7_150, { kind: "hours", hours: 2, minutes: 0 }],
  ])("%d s", (seconds, expected) => {
    expect(timeLeft(seconds)).toEqual(expected);
  });

  it("is absent until it means something", () => {
    const speedometer = new Speedometer();
    for (const speed of [100, 100, 100]) speedometer.sample(speed);
    expect(speedometer.secondsFor(1_000)).toBeNull();
    speedometer.sample(100);
    expect(speedometer.secondsFor(1_000)).toBe(10);
    speedometer.sample(0);
    expect(speedometer.secondsFor(1_000)).toBeNull();
  });

  it("forgets what is older than a minute", () => {
    const speedometer = new Speedometer();
    for (let second = 0; second < 90; second++) speedometer.sample(second);
    expect(speedometer.samples()).toHaveLength(60);
    expect(speedometer.samples()[0]).toBe(30);
  });
});
