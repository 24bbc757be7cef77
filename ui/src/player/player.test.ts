import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { aSession } from "../../tests/library";
import type { EngineError } from "../bindings/EngineError";
import type { PlaybackView } from "../bindings/PlaybackView";
import { isEngineError } from "../host/host";
import Player from "./Player.svelte";

const LOCAL = aSession({ url: "http://127.0.0.1:4310/token/01", form: "local" });
const ORIGINAL = aSession({ url: "https://storage.example/reel?signed", form: "original" });

beforeEach(() => {
  // jsdom has none.
  vi.stubGlobal("MediaError", { MEDIA_ERR_NETWORK: 2 });
  vi.spyOn(HTMLMediaElement.prototype, "load").mockImplementation(function (this: HTMLMediaElement) {
    this.currentTime = 0;
  });
});

/** A player that is given these, one after the other, and then the last; its video, once one is loaded. */
async function player(...answers: (PlaybackView | EngineError)[]): Promise<HTMLVideoElement> {
  async function ask(): Promise<PlaybackView> {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (!answer || isEngineError(answer)) throw answer;
    return answer;
  }
  render(Player, { title: "reel.mov", ask, onclose: () => undefined });
  const video = document.querySelector("video") as HTMLVideoElement;
  await waitFor(() => expect(video.src).not.toBe(""));
  return video;
}

describe("a file on this computer", () => {
  it("that goes away while it plays goes on at the same place as the team's original", async () => {
    const video = await player(LOCAL, ORIGINAL);
    screen.getByText("The file on this computer");
    expect(video.src).toBe(LOCAL.url);
    video.currentTime = 42;
    await fireEvent(video, new Event("error"));
    await screen.findByText("The original, as it was uploaded");
    await waitFor(() => expect(video.src).toBe(ORIGINAL.url));
    expect(video.currentTime).toBe(0);
    await fireEvent(video, new Event("loadedmetadata"));
    expect(video.currentTime).toBe(42);
  });

  it("plays on from where somebody jumps to after its end, and stays where it was paused", async () => {
    const video = await player(LOCAL);
    Object.defineProperties(video, {
      duration: { value: 12 },
      ended: { get: () => video.currentTime >= 12 },
    });
    await fireEvent(video, new Event("durationchange"));
    video.currentTime = 12;
    const play = vi.spyOn(video, "play").mockClear();
    const place = screen.getByRole<HTMLInputElement>("slider", { name: "Position" });
    await fireEvent.input(place, { target: { value: "3" } });
    expect(video.currentTime).toBe(3);
    expect(play).toHaveBeenCalledOnce();
    await fireEvent.input(place, { target: { value: "5" } });
    expect(play).toHaveBeenCalledOnce();
  });

  it("that stands still with more at hand is told to play again, and is waited for no more once it moves", async () => {
    const video = await player(LOCAL);
    const more = { length: 1, start: () => 0, end: () => 12 };
    Object.defineProperties(video, {
      paused: { value: false },
      duration: { value: 12 },
      buffered: { value: more },
    });
    video.currentTime = 9;
    const play = vi.spyOn(video, "play");
    await fireEvent(video, new Event("waiting"));
    await waitFor(() => expect(play).toHaveBeenCalled());
    await screen.findByRole("status");
    video.currentTime = 10;
    await fireEvent(video, new Event("timeupdate"));
    await waitFor(() => expect(screen.queryByRole("status")).toBeNull());
  });

  it("that is another one now is not played on, and the player says why", async () => {
    const video = await player(LOCAL, { code: "source_changed", message: "" });
    video.currentTime = 42;
    await fireEvent(video, new Event("error"));
    await screen.findByText(/^The file was changed while it was being uploaded\./);
  });

  it("that is there again goes on", async () => {
    const again = { ...LOCAL, url: "http://127.0.0.1:4310/token/02" };
    const video = await player(LOCAL, again);
    video.currentTime = 42;
    await fireEvent(video, new Event("error"));
    await waitFor(() => expect(video.src).toBe(again.url));
    await fireEvent(video, new Event("loadedmetadata"));
    expect(video.currentTime).toBe(42);
  });

  it("that cannot be decoded is uploaded all the same, which the player says", async () => {
    const video = await player(LOCAL);
    await fireEvent(video, new Event("error"));
    await screen.findByText(/^This computer cannot play this kind of file\. It is uploaded all the same/);
  });
});
