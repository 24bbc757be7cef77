/** Whether forced colours leave everything that has a meaning to be seen. */
import { check, SIZES } from "./pages.mjs";
import { changed, filled } from "./pixels.mjs";
import { come, SCENARIOS } from "./scenarios.mjs";

const SCHEMES = ["dark", "light"];
/** In pixels, more than what changes in a row by itself: its figures. */
const FRAME = 500;

/** Focus, what is chosen, switches and progress, by what changes of their pictures. */
export async function forcedColours(browser, origin) {
  for (const colorScheme of SCHEMES) {
    const lens = await browser.newPage();
    const options = { viewport: SIZES[0], colorScheme, forcedColors: "active" };
    const show = async (as) => {
      const scenario = SCENARIOS.find((one) => one.as === as);
      const { context, page } = await come(browser, origin, scenario, options);
      // Nothing moves but by what is done here.
      await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
      await page.mouse.move(0, 0);
      return { context, page };
    };
    const tell = (right, what) => check(right, `forced colours, ${colorScheme}: ${what}`);

    /** A change of at least this many pixels around a thing. */
    const shows = async (page, thing, what, act, least = 60) => {
      const box = await thing.boundingBox();
      const clip = { x: box.x - 6, y: box.y - 6, width: box.width + 12, height: box.height + 12 };
      const before = await page.screenshot({ clip });
      await act();
      await page.waitForTimeout(150);
      const pixels = await changed(lens, before, await page.screenshot({ clip }));
      tell(pixels >= least, `${what} shows in ${pixels} pixels`);
    };
    const focus = async (page, focused, what, thing = focused) => {
      // What is focused by a script after a key has been pressed shows it as after a key.
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press("Shift");
      await shows(page, thing, `focus on ${what}`, () => focused.focus());
    };

    const queue = await show("busy");
    const row = queue.page.locator("[data-upload]").nth(1);
    await shows(queue.page, row, "a chosen row", () => row.click({ position: { x: 300, y: 10 } }), FRAME);
    await focus(queue.page, queue.page.getByRole("grid"), "a chosen row", row);
    await focus(queue.page, queue.page.getByRole("button", { name: "Pause all" }), "a button");
    await focus(queue.page, queue.page.getByRole("button", { name: "Add files…" }), "the chief button");
    await focus(queue.page, queue.page.getByRole("button", { name: /^Speed limit/ }), "a quiet button");
    await focus(queue.page, queue.page.getByRole("link", { name: "Library" }), "a link of the sidebar");
    await focus(queue.page, queue.page.locator("aside .card"), "the destination");
    const bar = queue.page.getByRole("progressbar").first();
    const share = (await bar.getAttribute("aria-valuenow")) / 100;
    const drawn = await filled(lens, await bar.screenshot());
    tell(drawn > share - 0.02 && drawn < share + 0.1, `a bar of ${share} is filled to ${drawn}`);
    const folders = queue.page.getByRole("link", { name: "Watched folders" });
    await shows(queue.page, folders, "the screen that is open", () => queue.page.keyboard.press("Control+2"));
    await queue.context.close();

    const details = await show("details");
    const [whole, empty] = await Promise.all(
      ["first-child", "last-child"].map((which) => details.page.locator(`.map i:${which}`).screenshot()),
    );
    const squares = await changed(lens, whole, empty);
    tell(squares > 20, `a part that is there differs from one to come in ${squares} pixels`);
    await details.context.close();

    const settings = await show("settings");
    const turn = settings.page.getByRole("switch").first();
    await focus(settings.page, turn, "a switch");
    const other = settings.page.getByRole("switch", { checked: false }).first();
    await other.scrollIntoViewIfNeeded();
    await shows(settings.page, other, "a switch that is turned on", () => other.click(), 100);
    const radio = settings.page.getByRole("radio", { name: "Dark" });
    await radio.scrollIntoViewIfNeeded();
    await shows(settings.page, radio.locator(".."), "a chosen segment", () => radio.click({ force: true }));
    const day = settings.page.getByRole("button", { name: "Sat" }).last();
    await day.scrollIntoViewIfNeeded();
    await focus(settings.page, day, "a day of the schedule");
    await shows(settings.page, day, "a chosen day", () => day.click());
    await settings.context.close();

    const activity = await show("activity");
    const past = activity.page.getByRole("option").nth(2);
    await shows(activity.page, past, "what is chosen in the activity", () => past.click(), FRAME);
    await activity.context.close();

    const library = await show("library");
    const card = library.page.locator("[data-video]").nth(1);
    await focus(library.page, library.page.getByRole("searchbox"), "the search");
    await library.page.getByRole("grid").focus();
    await shows(library.page, card, "a chosen video", () => library.page.keyboard.press("ArrowRight"));
    await library.context.close();

    const downloads = await show("library-downloads");
    const arriving = downloads.page.locator("[data-download=downloading]").getByRole("progressbar");
    const arrived = (await arriving.getAttribute("aria-valuenow")) / 100;
    const seen = await filled(lens, await arriving.screenshot());
    tell(Math.abs(seen - arrived) < 0.05, `a download of ${arrived} is filled to ${seen}`);
    await downloads.context.close();
    await lens.close();
  }
}
