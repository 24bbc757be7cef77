import { formats, type Formats, type TimeLeft, timeLeft } from "../format";
import { Cell } from "./cell.svelte";
import { de } from "./de/index";
import { en } from "./en/index";

type Plural = { readonly one: string; readonly other: string };

/** What a language must have: the same keys, and plurals where English has them. */
export type Words = { readonly [K in keyof typeof en]: (typeof en)[K] extends string ? string : Plural };
export type WordKey = keyof Words;

type Places<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Places<Rest> : never;
type Text<K extends WordKey> = (typeof en)[K] extends Plural
  ? (typeof en)[K]["one" | "other"]
  : (typeof en)[K];
type PlacesOf<K extends WordKey> = Places<Text<K>> | ((typeof en)[K] extends Plural ? "count" : never);
type Values<K extends WordKey> = { readonly [P in PlacesOf<K>]: P extends "count" ? number : string };
type Arguments<K extends WordKey> = [PlacesOf<K>] extends [never] ? [] : [values: Values<K>];

/** Keys of sentences with nothing to fill in: what tables may hold. */
export type PlainKey = { [K in WordKey]: [PlacesOf<K>] extends [never] ? K : never }[WordKey];

export const LANGUAGES = { en, de } satisfies Record<string, Words>;
export type Language = keyof typeof LANGUAGES;

export interface Speech {
  readonly language: Language;
  readonly locale: string;
  readonly format: Formats;
  t<K extends WordKey>(key: K, ...values: Arguments<K>): string;
  left(seconds: number): string;
}

/** A name in letters from right to left turns nothing around it. */
function isolated(value: string): string {
  return /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/.test(value)
    ? `\u2068${value}\u2069`
    : value;
}

/** The first language of the system's that there are words for. */
export function chooseLanguage(wanted: readonly string[]): { language: Language; locale: string } {
  for (const locale of wanted) {
    const language = locale.toLowerCase().split("-")[0];
    if (language !== undefined && Object.hasOwn(LANGUAGES, language)) {
      return { language: language as Language, locale };
    }
  }
  return { language: "en", locale: "en" };
}

export function speech(wanted: readonly string[]): Speech {
  const { language, locale } = chooseLanguage(wanted);
  const words: Words = LANGUAGES[language];
  const format = formats(locale);
  const plural = new Intl.PluralRules(locale);

  function t<K extends WordKey>(key: K, ...[values]: Arguments<K>): string {
    const given: Readonly<Record<string, string | number>> = values ?? {};
    const word: string | Plural = words[key];
    const text =
      typeof word === "string"
        ? word
        : word[plural.select(Number(given["count"])) === "one" ? "one" : "other"];
    return text.replace(/\{(\w+)\}/g, (place, name: string) => {
      const value = given[name];
      return typeof value === "number" ? format.count(value) : isolated(value ?? place);
    });
  }

  function left(seconds: number): string {
    const time: TimeLeft = timeLeft(seconds);
    switch (time.kind) {
      case "moment":
        return t("left.moment");
      case "minutes":
        return t("left.minutes", { minutes: format.count(time.minutes) });
      case "hours": {
        const hours = format.count(time.hours);
        if (time.minutes === 0) return t("left.hours", { hours });
        return t("left.hours_minutes", { hours, minutes: format.count(time.minutes) });
      }
    }
  }

  return { language, locale, format, t, left };
}

const spoken = new Cell(speech(navigator.languages));

/** Speaks another language from now on: what is on the screen is written anew. */
export function speak(language: Language | "system"): void {
  // Of a language that is one of the system's, the form that it has there.
  const own = navigator.languages.filter((locale) => locale.toLowerCase().split("-")[0] === language);
  const wanted = language === "system" ? navigator.languages : [...own, language];
  if (chooseLanguage(wanted).locale !== spoken.value.locale) spoken.value = speech(wanted);
  document.documentElement.lang = spoken.value.language;
}

export const t: Speech["t"] = (key, ...values) => spoken.value.t(key, ...values);
export const left: Speech["left"] = (seconds) => spoken.value.left(seconds);
export const format: Formats = {
  size: (bytes) => spoken.value.format.size(bytes),
  sizeOf: (part, whole) => spoken.value.format.sizeOf(part, whole),
  speed: (bytesPerSecond) => spoken.value.format.speed(bytesPerSecond),
  percent: (fraction) => spoken.value.format.percent(fraction),
  count: (value) => spoken.value.format.count(value),
  rate: (value) => spoken.value.format.rate(value),
  moment: (timestamp, now) => spoken.value.format.moment(timestamp, now),
  time: (timestamp) => spoken.value.format.time(timestamp),
  day: (timestamp, now) => spoken.value.format.day(timestamp, now),
  weekdays: () => spoken.value.format.weekdays(),
};
