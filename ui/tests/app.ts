import { render, screen } from "@testing-library/svelte";
import { beforeEach, vi } from "vitest";
import App from "../src/App.svelte";
import { Recorder } from "./recorder";
import { anUpload, NOW } from "./uploads";

/** One in each group. */
export const QUEUE = [
  anUpload({
    id: "a",
    title: "a.mov",
    phase: "uploading",
    active: true,
    progress: { confirmedBytes: 610, inFlightBytes: 90 },
  }),
  anUpload({ id: "b", title: "b.mov" }),
  anUpload({
    id: "c",
    title: "c.mov",
    hold: { kind: "needs_user", code: "quota_exceeded" },
    reason: "9 TB of 9 TB.",
  }),
  anUpload({ id: "d", title: "d.mov", phase: "ready", videoId: "v", uploadedAt: NOW }),
];

// Before each test of whoever imports this.
beforeEach(() => {
  // jsdom lays nothing out: without a height the list would have no row in sight.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(700);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  return () => vi.useRealTimers();
});

/** The whole window, with its queue in sight. */
export async function queue(host = new Recorder(QUEUE)): Promise<Recorder> {
  render(App, { host });
  await screen.findByRole("grid");
  return host;
}

export function row(title: string): HTMLElement {
  const found = screen.getByText(title).closest<HTMLElement>("[data-upload]");
  if (!found) throw new Error(`no row of ${title}`);
  return found;
}
