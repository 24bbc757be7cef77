import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue, row } from "../tests/app";
import { Recorder } from "../tests/recorder";
import { CONNECTED, SHELL, TEAM } from "../tests/team";
import App from "./App.svelte";
import type { ConnectionView } from "./bindings/ConnectionView";

describe("what comes from outside the window", () => {
  it("opens what somebody chose there: plays what can be played, shows the details of the rest", async () => {
    const host = new Recorder(QUEUE);
    host.wanted = { kind: "upload", id: "a" };
    await queue(host);
    await screen.findByRole("complementary", { name: "Details of a.mov" });
    host.wanted = { kind: "video", server: "https://other.example/", videoId: "v" };
    host.open();
    await screen.findByText("This video is with none of your teams that is connected");
  });

  it("plays a video of the team that went up elsewhere, once it is known which team this is", async () => {
    const asking: ConnectionView = { kind: "refused", url: TEAM, code: "not_connected" };
    const host = new Recorder(QUEUE, asking);
    host.wanted = { kind: "video", server: TEAM, videoId: "other" };
    await queue(host);
    expect([screen.queryByRole("dialog"), screen.queryByText(/none of your teams/)]).toEqual([null, null]);
    host.change({ kind: "connection", connection: CONNECTED, connections: [CONNECTED] });
    await screen.findByRole("dialog", { name: "Player: A video of your team" });
    await waitFor(() => expect(host.asked).toEqual(["playVideo other", "playVideo other"]));
  });

  it("opens no player for a video that the team has not", async () => {
    const host = new Recorder(QUEUE);
    host.wanted = { kind: "video", server: null, videoId: "none" };
    host.refusal = { code: "not_found", message: "404" };
    await queue(host);
    await screen.findByText("The team does not have this any more.");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("shows that the engine broke, and starts again", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, engine: "broke" };
    render(App, { host });
    await screen.findByRole("heading", { name: "Dailies has to start again" });
    await userEvent.click(screen.getByRole("button", { name: "Start again" }));
    expect(host.asked).toEqual(["restart"]);
  });
});

describe("paste", () => {
  it("adds what was copied in a file manager, but not into a field", async () => {
    const host = await queue();
    await userEvent.keyboard("{Control>}v{/Control}");
    expect(host.asked).toEqual(["pasteFiles"]);
    const field = document.body.appendChild(document.createElement("input"));
    field.focus();
    await userEvent.keyboard("{Control>}v{/Control}");
    field.remove();
    expect(host.asked).toEqual(["pasteFiles"]);
    const dialog = document.body.appendChild(document.createElement("dialog"));
    dialog.setAttribute("open", "");
    await userEvent.keyboard("{Control>}v{/Control}");
    dialog.remove();
    expect(host.asked).toEqual(["pasteFiles"]);
  });
});

describe("quitting", () => {
  it("is done by Ctrl+Q, and in the settings, where it is said that closing the window does not", async () => {
    const host = await queue();
    await userEvent.keyboard("{Control>}q{/Control}");
    expect(host.asked).toEqual(["quit"]);
    await userEvent.keyboard("{Control>},{/Control}");
    await userEvent.click(await screen.findByRole("button", { name: "Quit Dailies" }));
    expect(host.asked).toEqual(["quit", "quit"]);
    expect(screen.getByText(/Closing the window does not/)).toBeTruthy();
  });
});

describe("a queue that cannot be opened", () => {
  it("says why and opens when it can", async () => {
    const host = new Recorder(QUEUE);
    const everything = host.everything;
    host.everything = async () => {
      throw { code: "profile_in_use", message: "locked" };
    };
    render(App, { host });
    await screen.findByText(/Another Dailies works on this queue/);
    host.everything = everything;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("grid");
  });

  it("stays in sight with a word about it when it stops later", async () => {
    const host = await queue();
    const everything = host.everything;
    host.everything = async () => {
      throw { code: "stopped", message: "gone" };
    };
    host.skip();
    host.change({ kind: "removed", ids: [] });
    await screen.findByText("The part of Dailies that uploads has stopped.");
    expect(row("a.mov")).toBeTruthy();
    host.everything = everything;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() =>
      expect(screen.queryByText("The part of Dailies that uploads has stopped.")).toBeNull(),
    );
  });
});
