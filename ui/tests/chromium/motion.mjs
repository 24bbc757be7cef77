/** Whether the page keeps still for those who asked for that. */
import { check, openQueue } from "./pages.mjs";

/** Longer than this is seen to move. */
const STILL = 10;

/** What the page does moves nothing where motion is to be reduced, and does move elsewhere. */
export async function reducedMotion(browser, origin) {
  for (const reducedMotion of ["reduce", "no-preference"]) {
    const { context, page } = await openQueue(browser, origin, "scenario=busy", { reducedMotion });
    await page.evaluate(() => {
      window.longest = { of: "nothing", lasts: 0 };
      const look = () => {
        for (const animation of document.getAnimations()) {
          const { duration, iterations } = animation.effect.getComputedTiming();
          const lasts = Number(duration) * iterations;
          const of = animation.animationName ?? animation.transitionProperty;
          if (lasts > window.longest.lasts) window.longest = { of, lasts };
        }
        requestAnimationFrame(look);
      };
      look();
    });
    const rest = () => page.waitForTimeout(250);
    await page.locator("[data-upload]").nth(1).click({ button: "right" });
    await rest();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+I");
    await page.locator(".map").waitFor();
    await rest();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").waitFor();
    await rest();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+3");
    await page.locator("[data-video]").first().waitFor();
    await rest();
    await page.keyboard.press("Control+,");
    await page.getByRole("switch").first().click();
    await rest();
    const { of, lasts } = await page.evaluate(() => window.longest);
    if (reducedMotion === "reduce") check(lasts <= STILL, `reduced motion: ${of} moves for ${lasts} ms`);
    else check(lasts > STILL, "reduced motion: nothing moves elsewhere, either");
    await context.close();
  }
}
