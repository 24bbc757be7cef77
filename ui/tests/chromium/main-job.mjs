/** The whole main job by keyboard alone, from the first start to the settings. */
import { join } from "node:path";
import { check, open, pictures, SIZES } from "./pages.mjs";

/** After a key has been pressed, the page has so long to say where the keyboard is. */
const PATIENCE = 2_000;

/** Runs in the page: what has the keyboard, whether that is in sight, and whether it is marked. */
function place() {
  const held = document.activeElement;
  if (!held || held === document.body) return { what: "nothing", seen: false, marked: false };
  // A list has the keyboard for the row that it points to; a control that is not drawn, for its label.
  const pointed = held.getAttribute("aria-activedescendant");
  const row = pointed === null ? null : document.getElementById(pointed);
  const shown = row ?? (held.matches("input[type=radio]") ? held.closest("label") : held);
  const rings = [shown, ...shown.querySelectorAll("*")].slice(0, row ? undefined : 1);
  const box = shown.getBoundingClientRect();
  const middle = { x: box.left + box.width / 2, y: box.top + Math.min(box.height, innerHeight) / 2 };
  const top = document.elementFromPoint(middle.x, middle.y);
  return {
    what: `${held.getAttribute("role") ?? held.tagName.toLowerCase()} “${
      shown.getAttribute("aria-label") ?? shown.textContent.trim().slice(0, 40)
    }”`,
    seen: top !== null && (shown.contains(top) || top.contains(shown)),
    marked: rings.some((one) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
    }),
  };
}

/** Whoever does it: presses keys, and always sees where they are. */
class Hands {
  constructor(page) {
    this.page = page;
    this.last = "the start";
  }

  /** Presses keys one after the other. Dialogs are places of their own before a key leads to a control in them. */
  async press(...keys) {
    for (const key of keys) {
      this.last = key;
      await this.page.keyboard.press(key);
      await this.look();
    }
  }

  async type(text) {
    await this.page.keyboard.type(text);
    await this.look();
  }

  /** The keyboard has a place, that place is in sight, and it is marked. */
  async look() {
    const deadline = Date.now() + PATIENCE;
    let found;
    do {
      found = await this.page.evaluate(place);
      if (found.seen && found.marked) return;
      await this.page.waitForTimeout(30);
    } while (Date.now() < deadline);
    const { what, seen } = found;
    await this.page.screenshot({ path: join(pictures, "main-job-fault.png") });
    check(
      false,
      `main job: after ${this.last}, ${what} has the keyboard, ${seen ? "unmarked" : "out of sight"}`,
    );
  }

  /** By Tab (or Shift+Tab) to a control, without leaving the window. */
  async tabTo(role, name, key = "Tab") {
    const wanted = this.page.getByRole(role, { name });
    for (let step = 0; step < 30; step++) {
      const there = await wanted.evaluateAll((all) => all.includes(document.activeElement));
      if (there) return;
      await this.press(key);
    }
    throw new Error(`${key} does not lead to the ${role} ${name}`);
  }

  /** Something has the keyboard, as soon as the page has given it there. */
  async has(role, name) {
    const wanted = name === undefined ? this.page.getByRole(role) : this.page.getByRole(role, { name });
    const deadline = Date.now() + PATIENCE;
    do {
      if (await wanted.evaluateAll((all) => all.includes(document.activeElement))) return;
      await this.page.waitForTimeout(30);
    } while (Date.now() < deadline);
    const { what } = await this.page.evaluate(place);
    throw new Error(`after ${this.last}, ${what} has the keyboard, and not the ${role} ${name ?? ""}`);
  }
}

