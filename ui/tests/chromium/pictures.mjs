/** A picture of every screen, and what is found by looking at it: axe, and words that cannot be read. */
import { join } from "node:path";
import { read } from "./legible.mjs";
import { audit, pictures, SIZES } from "./pages.mjs";
import { come, SCENARIOS } from "./scenarios.mjs";

/** What systems and browsers give text as long as nobody asks for another size, in pixels. */
const USUAL = 16;

async function picture(browser, origin, scenario, label, options, { before, colours = true } = {}) {
  const { context, page } = await come(browser, origin, scenario, options, before);
  await page.screenshot({ path: join(pictures, `${label}.png`) });
  await read(page, label);
  await audit(page, label, { colours });
  await context.close();
}

/** Every screen in both themes, in the window as it opens and as small as it gets. */
export async function pictureAll(browser, origin, { wanted }) {
  for (const scenario of SCENARIOS) {
    for (const colorScheme of ["dark", "light"]) {
      for (const viewport of SIZES) {
        const label = `${scenario.as}-${colorScheme}-${viewport.width}`;
        if (wanted(label)) await picture(browser, origin, scenario, label, { colorScheme, viewport });
      }
    }
  }
}

/** Every screen with its text at 200 %. */
export async function pictureLarge(browser, origin, { wanted }) {
  const options = { viewport: SIZES[0], colorScheme: "dark" };
  const before = async (page) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setFontSizes", { fontSizes: { standard: 2 * USUAL, fixed: 2 * 13 } });
  };
  for (const scenario of SCENARIOS) {
    const label = `${scenario.as}-large`;
    if (wanted(label)) await picture(browser, origin, scenario, label, options, { before });
  }
}

/** Every screen in forced colours; words are the same in every colour. */
export async function pictureForced(browser, origin, { wanted }) {
  const options = { viewport: SIZES[0], colorScheme: "dark", forcedColors: "active" };
  for (const scenario of SCENARIOS.filter(({ locale }) => !locale)) {
    const label = `${scenario.as}-forced`;
    if (wanted(label)) await picture(browser, origin, scenario, label, options, { colours: false });
  }
}
