import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue } from "../../tests/app";
import { aFolder } from "../../tests/folders";
import { Recorder } from "../../tests/recorder";
import type { FolderView } from "../bindings/FolderView";

describe("watched folders", () => {
  async function folders(watched: FolderView[]): Promise<Recorder> {
    const host = new Recorder(QUEUE);
    host.watched = watched;
    await queue(host);
    await userEvent.click(screen.getByRole("link", { name: /Watched folders/ }));
    return host;
  }

  it("are paused, let go of after a question, and follow the news", async () => {
    const host = await folders([aFolder({ standing: { sent: 3, queued: 1 } })]);
    const user = userEvent.setup();
    const card = within(await screen.findByRole("listitem", { name: "card" }));
    expect(card.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      "Goes to North Studio / Spring / Rushes",
      "1 in the queue",
      "3 with your team",
    ]);
    await user.click(card.getByRole("switch", { name: "Watch card" }));
    await user.click(card.getByRole("button", { name: "Stop watching card" }));
    await user.click(screen.getByText("Stop watching"));
    expect(host.asked).toEqual(["changeFolder f null paused", "removeFolder f"]);
    host.watched = [aFolder({ standing: { sight: { kind: "not_there" } } })];
    host.change({ kind: "folders" });
    await screen.findByText("Drive not connected");
    expect(screen.getByRole("link", { name: /Watched folders/ }).textContent).toContain("1");
    host.watched = [];
    host.change({ kind: "folders" });
    await screen.findByText("Footage that uploads itself");
  });

  it("are watched again after a look at what would go up, in a form that waits for whoever looks elsewhere", async () => {
    const host = await folders([aFolder({ rules: { paused: true } })]);
    const user = userEvent.setup();
    const turn = await screen.findByRole("switch", { name: "Watch card" });
    await user.click(turn);
    await screen.findByRole("heading", { name: "Watch “card”" });
    expect(host.previewed.map(({ paused }) => paused)).toEqual([false]);
    await user.type(screen.getByLabelText("Only files like"), "*.mov");
    await user.click(screen.getByRole("link", { name: /Queue/ }));
    await screen.findByRole("grid");
    await user.click(screen.getByRole("link", { name: /Watched folders/ }));
    expect((await screen.findByLabelText<HTMLTextAreaElement>("Only files like")).value).toBe("*.mov");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect([host.asked, turn.isConnected]).toEqual([[], false]);
    await user.click(await screen.findByRole("switch", { name: "Watch card" }));
    expect(screen.getByLabelText<HTMLTextAreaElement>("Only files like").value).toBe("");
    await user.click(screen.getByRole("button", { name: "Start watching" }));
    await screen.findByRole("switch", { name: "Watch card" });
    expect(host.asked).toEqual(["changeFolder f p watched"]);
  });

  it("are added by the system's dialog, with rules that make sense", async () => {
    const host = await folders([]);
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Watch a folder…" }));
    await screen.findByRole("heading", { name: "Watch “new”" });
    await user.click(screen.getByRole("radio", { name: "Goes up, too" }));
    const include = screen.getByLabelText("Only files like");
    const start = (): HTMLButtonElement => screen.getByRole("button", { name: "Start watching" });
    await user.type(include, "[[x");
    await screen.findByText("This is no pattern: [x");
    expect(start().disabled).toBe(true);
    await user.clear(include);
    await user.type(include, "*.mov");
    await waitFor(() => expect(start().disabled).toBe(false));
    host.refusal = { code: "signed_out", message: "401" };
    await user.click(start());
    await screen.findByText("The key or the sign-in is no longer valid.");
    host.refusal = null;
    await user.click(start());
    expect(host.asked.at(-1)).toBe("addFolder p send *.mov");
    await screen.findByText("Footage that uploads itself");
  });
});
