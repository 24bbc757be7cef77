import { describe, expect, it } from "vitest";
import { parse } from "svelte/compiler";
import { chooseLanguage, LANGUAGES, speech } from "./words";

const sources = import.meta.glob<string>(
  ["/src/**/*.svelte", "/src/**/*.ts", "!/src/**/*.test.ts", "!/src/words/{en,de}/*.ts"],
  {
    query: "?raw",
    import: "default",
    eager: true,
  },
);

const entries = (words: object): [string, string | object][] => Object.entries(words);
const texts = (word: string | object): string[] => (typeof word === "string" ? [word] : Object.values(word));
const places = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();

/** Attributes and properties that people read or hear. */
const SAID = new Set([
  "label",
  "title",
  "body",
  "hint",
  "alt",
  "placeholder",
  "text",
  "action",
  "aria-label",
]);

/** Texts in a component's markup that are in no catalogue: everything with a letter that is shown or said. */
function strayWords(node: unknown, shown = false): string[] {
  if (typeof node !== "object" || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((each) => strayWords(each, shown));
  const { type, ...rest } = node as Record<string, unknown> & { type?: string };
  const words = (text: unknown): string[] =>
    shown && typeof text === "string" && /\p{L}/u.test(text) ? [text] : [];
  switch (type) {
    case "Text":
      return words(rest["data"]);
    case "Literal":
      return words(rest["value"]);
    case "TemplateElement":
      return words((rest["value"] as { cooked: string }).cooked);
    case "Attribute":
      return strayWords(rest["value"], SAID.has(rest["name"] as string));
    case "ExpressionTag":
      return strayWords(rest["expression"], shown);
    case "ConditionalExpression":
      return [...strayWords(rest["consequent"], shown), ...strayWords(rest["alternate"], shown)];
    case "LogicalExpression":
      return [...strayWords(rest["left"], shown), ...strayWords(rest["right"], shown)];
    case "TemplateLiteral":
      return strayWords(rest["quasis"], shown);
    case "Fragment":
      return strayWords(rest["nodes"], true);
    default:
      // What a function is given, or a comparison is with, is not shown.
      return Object.values(rest).flatMap((value) => strayWords(value, false));
  }
}

describe("words", () => {
  it.each(Object.entries(LANGUAGES))(
    "%s has every key, filled, with the same places as English",
    (_, words) => {
      expect(Object.keys(words)).toEqual(Object.keys(LANGUAGES.en));
      for (const [key, word] of entries(words)) {
        const original = texts(LANGUAGES.en[key as keyof typeof LANGUAGES.en]);
        texts(word).forEach((text, index) => {
          expect(text.trim(), key).not.toBe("");
          expect(places(text), key).toEqual(places(original[index] ?? ""));
        });
      }
    },
  );

  it("are the only ones on the page", () => {
    const strays = Object.entries(sources)
      .filter(([file]) => file.endsWith(".svelte"))
      .flatMap(([file, code]) =>
        strayWords(parse(code, { modern: true }).fragment).map((text) => [file, text]),
      );
    expect(strays).toEqual([]);
    const said = (code: string): string[] => strayWords(parse(code, { modern: true }).fragment);
    expect(said('<p title={t("app.name")}>{t("app.name")} · <b class="num">%</b></p>')).toEqual([]);
    expect(said('{#if on}<p title="Now">{on ? "Yes" : t("app.name")}</p>{/if}')).toEqual(["Now", "Yes"]);
    expect(said("<Field label={`${t('app.name')} of`}>Bytes</Field>")).toEqual([" of", "Bytes"]);
  });

  it("has no key that nothing uses", () => {
    const code = Object.values(sources).join("\n");
    const unused = Object.keys(LANGUAGES.en).filter(
      (key) => !code.includes(`"${key}"`) && !code.includes(`'${key}'`),
    );
    expect(unused).toEqual([]);
  });

  it("follows the system's languages in their order", () => {
    expect(chooseLanguage(["fr-FR", "de-AT", "en"])).toEqual({ language: "de", locale: "de-AT" });
    expect(chooseLanguage(["pt-BR"])).toEqual({ language: "en", locale: "en" });
    expect(chooseLanguage(["constructor"])).toEqual({ language: "en", locale: "en" });
  });

  it("fills places and counts", () => {
    const { t, left } = speech(["en-GB"]);
    expect(t("drag.title", { count: 1 })).toBe("Drop to add 1 video");
    expect(t("drag.title", { count: 1200 })).toBe("Drop to add 1,200 videos");
    expect(t("row.of", { part: "36.7", whole: "60.2 GB" })).toBe("36.7 of 60.2 GB");
    expect(left(780)).toBe("13 min left");
    expect(t("share.title", { title: "ملف" })).toBe("Share “\u2068ملف\u2069”");
    expect(speech(["de-DE"]).left(4_200)).toBe("noch 1 h 10 min");
  });
});
