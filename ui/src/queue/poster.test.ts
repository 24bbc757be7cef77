import { fireEvent, render } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";
import Poster from "./Poster.svelte";

it("of another video is another image, and only the one that is shown is lost", async () => {
  const onerror = vi.fn();
  const shown = (): HTMLImageElement => document.querySelector("img") as HTMLImageElement;
  const { rerender } = render(Poster, { url: "https://team.example/1", type: "MP4", duration: 2, onerror });
  const before = shown();
  await rerender({ url: "https://team.example/2" });
  expect(shown()).not.toBe(before);
  await fireEvent.error(before);
  expect(onerror).not.toHaveBeenCalled();
  await fireEvent.error(shown());
  expect(onerror).toHaveBeenCalledOnce();
  await rerender({ url: null });
  expect(shown()).toBeNull();
});
