// Opens a share page in Chromium, as whoever is sent its address does, and watches a second of it.
//
//   node visitor.mjs ADDRESS PICTURE; the browser's library is taken from ui/node_modules.

import { createRequire } from "node:module";

const [address, picture] = process.argv.slice(2);
const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))("playwright-core");
/** Milliseconds until it must play. */
const PATIENCE = 60_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(address);
  const video = page.locator("video");
  await video.waitFor({ timeout: PATIENCE });
  await video.evaluate(async (it) => {
    it.muted = true;
    await it.play();
  });
  const at = () => video.evaluate((it) => it.currentTime);
  const from = await at();
  const end = Date.now() + PATIENCE;
  while ((await at()) < from + 1) {
    if (Date.now() > end) throw new Error(`it stands at ${await at()} s`);
    await page.waitForTimeout(100);
  }
  await page.screenshot({ path: picture });
  console.log(await page.locator("h1").textContent());
} finally {
  await browser.close();
}
