import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue, row } from "../../tests/app";
import { aSession } from "../../tests/library";
import { NOW } from "../../tests/uploads";

describe("details", () => {
  const panel = (title: string) => screen.findByRole("complementary", { name: `Details of ${title}` });

  it("open by keyboard, follow it through the list, and close", async () => {
    const host = await queue();
    host.episodes = [
      ...host.episodes,
      {
        number: 1,
        at: NOW,
        lastAt: NOW,
        times: 3,
        event: { kind: "failed", why: { kind: "server_fault", status: 503 }, then: "backoff" },
      },
    ];
    const user = userEvent.setup();
    const list = screen.getByRole("grid");
    list.focus();
    await user.keyboard("{Home}{Control>}i{/Control}");
    const first = await panel("a.mov");
    await within(first).findByText(/The server had a fault \(503\)/);
    const map = within(first).getByRole("progressbar");
    expect(map.getAttribute("aria-valuetext")).toBe("25%, 1 of 4 parts confirmed");
    expect(map.children).toHaveLength(4);
    expect(document.activeElement).toBe(list);
    await user.keyboard("{ArrowDown}");
    const needing = await panel("c.mov");
    expect(needing.textContent).toContain("Your team’s storage is full.");
    await user.click(within(needing).getByRole("button", { name: "Retry now" }));
    expect(host.asked).toEqual(["history a", "history c", "retry c"]);
    list.focus();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("complementary", { name: /^Details/ })).toBeNull();
    expect(row("c.mov").getAttribute("aria-selected")).toBe("true");
  });

  it("play the file on this computer until the team has made something of it", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}{Control>}i{/Control}");
    await user.click(within(await panel("a.mov")).getByRole("button", { name: "Play the local file" }));
    const player = await screen.findByRole("dialog", { name: "Player: a.mov" });
    await within(player).findByText("The file on this computer");
    expect(player.querySelector("video")?.src).toBe(aSession().url);
    const [a] = QUEUE;
    if (a) host.change({ kind: "uploads", uploads: [{ ...a, phase: "finishing" }] });
    await within(await panel("a.mov")).findByText("Finishing");
    expect(host.asked.filter((what) => what.startsWith("localPlayback"))).toEqual(["localPlayback a"]);
  });

  it("play what the team has made as soon as it is ready", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{End}{Control>}i{/Control}");
    const done = within(await panel("d.mov"));
    expect(done.queryByText(/the file on this computer plays/)).toBeNull();
    await user.click(done.getByRole("button", { name: "Play" }));
    await screen.findByRole("dialog", { name: "Player: d.mov" });
    expect(screen.queryByText("The file on this computer")).toBeNull();
    expect(host.asked).not.toContain("localPlayback d");
  });

  it("are copied as a report, and give the keyboard back to the list", async () => {
    const host = await queue();
    const user = userEvent.setup();
    await user.pointer({ keys: "[MouseRight]", target: row("b.mov") });
    await user.click(await screen.findByRole("menuitem", { name: "Details" }));
    const details = await panel("b.mov");
    await waitFor(() =>
      expect(within(details).getByRole("button", { name: "Copy report" })).toHaveProperty("disabled", false),
    );
    await user.click(within(details).getByRole("button", { name: "Copy report" }));
    await screen.findByText("Report copied");
    expect(host.report).toContain("Upload id: b");
    await user.click(within(details).getByRole("button", { name: "Close details" }));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("grid")));
  });
});
