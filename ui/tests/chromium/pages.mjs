/** Pages of Chromium, and what they are blamed for. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const target = fileURLToPath(new URL("../../../target", import.meta.url));
export const pictures = join(target, "screens");
/** The browser build: the product's page with the scripted host. */
export const build = join(target, "ui-browser");

/** The window as it opens, and as small as it gets. */
export const SIZES = [
  { width: 1120, height: 760 },
  { width: 720, height: 480 },
];

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const failures = [];
export function check(right, what) {
  if (!right) failures.push(what);
}

export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", ...more],
  });
}

/** What axe finds; only what is serious is a fault. It reckons with the page's own colours, not the system's. */
export async function audit(page, label, { colours = true } = {}) {
  const { violations } = await page.evaluate(
    (enabled) =>
      window.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        rules: { "color-contrast": { enabled } },
      }),
    colours,
  );
  for (const { id, impact, nodes } of violations) {
    const where = nodes.slice(0, 3).map(({ target, any }) => `${target.join(" ")} ${any[0]?.message ?? ""}`);
    const line = `${label}: ${impact} ${id}: ${where.join(" | ")}`;
    if (impact === "serious" || impact === "critical") failures.push(line);
    else console.log(`note: ${line}`);
  }
}

export async function open(browser, origin, query, options) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => failures.push(`${query}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") failures.push(`${query}: ${message.text()}`);
  });
  await page.addInitScript({ path: axe });
  // As the shell does (`freezePrototype`): a library that writes there would only fail in the product.
  await page.addInitScript(() => Object.freeze(Object.prototype));
  return { context, page, goto: () => page.goto(`${origin}/?${query}`) };
}

/** The same as the window opens, dark, with its queue in sight. */
export async function openQueue(browser, origin, query, options = {}) {
  const opened = await open(browser, origin, query, { viewport: SIZES[0], colorScheme: "dark", ...options });
  await opened.goto();
  await opened.page.locator("[data-upload]").first().waitFor();
  return opened;
}
