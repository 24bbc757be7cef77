import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue } from "../../tests/app";
import { Recorder } from "../../tests/recorder";
import { anEnded, anUpload, NOW } from "../../tests/uploads";
import type { EndedView } from "../bindings/EndedView";

describe("activity", () => {
  const ended = (id: string, more: Partial<EndedView>) =>
    anEnded({ uploadId: id, title: `${id}.mov`, ...more });

  async function activity(): Promise<Recorder> {
    const host = new Recorder(QUEUE);
    host.ended = [
      ended("one", {}),
      ended("two", { endedAt: NOW - 86_400_000, ending: { kind: "cancelled" } }),
      ended("three", { endedAt: NOW - 5 * 86_400_000, ending: { kind: "failed", code: "empty_file" } }),
      ended("four", {
        endedAt: NOW - 6 * 86_400_000,
        ending: { kind: "failed", code: "processing_failed" },
      }),
    ];
    await queue(host);
    await userEvent.setup().keyboard("{Control>}4{/Control}");
    await screen.findByRole("listbox");
    return host;
  }

  it("shows by day how each ended, and searches", async () => {
    const host = await activity();
    const list = screen.getByRole("listbox");
    const text = [...list.querySelectorAll("h2, [role=option] .word")].map((one) => one.textContent.trim());
    expect(text).toEqual([
      "Today",
      "Uploaded",
      "Yesterday",
      "Cancelled",
      "Sunday, November 15",
      "Could not be uploaded",
      "Saturday, November 14",
      "Could not be made playable",
    ]);
    await userEvent.setup().type(screen.getByRole("searchbox"), "three");
    await waitFor(() => expect(within(list).getAllByRole("option")).toHaveLength(1));
    await userEvent.setup().type(screen.getByRole("searchbox"), "x");
    await screen.findByText("Nothing found for “threex”");
    await userEvent.setup().click(screen.getByRole("button", { name: "Clear the search" }));
    await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(4));
    expect(host.asked.filter((one) => one.startsWith("activity")).length).toBeLessThan(9);
  });

  it("is walked through by keyboard, with details beside it", async () => {
    await activity();
    const user = userEvent.setup();
    screen.getByRole("listbox").focus();
    await user.keyboard("{Home}{ArrowDown}{Enter}");
    await screen.findByRole("complementary", { name: "Details of two.mov" });
    await user.keyboard("{ArrowDown}");
    await screen.findByRole("complementary", { name: "Details of three.mov" });
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary", { name: /^Details/ })).toBeNull();
  });

  it("is exported as it is searched, without a path", async () => {
    const host = await activity();
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Export…" }));
    await user.click(await screen.findByRole("menuitem", { name: "As CSV…" }));
    await screen.findByText("2 uploads exported");
    expect(host.asked.at(-1)).toBe("exportActivity csv ");
  });

  it("takes in what ends while it is looked at", async () => {
    const host = await activity();
    host.ended = [ended("zero", {}), ...host.ended];
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "ready", uploadedAt: NOW })],
    });
    await screen.findByText("zero.mov", undefined, { timeout: 5_000 });
  });
});
