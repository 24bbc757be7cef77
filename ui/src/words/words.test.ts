import { describe, expect, it } from "vitest";
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