export async function mainJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=first-run", { viewport: SIZES[0] });
  await goto();
  await page.getByRole("heading", { name: "Where should your footage go?" }).waitFor();
  const hands = new Hands(page);

  // It connects by a key, which is refused at first.
  await hands.tabTo("textbox", "API key");
  await hands.press("Shift+Tab");
  await hands.type("https://team.example");
  await hands.press("Tab");
  await hands.type("wrong");
  await hands.press("Enter");
  await page.getByRole("alert").waitFor();
  await hands.has("textbox", "API key");
  await hands.press("Control+A");
  await hands.type("dk_a_long_key");
  await hands.tabTo("button", "Connect");
  await hands.press("Enter");
  await page.getByText("Drop videos here").waitFor();
  await hands.has("button", "Choose files…");

  // Another destination.
  await hands.tabTo("button", "Change");
  await hands.press("Enter");
  await page.getByRole("radio").first().waitFor();
  await hands.has("radio", "Spring campaign / Rushes");
  await hands.press("ArrowDown", "ArrowDown", "Enter");
  await page.getByRole("main").getByText("Harbour film").waitFor();
  await hands.has("button", "Change");

  // Files.
  await hands.tabTo("button", "Choose files…", "Shift+Tab");
  await hands.press("Enter");
  await page.locator("[data-upload]").first().waitFor();
  await hands.has("grid");
  await hands.press("Control+O", "Control+O", "Control+O", "Control+O");
  await page.locator("[data-upload]").nth(4).waitFor();

  // Along the queue; one is paused and goes on, by keys and by its button.
  const current = page.locator("[data-upload][data-current]");
  await hands.press("End", "Home", "ArrowDown", "PageDown", "PageUp");
  await hands.press("Home", "Space");
  await page.locator('[data-current][data-hold="paused"]').waitFor();
  await hands.press("Enter");
  await page.locator('[data-current][data-hold="none"]').waitFor();
  await hands.tabTo("button", "Pause");
  await hands.press("Enter");
  await page.locator('[data-current][data-hold="paused"]').waitFor();
  await hands.has("button", "Resume");
  await hands.press("Enter");
  await page.locator('[data-current][data-hold="none"]').waitFor();
  await hands.tabTo("button", "Pause all", "Shift+Tab");
  await hands.press("Enter");
  await hands.has("button", "Resume all");
  await hands.press("Enter");
  await hands.has("button", "Pause all");
  await hands.tabTo("grid", /./);

  // Its details, walked through and closed.
  await hands.press("Control+I");
  const details = page.getByRole("complementary", { name: /^Details/ });
  await details.waitFor();
  await hands.has("grid");
  await hands.press("ArrowDown");
  await hands.tabTo("button", "Close details");
  await hands.press("Enter");
  await details.waitFor({ state: "detached" });
  await hands.has("grid");

  // It is cancelled, after a second thought.
  const id = await current.getAttribute("data-upload");
  await hands.press("Delete");
  await hands.has("button", "Keep uploading");
  await hands.press("Escape");
  await hands.has("grid");
  await hands.press("Shift+F10");
  await hands.has("menuitem", "Pause");
  await hands.press("End");
  await hands.has("menuitem", "Cancel upload");
  await hands.press("Enter");
  await hands.has("button", "Keep uploading");
  await hands.press("Tab", "Enter");
  await page.locator(`[data-upload="${id}"][data-hold="cancelled"]`).waitFor();
  await hands.has("grid");

  // What the team has: one is played, and shared.
  await hands.press("Control+3");
  await page.locator("[data-video]").first().waitFor();
  await hands.tabTo("grid", /^Videos of/);
  await hands.press("Home", "ArrowRight", "ArrowRight");
  await page.keyboard.press("Enter");
  const player = page.getByRole("dialog", { name: /^Player/ });
  await player.waitFor();
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.3, null, {
    timeout: 20_000,
  });
  await page.keyboard.press("Space");
  check(await page.evaluate(() => document.querySelector("video").paused), "main job: space does not pause");
  await hands.tabTo("button", "Share…");
  await hands.press("Enter");
  const share = page.getByRole("dialog", { name: /^Share/ });
  await share.locator("li").first().waitFor();
  await hands.tabTo("button", "Create and copy link");
  await hands.press("Enter");
  await share.getByText("Link created and copied").waitFor();
  await hands.has("button", "Create and copy link");
  const links = await share.locator("li").count();
  await hands.tabTo("button", /^Revoke the link/);
  await hands.press("Enter");
  await hands.has("button", "Keep it");
  await hands.press("Tab", "Enter");
  await share.getByText("Link revoked").waitFor();
  check((await share.locator("li").count()) === links - 1, "main job: a revoked link is still there");
  await hands.look();
  await page.keyboard.press("Escape");
  await share.waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await player.waitFor({ state: "detached" });
  await hands.has("grid");
  await hands.look();

  // The other screens, and a switch in the settings.
  await hands.press("Control+4", "Control+2");
  await hands.press("Control+,");
  await hands.tabTo("switch", /^Keep/);
  const kept = page.getByRole("switch", { name: /^Keep/ });
  const before = await kept.getAttribute("aria-checked");
  await hands.press("Space");
  await page.waitForFunction(
    ([one, was]) => one.getAttribute("aria-checked") !== was,
    [await kept.elementHandle(), before],
  );
  await hands.has("switch", /^Keep/);
  await hands.tabTo("link", "Queue", "Shift+Tab");
  await hands.press("Enter");
  await page.locator("[data-upload]").first().waitFor();
  await hands.has("link", "Queue");
  await context.close();
}
