import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue } from "../../tests/app";
import { aDownload, aLink, aProject, aVideo } from "../../tests/library";
import { Recorder } from "../../tests/recorder";
import ShareDialog from "./ShareDialog.svelte";

describe("the library", () => {
  async function library(team = [aVideo()], host = new Recorder(QUEUE)): Promise<Recorder> {
    host.team = team;
    await queue(host);
    await userEvent.keyboard("{Control>}3{/Control}");
    await screen.findByRole("grid", { name: "Videos of Rushes" });
    return host;
  }

  const card = (name: RegExp) => screen.getByRole("gridcell", { name });

  it("shows the videos of the project that new files go to, by their states", async () => {
    await library([
      aVideo(),
      aVideo({ id: "w", title: "take", state: "processing", duration: null }),
      aVideo({ id: "x", title: "broken", state: "failed", version: 2 }),
    ]);
    expect(within(card(/^reel Mia Lund/)).getByText("1:24")).toBeTruthy();
    expect(within(card(/^take/)).getByText("Processing")).toBeTruthy();
    const broken = within(card(/^broken v2/));
    expect(broken.getByText("No playable version")).toBeTruthy();
    expect(broken.queryByRole("button", { name: "Download original…" })).toBeNull();
    expect(screen.getByText("3 videos")).toBeTruthy();
  });

  it("plays, shares and downloads by keyboard alone", async () => {
    const host = await library([aVideo({ id: "u", title: "coming", state: "uploading" }), aVideo()]);
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Home}{Enter}");
    expect(host.asked).not.toContain("playVideo u");
    expect(screen.getByText(/“coming” is still being uploaded/)).toBeTruthy();
    await userEvent.keyboard("{ArrowRight}{Enter}");
    await waitFor(() => {
      expect(host.asked).toContain("playVideo v");
    });
    const player = within(screen.getByRole("dialog", { name: "Player: reel" }));
    await userEvent.click(player.getByRole("button", { name: "Download original…" }));
    expect(host.asked).toContain("download v");
    await userEvent.click(player.getByRole("button", { name: "Close" }));
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{F10}{/Shift}");
    await userEvent.click(await screen.findByRole("menuitem", { name: "Share…" }));
    await screen.findByRole("dialog", { name: "Share “reel”" });
  });

  it("shares by a link whose words somebody chose, and takes links back after a question", async () => {
    const host = new Recorder(QUEUE);
    host.links = [aLink({ hasPassword: true, views: 2 }), aLink({ id: "old", isExpired: true })];
    await library([aVideo()], host);
    await userEvent.click(screen.getByRole("button", { name: "Share…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Share “reel”" }));
    expect(dialog.queryByText(/the link opens only here/)).toBeNull();
    expect(await dialog.findByText("without an end · with a password · opened 2 times")).toBeTruthy();
    expect(dialog.getAllByRole("button", { name: /^Copy link of/ })).toHaveLength(1);
    await userEvent.selectOptions(dialog.getByLabelText("The link ends"), "after a day");
    await userEvent.type(dialog.getByLabelText("Password"), "harbour");
    await userEvent.click(dialog.getByLabelText("The original may be downloaded"));
    await userEvent.click(dialog.getByRole("button", { name: "Create and copy link" }));
    const link = { expiresInDays: 1, allowDownload: true, password: "harbour" };
    expect(host.asked).toContain(`share v ${JSON.stringify(link)}`);
    expect(await dialog.findByText("Link created and copied")).toBeTruthy();
    expect(dialog.getByLabelText<HTMLInputElement>("Password").value).toBe("");
    await userEvent.click(dialog.getAllByRole("button", { name: /^Revoke the link of/ })[0] as HTMLElement);
    expect(host.asked).not.toContain("revoke l");
    await userEvent.click(dialog.getByRole("button", { name: "Revoke it" }));
    expect(host.asked).toContain("revoke l");
  });

  it("says of a link of a server on this computer that it opens only here", async () => {
    render(ShareDialog, {
      host: new Recorder(QUEUE),
      video: aVideo(),
      server: "http://127.0.0.1:3210/",
      onclose: () => undefined,
    });
    await screen.findByText(/the link opens only here/);
  });

  it("offers viewers nothing that they may not do", async () => {
    const host = new Recorder(QUEUE);
    host.library = async () => ({ kind: "projects", projects: [aProject({ mayShare: false })] });
    await library([aVideo()], host);
    expect(screen.queryByRole("button", { name: "Share…" })).toBeNull();
    expect(screen.getByRole("button", { name: "Download original…" })).toBeTruthy();
  });

  it("speaks of a refusal without naming uploads", async () => {
    const host = await library();
    host.refusal = { code: "signed_out", message: "" };
    await userEvent.click(screen.getByRole("button", { name: "Download original…" }));
    expect(await screen.findByText("The key is no longer valid.")).toBeTruthy();
    expect(screen.getByText("Connect again with a new key from your team’s settings.")).toBeTruthy();
  });

  it("says calmly that a server lists no videos", async () => {
    const host = new Recorder(QUEUE);
    host.library = async () => ({ kind: "unlisted" });
    await queue(host);
    await userEvent.keyboard("{Control>}3{/Control}");
    expect(await screen.findByText("This server lists no videos")).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows downloads as they go, and what can be done with each", async () => {
    const host = await library();
    host.tellDownloads([
      aDownload(),
      aDownload({ id: 2, title: "harbour", state: { kind: "failed", code: "local_storage" } }),
      aDownload({ id: 3, title: "slate", state: { kind: "done", verified: true } }),
    ]);
    const list = within(await screen.findByRole("region", { name: "Downloads" }));
    expect(list.getByRole("progressbar").getAttribute("aria-valuetext")).toBe("25%, 0.3 of 1.2 GB");
    expect(list.getByText(/^Stopped: This disk is full or refuses to write\./)).toBeTruthy();
    await userEvent.click(list.getByRole("button", { name: "Try again: harbour" }));
    await userEvent.click(list.getByRole("button", { name: "Show slate in its folder" }));
    await userEvent.click(list.getByRole("button", { name: "Stop downloading reel" }));
    expect(host.asked.slice(-3)).toEqual(["downloadAgain 2", "showDownload 3", "removeDownload 1"]);
    expect(list.getByRole("status").textContent).toBe("“slate” is saved");
  });
});
