import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { Recorder } from "../../tests/recorder";
import App from "../App.svelte";

describe("first run", () => {
  it("starts the server here, or connects by a key that it has checked for form", async () => {
    const host = new Recorder([], { kind: "none" });
    render(App, { host });
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Use this computer" }));
    const card = within(screen.getByRole("region", { name: "Paste an API key" }));
    await user.type(card.getByLabelText("Address of the team server"), "my team");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(card.getByRole("alert").textContent).toContain("such as team.example.com");
    await user.clear(card.getByLabelText("Address of the team server"));
    await user.type(card.getByLabelText("Address of the team server"), "team.example");
    await user.type(screen.getByLabelText("API key"), " key ");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(host.asked).toEqual(["useThisComputer", "connect https://team.example key"]);
  });

  it("keeps the address and says why when the key is refused", async () => {
    const host = new Recorder([], { kind: "none" });
    host.refusal = { code: "signed_out", message: "401" };
    render(App, { host });
    const user = userEvent.setup();
    const card = within(await screen.findByRole("region", { name: "Paste an API key" }));
    await user.type(card.getByLabelText("Address of the team server"), "https://team.example");
    await user.type(screen.getByLabelText("API key"), "wrong");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect((await screen.findByRole("alert")).textContent).toContain(
      "The team does not take this key. Copy it once more from the team’s settings, all of it.",
    );
  });
});

describe("first run in the browser", () => {
  it("signs in, and says where there is no such sign-in", async () => {
    const host = new Recorder([], { kind: "none" });
    host.refusal = { code: "refused", message: "none" };
    render(App, { host });
    const user = userEvent.setup();
    const card = within(await screen.findByRole("region", { name: "Sign in to your team" }));
    await user.type(card.getByLabelText("Address of the team server"), "https://team.example");
    await user.click(card.getByRole("button", { name: "Sign in in the browser" }));
    expect((await card.findByRole("alert")).textContent).toContain("Use an API key");
    host.refusal = null;
    await user.click(card.getByRole("button", { name: "Sign in in the browser" }));
    await card.findByText(/Go on in your browser/);
    expect(host.asked).toEqual(["signIn https://team.example", "signIn https://team.example"]);
  });
});
