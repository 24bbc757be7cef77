/** The order of what waits: by pointer and by keyboard, in a short list and in a very long one. */
import { check, open, SIZES } from "./pages.mjs";

/** What waits for its turn or is paused: all that can be moved, so that one step is from each to the next. */
export const WAITING = '[data-upload]:is([data-phase="queued"][data-hold="none"], [data-hold="paused"])';

const NAME = ".name";

/** Brings the first that waits to the top of what is seen. */
export async function comeToWaiting(page) {
  const view = page.getByRole("grid");
  await page.locator("[data-upload]").first().waitFor();
  for (let step = 0; step < 20 && (await page.locator(WAITING).count()) === 0; step++) {
    await view.evaluate((list) => (list.scrollTop += list.clientHeight / 2));
    await page.waitForTimeout(50);
  }
  const row = await page.locator(WAITING).first().boundingBox();
  const box = await view.boundingBox();
  await view.evaluate((list, by) => (list.scrollTop += by), row.y - box.y - 40);
  await page.waitForTimeout(50);
}

/** Picks a row up, and holds it over the upper or lower part of another. */
export async function carry(page, from, to, { below = false } = {}) {
  const [begin, end] = [await from.boundingBox(), await to.boundingBox()];
  const x = begin.x + begin.width / 3;
  await page.mouse.move(x, begin.y + begin.height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 2, begin.y + begin.height / 2 + 2);
  await page.mouse.move(x, end.y + end.height * (below ? 0.8 : 0.2), { steps: 6 });
}

const titles = (page) => page.locator(WAITING).locator(NAME).allTextContents();
const line = (page) => page.locator("[role=grid] .line");

/** Waits until it is so, for as long as a busy computer may need; or else it is a fault. */
async function until(page, look, what) {
  let now = await look();
  for (let round = 0; round < 200 && now !== true; round++) {
    await page.waitForTimeout(50);
    now = await look();
  }
  check(now === true, `order: ${what}: ${String(now)}`);
}

/** Waits until what waits begins like this. */
function settled(page, wanted, what) {
  const look = async () => {
    const now = (await titles(page)).slice(0, wanted.length).join();
    return now === wanted.join() || now;
  };
  return until(page, look, what);
}

/** Waits until assistive technology is told so. */
function told(page, words, what) {
  const said = page.locator(".unseen[role=status]");
  const look = async () => {
    const now = await said.textContent();
    return now.startsWith(words) || now;
  };
  return until(page, look, what);
}

export async function orderJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=busy", { viewport: SIZES[0] });
  await goto();
  await comeToWaiting(page);
  const rows = page.locator(WAITING);
  const [a, b, c, d, e] = await titles(page);

  await carry(page, rows.nth(3), rows.nth(1));
  check(await line(page).isVisible(), "order: no line says where a row will stand");
  check((await page.locator(".lifted").count()) === 1, "order: what is carried is not seen to be");
  await page.mouse.up();
  await settled(page, [a, d, b, c, e], "a row that was carried up");
  check((await line(page).count()) === 0, "order: the line stays");

  await carry(page, rows.nth(0), rows.nth(2), { below: true });
  await page.keyboard.press("Escape");
  check((await line(page).count()) === 0, "order: Escape does not end a drag");
  await page.mouse.up();
  await settled(page, [a, d, b, c, e], "after Escape");
  const selected = await page.locator('[data-upload][aria-selected="true"]').count();
  check(selected === 1, `order: after Escape ${selected} rows are selected`);

  // Two that do not stand together, taken by one of them.
  await rows.nth(0).click();
  await rows.nth(2).click({ modifiers: ["Control"] });
  await carry(page, rows.nth(2), rows.nth(4), { below: true });
  check((await page.locator(".lifted").count()) === 2, "order: not all that is selected is carried");
  await page.mouse.up();
  await settled(page, [d, c, e, a, b], "two that were carried down");
  // A click that carries nothing means the row alone.
  await rows.nth(3).click();
  const alone = await page.locator('[data-upload][aria-selected="true"]').count();
  check(alone === 1, `order: a click leaves ${alone} rows selected`);

  await page.keyboard.press("Alt+ArrowUp");
  await settled(page, [d, c, a, e, b], "Alt and Up");
  await page.keyboard.press("Alt+ArrowUp");
  await page.keyboard.press("Alt+ArrowUp");
  await settled(page, [a, d, c, e, b], "twice more, at once");
  await page.keyboard.press("Alt+ArrowUp");
  await told(page, "That is as far up as it goes.", "on top");
  await page.keyboard.press("Alt+ArrowDown");
  await settled(page, [d, a, c, e, b], "Alt and Down");
  await told(page, `${a} is now 2 of `, "one down");
  const kept = await page.evaluate(() => [
    document.activeElement?.getAttribute("role"),
    document.querySelector("[data-current] .name")?.textContent,
  ]);
  check(kept.join() === `grid,${a}`, `order: the keyboard is on ${kept.join(" ")}`);
  await page.keyboard.press("Alt+End");
  await until(page, async () => (await titles(page)).at(-1) === a, "Alt and End lead to the end");
  await page.keyboard.press("Alt+Home");
  await settled(page, [a, d, c, e, b], "Alt and Home");

  // By the menu, which offers only what changes something.
  await page.keyboard.press("Shift+F10");
  await page.locator("[role=menuitem]:focus").waitFor();
  const offered = await page.getByRole("menuitem").allTextContents();
  check(
    !offered.some((word) => /Move (up|to top)/.test(word)),
    `order: on top, the menu has ${offered.join()}`,
  );
  await page.getByRole("menuitem", { name: "Move to end" }).press("Enter");
  await settled(page, [d, c, e, b], "the menu");

  // What goes next goes at once: there is room of its own for it.
  await rows.nth(2).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Upload next" }).click();
  await settled(page, [d, c, b], "after what was to go next");
  await page.getByRole("grid").evaluate((view) => (view.scrollTop = 0));
  await page.locator('[data-phase="uploading"]', { hasText: e }).waitFor();

  // What is under way stays where it is.
  await carry(page, page.locator("[data-upload]").nth(0), page.locator("[data-upload]").nth(2));
  check((await line(page).count()) === 0, "order: what is under way can be carried");
  await page.mouse.up();
  await context.close();
}

