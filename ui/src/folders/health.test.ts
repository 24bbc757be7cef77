import { describe, expect, it } from "vitest";
import { aFolder } from "../../tests/folders";
import { folderName, health } from "./health";

const TEAM = "https://team.example";

describe("how a watched folder is", () => {
  it.each([
    ["Looking through it…", { sight: null }, "quiet"],
    ["Looking through it…", { sight: { kind: "starting" as const } }, "quiet"],
    ["Watching", {}, "good"],
    [
      "Polling: this drive does not tell of changes",
      { sight: { kind: "polling" as const, why: "drive" as const } },
      "good",
    ],
    [
      "Polling: too many folders for this system",
      { sight: { kind: "polling" as const, why: "too_many_folders" as const } },
      "attention",
    ],
    ["Drive not connected", { sight: { kind: "not_there" as const } }, "attention"],
    ["2 places cannot be read", { unreadable: 2, unreadableFirst: "/a/b" }, "attention"],
  ])("is %j where it stands like %j", (words, standing, tone) => {
    expect(health(aFolder({ standing }), [TEAM])).toMatchObject({ words, tone });
  });

  it("says what needs somebody first", () => {
    const gone = { sight: { kind: "not_there" as const }, unreadable: 3 };
    expect(health(aFolder({ standing: gone }), []).words).toBe("Drive not connected");
    const paused = aFolder({ standing: gone, rules: { paused: true } });
    expect(health(paused, [])).toMatchObject({ words: "Paused", tone: "quiet" });
    expect(health(aFolder(), []).words).toBe("Not connected to North Studio");
    expect(health(aFolder(), ["https://other.example"]).tone).toBe("attention");
    expect(health(aFolder(), ["https://other.example", `${TEAM}/`]).tone).toBe("good");
  });

  it("names a folder by the last part of its path", () => {
    expect(folderName("/media/CARD/DCIM/")).toBe("DCIM");
    expect(folderName("C:\\Users\\Mia\\Exports")).toBe("Exports");
    expect(folderName("/")).toBe("/");
  });
});
