import { describe, expect, it } from "vitest";
import { endsNextDay, readRule, readTime, stretchesOf, writeRate, writeRule, type Rule } from "./schedule";

function rule(text: string): Rule {
  const read = readRule(text);
  if (!read) throw new Error(`${text} is no rule`);
  return read;
}

describe("a schedule", () => {
  it.each([
    "daily 00:00-06:00 full",
    "mon,tue,wed,thu,fri 09:00-18:00 5M",
    "sat,sun 22:00-06:00 750K",
    "wed 12:00-13:00 pause",
    "sun 01:02-03:04 1500",
  ])("is read and written: %s", (text) => {
    expect(writeRule(rule(text))).toBe(text);
  });

  it("is read as somebody writes it, over the week's end, too", () => {
    expect(writeRule(rule("mon-fri 09:00-18:00 2G"))).toBe("mon,tue,wed,thu,fri 09:00-18:00 2G");
    expect(writeRule(rule("sat-mon 09:00-24:00 full"))).toBe("mon,sat,sun 09:00-00:00 full");
    for (const none of ["", "daily", "mon 9:00-18:00 5M", "mun 09:00-18:00 5M", "mon 09:00-18:00 5.5M"]) {
      expect(readRule(none), none).toBeNull();
    }
  });

  it("reads times as they are typed", () => {
    const read = ["9", "9:05", "0905", "22.30", "24:00", " 7:00 "].map(readTime);
    expect(read).toEqual(["09:00", "09:05", "09:05", "22:30", "00:00", "07:00"]);
    for (const none of ["", "25", "24:01", "9:60", "9:5", "nine", "-1"])
      expect(readTime(none), none).toBeNull();
  });

  it("writes rates in the largest unit that fits", () => {
    expect([5e6, 1500, 3e9, 1_500_000].map(writeRate)).toEqual(["5M", "1500", "3G", "1500K"]);
  });

  it("knows what holds when: the first rule that says something, into the next morning", () => {
    const rules = [
      rule("mon 12:00-13:00 pause"),
      rule("mon,tue 22:00-06:00 full"),
      rule("mon 09:00-18:00 5M"),
    ];
    const of = (day: number): string[] =>
      stretchesOf(rules, day)
        .filter(({ allowance }) => allowance !== null)
        .map(({ from, to, allowance }) => `${String(from / 60)}-${String(to / 60)} ${allowance?.kind ?? ""}`);
    expect(of(0)).toEqual(["9-12 limit", "12-13 pause", "13-18 limit", "22-24 full"]);
    expect(of(1)).toEqual(["0-6 full", "22-24 full"]);
    expect(of(2)).toEqual(["0-6 full"]);
    expect(of(6)).toEqual([]);
    expect(endsNextDay(rule("mon 22:00-06:00 full"))).toBe(true);
    expect(endsNextDay(rule("mon 06:00-22:00 full"))).toBe(false);
  });
});