/** A refusal is said, and the list shows the order that holds. */
export async function orderRefusedJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=busy&order=refused", {
    viewport: SIZES[0],
  });
  await goto();
  await comeToWaiting(page);
  const before = await titles(page);
  await carry(page, page.locator(WAITING).nth(2), page.locator(WAITING).nth(0));
  await page.mouse.up();
  check((await page.locator(".lifted").count()) === 1, "order: nothing shows that it is under way");
  check((await titles(page)).join() === before.join(), "order: it is shown before it holds");
  await page.getByText("This computer’s disk is full or refuses to write.").waitFor();
  check((await titles(page)).join() === before.join(), "order: a refused order is shown");
  check((await page.locator(".lifted").count()) === 0, "order: what was refused is still under way");
  await context.close();
}

/** In a hundred thousand rows: the list scrolls while something is held at its edge, and no step takes long. */
export async function orderManyJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=many", { viewport: SIZES[0] });
  await goto();
  await comeToWaiting(page);
  const [carried] = await titles(page);
  const view = page.getByRole("grid");
  const begin = await view.evaluate((list) => list.scrollTop);
  await page.evaluate(() => {
    window.slowest = 0;
    let last = performance.now();
    const look = (now) => {
      window.slowest = Math.max(window.slowest, now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const box = await view.boundingBox();
  await carry(page, page.locator(WAITING).nth(0), page.locator(WAITING).nth(2));
  await page.mouse.move(box.x + 200, box.y + box.height - 8, { steps: 4 });
  await page.waitForTimeout(2_000);
  const passed = (await view.evaluate((list) => list.scrollTop)) - begin;
  check(passed > 800, `order: at its edge the list scrolls by ${passed} pixels in two seconds`);
  await page.mouse.move(box.x + 200, box.y + box.height / 2, { steps: 2 });
  const rest = await view.evaluate((list) => list.scrollTop);
  await page.waitForTimeout(300);
  check((await view.evaluate((list) => list.scrollTop)) === rest, "order: it scrolls on in the middle");
  const above = await page.evaluate(() => {
    const mark = document.querySelector("[role=grid] .line").getBoundingClientRect().top;
    const rows = [...document.querySelectorAll("[data-upload]")];
    const over = rows.filter((row) => row.getBoundingClientRect().bottom <= mark + 4);
    over.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
    return over.at(-1).querySelector(".name").textContent;
  });
  await page.mouse.up();
  await until(page, async () => (await page.locator(".lifted").count()) === 0, "it is dropped");
  const order = await page.evaluate(() => {
    const rows = [...document.querySelectorAll("[data-upload]")];
    rows.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
    return rows.map((row) => row.querySelector(".name").textContent);
  });
  check(order[order.indexOf(above) + 1] === carried, `order: ${carried} is not below ${above}`);
  await view.focus();
  await page.keyboard.press("Alt+Home");
  await page.locator(WAITING, { hasText: carried }).waitFor();
  await until(page, async () => (await titles(page))[0] === carried, "Alt and Home lead to the top");
  const drawn = await page.locator("[data-upload]").count();
  const slowest = await page.evaluate(() => window.slowest);
  console.log(`100,000 rows put into another order: ${drawn} drawn, slowest frame ${slowest.toFixed(0)} ms`);
  check(drawn < 60, `order: ${drawn} rows are drawn`);
  check(slowest < 250, `order: one frame took ${slowest} ms`);
  await context.close();
}
