import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue } from "../../tests/app";
import { Recorder } from "../../tests/recorder";
import { SHELL } from "../../tests/team";
import type { ShellView } from "../bindings/ShellView";

describe("settings", () => {
  it("turn what was turned, and stay as they are when it is refused", async () => {
    const host = await queue();
    const user = userEvent.setup();
    const set = await host.rules();
    host.rules = async () => ({ ...set });
    await user.keyboard("{Control>},{/Control}");
    const metered = await screen.findByRole("switch", { name: "Pause on metered networks" });
    expect(metered.getAttribute("aria-checked")).toBe("true");
    set.pauseOnMetered = false;
    await user.click(metered);
    await waitFor(() => expect(metered.getAttribute("aria-checked")).toBe("false"));
    host.refusal = { code: "signed_out", message: "" };
    await user.click(screen.getByRole("switch", { name: "Pause on battery" }));
    await screen.findByText("The key or the sign-in is no longer valid.");
    expect(host.asked).toEqual(["turn pause_on_metered false", "turn pause_on_battery true"]);
  });

  async function settings(host = new Recorder(QUEUE)): Promise<Recorder> {
    await queue(host);
    await userEvent.keyboard("{Control>},{/Control}");
    await screen.findByRole("heading", { name: "Teams and sign-in" });
    return host;
  }

  it("sign out of a team after saying what waits for it", async () => {
    const waiting = QUEUE.map((upload) => ({ ...upload, server: "https://team.example/" }));
    const host = await settings(new Recorder(waiting));
    const user = userEvent.setup();
    const team = screen.getByRole("group", { name: "Actions for team.example" });
    expect(screen.getByText("North Studio · Spring / Rushes")).toBeTruthy();
    expect(screen.getByText("Connected")).toBeTruthy();
    expect(within(team).queryByRole("button", { name: "Send new files here" })).toBeNull();
    await user.click(within(team).getByRole("button", { name: "Sign out…" }));
    const question = await screen.findByRole("dialog", { name: "Sign out of team.example?" });
    expect(question.textContent).toMatch(/\d uploads stay in the queue and wait until you sign in again/);
    expect(host.asked).toEqual([]);
    await user.click(within(question).getByRole("button", { name: "Sign out" }));
    expect(host.asked).toEqual(["forget https://team.example/"]);
  });

  it("sign in again where a team refuses, in the way that it was done", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, teams: [{ url: "https://team.example/", openedBy: "browser" }] };
    await settings(host);
    const user = userEvent.setup();
    const refused = { kind: "refused", url: "https://team.example/", code: "signed_out" } as const;
    host.change({ kind: "connection", connection: refused, connections: [refused] });
    await user.click(await screen.findByRole("button", { name: "Sign in again…" }));
    const dialog = await screen.findByRole("dialog", { name: "Sign in again" });
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    await within(dialog).findByText(/Go on in your browser/);
    await user.click(within(dialog).getByRole("button", { name: "Copy the page’s address" }));
    await within(dialog).findByRole("button", { name: "Address copied" });
    await user.click(within(dialog).getByRole("button", { name: "Stop waiting" }));
    host.endSignIn(false);
    await user.click(await within(dialog).findByRole("button", { name: "Sign in in the browser" }));
    host.endSignIn(true);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    const url = "signIn https://team.example/";
    expect(host.asked).toEqual([url, "copySignInPage", "cancelSignIn", url]);
  });

  it("wait no more for the browser when the dialog is closed", async () => {
    const host = await settings();
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Add a team…" }));
    const dialog = await screen.findByRole("dialog", { name: "Add a team" });
    await user.type(within(dialog).getByLabelText("Address of the team server"), "my team");
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    expect((await within(dialog).findByRole("alert")).textContent).toContain("team.example.com");
    await user.clear(within(dialog).getByLabelText("Address of the team server"));
    await user.type(within(dialog).getByLabelText("Address of the team server"), "https://b.example");
    await user.click(within(dialog).getByRole("button", { name: "Sign in in the browser" }));
    await within(dialog).findByText(/Go on in your browser/);
    await fireEvent(dialog, new Event("cancel", { cancelable: true }));
    await waitFor(() => expect(host.asked).toEqual(["signIn https://b.example", "cancelSignIn"]));
  });

  it("make a schedule of whole rules only", async () => {
    const host = await settings();
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Add a rule" }));
    expect(host.asked).toEqual(["setSchedule mon,tue,wed,thu,fri 09:00-18:00 5M"]);
    const rule = screen.getByRole("group", { name: "Rule 1" });
    for (const day of ["Mon", "Tue", "Wed", "Thu", "Fri"]) {
      await user.click(within(rule).getByRole("button", { name: day }));
    }
    expect((await within(rule).findByRole("alert")).textContent).toBe("Choose a day.");
    expect(host.asked.at(-1)).toBe("setSchedule fri 09:00-18:00 5M");
    await user.click(within(rule).getByRole("button", { name: "Sun" }));
    await user.selectOptions(within(rule).getByRole("combobox"), "Nothing is sent");
    await user.clear(within(rule).getByLabelText("From"));
    await user.type(within(rule).getByLabelText("From"), "25{Tab}");
    expect((await within(rule).findByRole("alert")).textContent).toContain("such as 09:00");
    await user.clear(within(rule).getByLabelText("From"));
    await user.type(within(rule).getByLabelText("From"), "22{Tab}");
    await within(rule).findByText("the next day");
    expect(host.asked.at(-1)).toBe("setSchedule sun 22:00-18:00 pause");
    await user.click(within(rule).getByRole("button", { name: "Remove rule 1" }));
    expect(host.asked.at(-1)).toBe("setSchedule ");
    await screen.findByText("No schedule: uploads go at any time.");
  });

  it("limit the speed, from the queue too", async () => {
    const host = await settings();
    const user = userEvent.setup();
    const limit = await screen.findByRole("combobox", { name: "Speed limit" });
    await user.selectOptions(limit, "5.0 MB/s");
    await user.selectOptions(limit, "Another…");
    const typed = screen.getByRole("textbox", { name: "Megabytes a second" });
    await user.clear(typed);
    await user.type(typed, "-3{Tab}");
    await screen.findByText("Type a number above zero.");
    await user.clear(typed);
    await user.type(typed, "2,5{Tab}");
    await user.keyboard("{Control>}1{/Control}");
    await user.click(await screen.findByRole("button", { name: "Speed limit: No limit" }));
    const menu = await screen.findByRole("menu", { name: "Speed limit" });
    const none = within(menu).getByRole("menuitemradio", { name: "No limit" });
    expect(none.getAttribute("aria-checked")).toBe("true");
    await user.click(within(menu).getByRole("menuitemradio", { name: "20.0 MB/s" }));
    expect(host.asked).toEqual(["setLimit 5000000", "setLimit 2500000", "setLimit 20000000"]);
  });

  it("speak another language at once", async () => {
    const host = await settings();
    let tell: (shell: ShellView) => void = () => undefined;
    host.onShell = async (onShell: (shell: ShellView) => void) => {
      tell = onShell;
      return () => undefined;
    };
    cleanup();
    await settings(host);
    await userEvent.click(screen.getByText("Dark"));
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Language" }), "Deutsch");
    // Nothing has come back of the colours yet: they are not taken back with this.
    expect(host.asked).toEqual(['prefer {"theme":"dark"}', 'prefer {"language":"de"}']);
    const preferences = { ...SHELL.preferences, language: "de" as const };
    tell({ ...SHELL, preferences });
    await screen.findByRole("heading", { name: "Teams und Anmeldung" });
    tell(SHELL);
    await screen.findByRole("heading", { name: "Teams and sign-in" });
  });

  it("turn the server here off after a question", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, server: { kind: "running", url: "http://127.0.0.1:4310/" } };
    await settings(host);
    await screen.findByText("48.3 GB");
    await userEvent.click(screen.getByRole("switch", { name: "Run a team server here" }));
    const question = await screen.findByRole("dialog", { name: "Turn the team server off?" });
    // As long as somebody watches a video of it.
    let end = (): void => undefined;
    const turnOff = host.turnOffServer;
    host.turnOffServer = () => turnOff().then(() => new Promise((resolve) => (end = resolve)));
    await userEvent.click(within(question).getByRole("button", { name: "Turn off" }));
    await screen.findByText(/Ending what is under way…/);
    const turned = screen.getByRole("switch", { name: "Run a team server here" });
    expect(turned.ariaChecked).toBe("false");
    await userEvent.click(turned);
    expect(host.asked).toEqual(["turnOffServer"]);
    end();
    await screen.findByText(/Running\./);
  });
});
