import { beforeEach, describe, expect, it, vi } from "vitest";
import { keepKeyboard } from "./keeper";

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

describe("the keyboard's place", () => {
  beforeEach(() => {
    document.body.innerHTML = `
      <nav><a id="link" href="#queue" aria-current="page">Queue</a></nav>
      <main>
        <header><button id="pause">Pause all</button><button id="add">Add</button></header>
        <div id="list" tabindex="0" data-start><button id="row" tabindex="-1">Pause</button></div>
      </main>`;
    return keepKeyboard(document.body);
  });

  const comesTo = (id: string): Promise<void> =>
    vi.waitFor(() => {
      expect(document.activeElement).toBe(byId(id));
    });

  it("is the nearest that is left when it is taken away", async () => {
    byId("pause").focus();
    byId("pause").remove();
    await comesTo("add");
  });

  it("is the list when a button in one of its rows goes", async () => {
    byId("row").focus();
    byId("row").remove();
    await comesTo("list");
  });

  it("is what a new screen is about, or else the link to it", async () => {
    byId("add").focus();
    document.querySelector("main")?.replaceWith(document.createElement("main"));
    await comesTo("link");
    document.querySelector("main")?.insertAdjacentHTML("beforeend", `<button id="only"></button>`);
    byId("only").focus();
    const main = document.createElement("main");
    main.innerHTML = `<button></button><button id="start" data-start></button>`;
    document.querySelector("main")?.replaceWith(main);
    await comesTo("start");
  });

  it("is another one than a button that can no longer be pressed", async () => {
    byId("pause").focus();
    // As browsers do when they next draw; jsdom never draws.
    byId("pause").blur();
    (byId("pause") as HTMLButtonElement).disabled = true;
    await comesTo("add");
  });

  it("is not looked for when somebody pointed elsewhere", async () => {
    byId("add").focus();
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    byId("add").remove();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(document.activeElement).toBe(document.body);
  });
});
