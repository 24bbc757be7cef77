/** The jobs that need a real engine: playing, scrolling, and keys where the browser moves the focus. */
import { join } from "node:path";
import { audit, check, open, openQueue, pictures, SIZES } from "./pages.mjs";

/** Plays, renews its session without a stop, and obeys the keyboard. */
export async function playerJob(browser, origin, { tokens }) {
  const { context, page } = await openQueue(browser, origin, "scenario=player&lives=6000");
  await page.getByRole("grid").evaluate((view) => (view.scrollTop = view.scrollHeight));
  const ready = page.locator('[data-phase="ready"]').first();
  await ready.getByRole("button", { name: "Play", exact: true }).locator("visible=true").click();
  const at = () => page.evaluate(() => document.querySelector("video")?.currentTime ?? 0);
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1.5, null, {
    timeout: 20_000,
  });
  await page.mouse.move(500, 400);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(pictures, "player-dark-1120.png") });
  await audit(page, "player");
  const before = tokens.size;
  await page.waitForTimeout(6_000);
  check((await at()) > 6, `player: it stands at ${await at()} s after its session was renewed`);
  await page.keyboard.press("End");
  await page.keyboard.press("j");
  await page.waitForTimeout(1_500);
  check(tokens.size > before, "player: requests go on with the old signature");
  await page.keyboard.press(" ");
  check(await page.evaluate(() => document.querySelector("video").paused), "player: space does not pause");
  await page.keyboard.press("Escape");
  check((await page.locator("video").count()) === 0, "player: Escape does not close it");
  await context.close();
}

/** An upload that is under way plays from this computer's disk; a file that nothing here plays says so. */
export async function localPlayerJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=busy");
  await page.locator("[data-upload]").first().click();
  await page.keyboard.press("Control+I");
  await page.locator(".panel").getByRole("button", { name: "Play the local file" }).click();
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1, null, {
    timeout: 20_000,
  });
  await page.getByText("The file on this computer", { exact: true }).waitFor();
  await page.mouse.move(500, 400);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(pictures, "local-player-dark-1120.png") });
  await audit(page, "local-player");
  await page.keyboard.press("Escape");
  await page.locator("[data-upload]").filter({ hasText: ".mkv" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Play the local file" }).click();
  await page.getByText("This computer cannot play this kind of file.").waitFor();
  await page.screenshot({ path: join(pictures, "local-player-codec-dark-1120.png") });
  await audit(page, "local-player-codec");
  await context.close();
}

/** A hundred thousand rows: few are drawn, and scrolling to the end takes no long task. */
export async function scrollJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=many");
  const { worst, drawn, last } = await page.evaluate(async () => {
    const view = document.querySelector("[role=grid]");
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    let slowest = 0;
    for (let step = 1; step <= 60; step++) {
      const begin = performance.now();
      view.scrollTop = (view.scrollHeight / 60) * step;
      await frame();
      slowest = Math.max(slowest, performance.now() - begin);
    }
    await frame();
    return {
      worst: slowest,
      drawn: document.querySelectorAll("[data-upload]").length,
      last: [...document.querySelectorAll("[data-upload]")].at(-1)?.textContent,
    };
  });
  console.log(`100,000 rows: ${drawn} drawn, slowest step ${worst.toFixed(0)} ms`);
  check(drawn < 60, `many: ${drawn} rows are drawn`);
  check(worst < 250, `many: one step of scrolling took ${worst} ms`);
  check(last?.includes("A002_C030"), "many: the end of the list is not its last row");
  await context.close();
}

/** A hundred thousand that have ended: few are drawn, a few pages are kept, and the way back is there. */
export async function pastJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=many");
  await page.keyboard.press("Control+4");
  await page.getByRole("option").first().waitFor();
  const first = await page.getByRole("option").first().textContent();
  const view = page.getByRole("listbox");
  for (let step = 0; step < 12; step++) {
    await view.evaluate((list) => (list.scrollTop = list.scrollHeight));
    await page.waitForTimeout(250);
  }
  const drawn = await page.getByRole("option").count();
  check(drawn > 5 && drawn < 60, `past: ${drawn} rows are drawn`);
  await view.evaluate((list) => (list.scrollTop = 0));
  await page.getByText(first.trim().split(" ")[0]).first().waitFor();
  await view.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: /^Details/ }).waitFor();
  await page.keyboard.press("Escape");
  await context.close();
}

