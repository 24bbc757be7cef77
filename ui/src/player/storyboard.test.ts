import { describe, expect, it, vi } from "vitest";
import { Storyboard } from "./storyboard.svelte";

const URL_OF = "https://image.example/p1/storyboard.json?token=t";
const TOLD = {
  url: "storyboard.jpg?token=t",
  tile_width: 284,
  tile_height: 160,
  duration: 10,
  tiles: [
    { start: 0, x: 0, y: 0 },
    { start: 5, x: 284, y: 0 },
  ],
};

function answering(body: unknown, ok = true) {
  return vi
    .spyOn(globalThis, "fetch")
    .mockImplementation(async () => ({ ok, json: async () => body }) as Response);
}

describe("a storyboard", () => {
  it("is asked for once, when it is wanted, and says which tile is where", async () => {
    const fetched = answering(TOLD);
    const storyboard = new Storyboard(URL_OF);
    expect(storyboard.at(3)).toBeNull();
    expect(fetched).not.toHaveBeenCalled();
    await Promise.all([storyboard.want(), storyboard.want()]);
    expect(fetched).toHaveBeenCalledTimes(1);
    const image = "https://image.example/p1/storyboard.jpg?token=t";
    expect(storyboard.at(4.9)).toMatchObject({ image, x: 0, y: 0, width: 284, height: 160 });
    expect(storyboard.at(5)).toMatchObject({ image, x: 284, y: 0, width: 284, height: 160 });
    expect(storyboard.at(60)?.x).toBe(284);
  });

  it.each([
    ["a refusal", TOLD, false],
    ["another form", { url: "x" }, true],
    ["nothing", null, true],
    ["an image of another place", { ...TOLD, url: "https://elsewhere.example/s.jpg" }, true],
  ])("of %s is none", async (_, body, ok) => {
    answering(body, ok);
    const storyboard = new Storyboard(URL_OF);
    await storyboard.want();
    expect(storyboard.at(1)).toBeNull();
  });
});
