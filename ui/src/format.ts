/**
 * Numbers in words. Every size, speed and time on the screen is written here, so that each has one form.
 */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

const KILO = 1000;

/** So many bytes of a file are a kilobyte to the system's own windows. */
export function kilobyte(userAgent: string): number {
  return userAgent.includes("Windows") ? 1024 : KILO;
}

function unitOf(bytes: number, kilo: number): number {
  // 999,950 would round to "1,000 kB": it already is a megabyte to the reader.
  let unit = 0;
  for (let value = bytes; value >= 999.5 && unit < UNITS.length - 1; value /= kilo) unit++;
  return unit;
}

function digits(value: number, unit: number): number {
  return unit >= 2 && value < 99.95 ? 1 : 0;
}

export interface Formats {
  /** `60.2 GB` */
  size(bytes: number): string;
  /** The parts of `36.7 of 60.2 GB`: both in the unit of the whole, the first never rounded up to the whole. */
  sizeOf(part: number, whole: number): { part: string; whole: string };
  /** `41.8 MB/s` */
  speed(bytesPerSecond: number): string;
  /** `61%`, rounded down. */
  percent(fraction: number): string;
  count(value: number): string;
  /** `1.25`: how fast a video plays. */
  rate(value: number): string;
  /** `14:31` today, with the day before that. */
  moment(timestamp: number, now: number): string;
  /** `14:31` */
  time(timestamp: number): string;
  /** `Friday, 20 November`, with the year if it is another one. */
  day(timestamp: number, now: number): string;
  /** The days of a week, Monday first: `Mon`, `Monday`. */
  weekdays(): readonly { short: string; long: string }[];
}

export function formats(locale: string, kilo = kilobyte(navigator.userAgent)): Formats {
  const number = [0, 1].map(
    (fraction) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: fraction, maximumFractionDigits: fraction }),
  );
  const rate = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const longDay = [undefined, "numeric" as const].map(
    (year) => new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year }),
  );
  const write = (value: number, fraction: number): string =>
    (number[fraction] as Intl.NumberFormat).format(value);

  function inUnits(bytes: number, kilo: number): string {
    const unit = unitOf(bytes, kilo);
    const value = bytes / kilo ** unit;
    return `${write(value, digits(value, unit))} ${UNITS[unit] ?? ""}`;
  }

  return {
    size: (bytes) => inUnits(bytes, kilo),
    sizeOf(part, whole) {
      const unit = unitOf(whole, kilo);
      const value = whole / kilo ** unit;
      const fraction = digits(value, unit);
      const step = 10 ** fraction;
      const done = Math.min(Math.floor((part / kilo ** unit) * step) / step, value);
      return { part: write(done, fraction), whole: `${write(value, fraction)} ${UNITS[unit] ?? ""}` };
    },
    // A line's speed is told in powers of ten everywhere.
    speed: (bytesPerSecond) => `${inUnits(bytesPerSecond, KILO)}/s`,
    percent: (fraction) => percent.format(Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-9) / 100),
    count: (value) => write(value, 0),
    rate: (value) => rate.format(value),
    moment(timestamp, now) {
      const date = new Date(timestamp);
      const text = time.format(date);
      return date.toDateString() === new Date(now).toDateString() ? text : `${day.format(date)}, ${text}`;
    },
    time: (timestamp) => time.format(timestamp),
    day(timestamp, now) {
      const other = new Date(timestamp).getFullYear() === new Date(now).getFullYear() ? 0 : 1;
      return (longDay[other] as Intl.DateTimeFormat).format(timestamp);
    },
    weekdays: () =>
      Array.from({ length: 7 }, (_, day) => {
        // A week that begins with a Monday.
        const date = Date.UTC(2024, 0, 1 + day);
        const name = (weekday: "short" | "long"): string =>
          new Intl.DateTimeFormat(locale, { weekday, timeZone: "UTC" }).format(date);
        return { short: name("short"), long: name("long") };
      }),
  };
}

/** `18:42`, `1:02:03`: how long a video is, or where in it one is. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export type TimeLeft =
  | { kind: "moment" }
  | { kind: "minutes"; minutes: number }
  | { kind: "hours"; hours: number; minutes: number };

/** Time left in steps that grow with it: a number that changes every second says nothing more. */
export function timeLeft(seconds: number): TimeLeft {
  if (seconds < 60) return { kind: "moment" };
  const minutes = Math.ceil(seconds / 60);
  const rounded = minutes > 30 ? Math.ceil(minutes / 5) * 5 : minutes;
  if (rounded < 60) return { kind: "minutes", minutes: rounded };
  return { kind: "hours", hours: Math.floor(rounded / 60), minutes: rounded % 60 };
}

/** The day's first millisecond, where this computer is. */
export function dayStart(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}
