/** The week's rules, as the engine writes them: `mon,fri 09:00-18:00 5M`. */

/** How fast uploads may go. */
export type Allowance = { kind: "full" } | { kind: "limit"; bytesPerSecond: number } | { kind: "pause" };

export interface Rule {
  /** Monday first. */
  days: readonly boolean[];
  /** `09:00` */
  from: string;
  /** On the next day, if it is not after `from`. */
  to: string;
  allowance: Allowance;
}

export const NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const UNITS: readonly (readonly [string, number])[] = [
  ["G", 1e9],
  ["M", 1e6],
  ["K", 1e3],
];
const MINUTES_OF_DAY = 24 * 60;

/** `5M` */
export function writeRate(bytesPerSecond: number): string {
  const unit = UNITS.find(([, times]) => bytesPerSecond % times === 0);
  return unit ? `${String(bytesPerSecond / unit[1])}${unit[0]}` : String(bytesPerSecond);
}

function readAllowance(text: string): Allowance | null {
  if (text === "full" || text === "pause") return { kind: text };
  const [, number, letter] = /^(\d+)([GMK]?)$/.exec(text) ?? [];
  if (number === undefined) return null;
  const times = UNITS.find(([unit]) => unit === letter)?.[1] ?? 1;
  return { kind: "limit", bytesPerSecond: Number(number) * times };
}

function readDays(text: string): boolean[] | null {
  if (text === "daily") return NAMES.map(() => true);
  const days = NAMES.map(() => false);
  for (const some of text.split(",")) {
    const [first = "", last = first] = some.split("-");
    const to = NAMES.indexOf(last as (typeof NAMES)[number]);
    let day = NAMES.indexOf(first as (typeof NAMES)[number]);
    if (day < 0 || to < 0) return null;
    for (; day !== to; day = (day + 1) % 7) days[day] = true;
    days[to] = true;
  }
  return days;
}

/** `null` for words that this version does not know. */
export function readRule(text: string): Rule | null {
  const [days = "", times = "", what = ""] = text.split(" ");
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(times) ?? [];
  const [known, allowance] = [readDays(days), readAllowance(what)];
  if (!known || !allowance || from === undefined || to === undefined) return null;
  return { days: known, from, to: readTime(to) ?? to, allowance };
}

export function writeRule({ days, from, to, allowance }: Rule): string {
  const named = days.every(Boolean) ? "daily" : NAMES.filter((_, day) => days[day]).join(",");
  const what = allowance.kind === "limit" ? writeRate(allowance.bytesPerSecond) : allowance.kind;
  return `${named} ${from}-${to} ${what}`;
}

/** `09:00` of what somebody typed: `9`, `9:00`, `0900`; `null` for what is no time of day. */
export function readTime(text: string): string | null {
  const [, hours = "", minutes = "00"] = /^(\d{1,2})(?:[:.h]?([0-5]\d))?$/.exec(text.trim()) ?? [];
  if (hours === "" || Number(hours) > 24 || (Number(hours) === 24 && minutes !== "00")) return null;
  // The day's end is the next day's beginning.
  return `${hours === "24" ? "00" : hours.padStart(2, "0")}:${minutes}`;
}

export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

/** It ends on the day after the one on which it begins. */
export function endsNextDay({ from, to }: Pick<Rule, "from" | "to">): boolean {
  return minutesOf(to) <= minutesOf(from);
}

function holds(rule: Rule, day: number, minute: number): boolean {
  const [from, to] = [minutesOf(rule.from), minutesOf(rule.to)];
  const today = rule.days[day] === true;
  if (from < to) return today && from <= minute && minute < to;
  return (today && from <= minute) || (rule.days[(day + 6) % 7] === true && minute < to);
}

/** A stretch of a day for which the same holds. */
export interface Stretch {
  /** Minutes. */
  from: number;
  to: number;
  /** `null` where no rule says anything. */
  allowance: Allowance | null;
}

/** What holds on a day, the first rule that has something to say deciding; as the engine reckons. */
export function stretchesOf(rules: readonly Rule[], day: number): Stretch[] {
  const edges = new Set([0, MINUTES_OF_DAY]);
  for (const { from, to } of rules) edges.add(minutesOf(from)).add(minutesOf(to));
  const sorted = [...edges].sort((one, other) => one - other);
  return sorted.slice(1).map((to, index) => {
    const from = sorted[index] ?? 0;
    return { from, to, allowance: rules.find((rule) => holds(rule, day, from))?.allowance ?? null };
  });
}