/** Five thousand videos: few are drawn, and the way to the end and back is by keyboard. */
export async function libraryJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=busy&library=many");
  await page.keyboard.press("Control+3");
  await page.locator("[data-video]").first().waitFor();
  const view = page.getByRole("grid");
  for (let step = 0; step < 60; step++) {
    await view.evaluate((grid) => (grid.scrollTop = grid.scrollHeight));
    await page.waitForTimeout(100);
  }
  const drawn = await page.locator("[data-video]").count();
  check(drawn > 5 && drawn < 60, `library: ${drawn} videos are drawn`);
  const sum = await page.locator("#library .sum").textContent();
  check(sum === "5,000 videos", `library: at its end it has ${sum}`);
  await view.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  const chosen = page.locator('[aria-selected="true"][data-video]');
  await chosen.waitFor();
  const columns = Number(await view.getAttribute("aria-colcount"));
  const id = await chosen.getAttribute("data-video");
  check(id === `rushes-${columns}`, `library: Home and Down lead to ${id}`);
  await context.close();
}

/** A video of the library plays with pictures of its time line; one that is in work plays as its original. */
export async function libraryPlayerJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=busy");
  await page.keyboard.press("Control+3");
  await page.locator('[data-video="rushes-2"]').click();
  const plays = (least) =>
    page.waitForFunction((from) => (document.querySelector("video")?.currentTime ?? 0) > from, least, {
      timeout: 20_000,
    });
  await plays(1);
  const line = await page.locator(".scrubber").boundingBox();
  await page.mouse.move(line.x + line.width * 0.6, line.y + line.height / 2);
  await page.locator(".frame .tile").waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(pictures, "library-player-dark-1120.png") });
  await audit(page, "library-player");
  await page.getByRole("dialog").getByRole("button", { name: "Share…" }).click();
  await page
    .getByRole("dialog", { name: /^Share/ })
    .getByRole("button", { name: "Close" })
    .click();
  await page.keyboard.press("Escape");
  check((await page.locator("video").count()) === 0, "library: Escape does not close the player");
  await page.locator('[data-state="processing"]').click();
  await page.getByText("The original, as it was uploaded").waitFor();
  await plays(0.5);
  await page.mouse.move(500, 400);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(pictures, "library-original-dark-1120.png") });
  await audit(page, "library-original");
  await context.close();
}

/** A link is made and another taken back, by keyboard alone. */
export async function libraryShareJob(browser, origin) {
  const { context, page } = await openQueue(browser, origin, "scenario=busy");
  await page.keyboard.press("Control+3");
  await page.locator("[data-video]").first().waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+F10");
  await page.locator("[role=menuitem]:focus").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.locator("li").first().waitFor();
  await dialog.getByLabel("Password").focus();
  await page.keyboard.type("harbour");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await dialog.getByText("Link created and copied").waitFor();
  check((await dialog.locator("li").count()) === 3, "share: there is no new link in the list");
  await dialog
    .locator("li")
    .last()
    .getByRole("button", { name: /^Revoke/ })
    .press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await dialog.getByText("Link revoked").waitFor();
  check((await dialog.locator("li").count()) === 2, "share: a revoked link is still in the list");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await context.close();
}

/** A folder is chosen, its rules are written and it is watched, paused and let go of, by keyboard alone. */
export async function folderJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=empty", { viewport: SIZES[0] });
  await goto();
  await page.getByText("Drop videos here").waitFor();
  await page.keyboard.press("Control+2");
  await page.getByRole("button", { name: "Watch a folder…" }).press("Enter");
  await page.getByText("No file would be uploaded now").waitFor();
  await page.getByRole("radio", { name: "Stays here until it is changed" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.getByText("14 files would be uploaded now").waitFor();
  await page.getByLabel("No files or folders like").focus();
  await page.keyboard.type("day 1");
  await page.getByText("No file would be uploaded now").waitFor();
  await page.getByRole("button", { name: "Start watching" }).press("Enter");
  const watched = page.getByRole("switch", { name: "Watch DCIM" });
  await watched.waitFor();
  check(
    await page.evaluate(() => document.activeElement?.textContent?.includes("Watch a folder")),
    "folders: the focus is lost when the rules are closed",
  );
  await watched.press("Space");
  await page.getByText("What comes meanwhile goes up when it is watched again.").waitFor();
  await page.getByRole("button", { name: "Stop watching DCIM" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Stop watching" }).press("Enter");
  await page.getByText("Footage that uploads itself").waitFor();
  await context.close();
}
