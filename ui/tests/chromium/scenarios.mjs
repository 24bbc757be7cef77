import { carry, comeToWaiting, WAITING } from "./order.mjs";
import { open } from "./pages.mjs";

/**
 * Every screen and state that there are pictures of, and how each is come to: the scripted host's scenario,
 * how long it runs before, and what is done then. With `german` there are pictures in that language, too.
 */
const SCREENS = [
  { name: "first-run" },
  { name: "empty" },
  { name: "busy", seconds: 40, german: true },
  { name: "needs", seconds: 8 },
  { name: "offline", seconds: 3 },
  { name: "metered" },
  { name: "rebuilt" },
  { name: "many", seconds: 8 },
  { name: "drag", seconds: 8 },
  { name: "refused" },
  { name: "server-failed" },
  { name: "problem" },
  { name: "busy", as: "menu", seconds: 12, prepare: openMenu },
  { name: "busy", as: "selection", seconds: 12, prepare: selectThree },
  { name: "busy", as: "waiting-menu", seconds: 12, prepare: openWaitingMenu, german: true },
  { name: "busy", as: "carried", seconds: 12, prepare: carryTwo, german: true },
  { name: "busy", as: "destination", seconds: 12, prepare: openDestination },
  { name: "busy", as: "cancel", seconds: 12, prepare: openCancel },
  { name: "busy", as: "details", seconds: 30, prepare: openDetails, german: true },
  { name: "needs", as: "details-needs", seconds: 8, prepare: openDetailsOfNeeding },
  { name: "busy", as: "activity", seconds: 2, prepare: openActivity, german: true },
  { name: "busy", as: "activity-details", seconds: 2, prepare: openPast },
  { name: "busy", as: "activity-none", seconds: 2, prepare: searchInVain },
  { name: "empty", as: "activity-empty", seconds: 2, prepare: openActivity },
  { name: "busy", as: "library", prepare: openLibrary, german: true },
  { name: "busy&library=empty", as: "library-empty", prepare: openLibrary },
  { name: "busy&library=no-projects", as: "library-no-projects", prepare: openLibrary },
  { name: "busy&library=unlisted", as: "library-unlisted", prepare: openLibrary },
  { name: "busy&library=failed", as: "library-failed", prepare: openLibrary },
  { name: "busy&library=slow", as: "library-loading", prepare: openLibrary },
  { name: "busy&library=many", as: "library-many", prepare: openLibrary },
  { name: "busy", as: "library-none", prepare: searchLibraryInVain },
  { name: "busy", as: "library-menu", prepare: openVideoMenu },
  { name: "busy", as: "library-share", prepare: openShare, german: true },
  { name: "busy", as: "library-revoke", prepare: openRevoke },
  { name: "busy", as: "library-downloads", prepare: downloadThree, german: true },
  { name: "folders", prepare: openFolders, german: true },
  { name: "busy", as: "folders-empty", prepare: openFolders },
  { name: "folders", as: "folders-rules", prepare: openRules, german: true },
  { name: "folders", as: "folders-new", prepare: chooseFolder },
  { name: "folders", as: "folders-faulty", prepare: breakRules },
  { name: "folders", as: "folders-remove", prepare: openRemoval },
  { name: "limited", seconds: 12, prepare: openLimit },
  { name: "broke" },
  { name: "teams", as: "settings", prepare: openSettings, german: true },
  { name: "teams", as: "settings-transfers", prepare: openTransfers, german: true },
  { name: "teams", as: "settings-end", prepare: openSettingsEnd },
  { name: "teams", as: "settings-sign-out", prepare: openSignOut },
  { name: "teams", as: "settings-add", prepare: openAddTeam },
  { name: "teams", as: "settings-waiting", prepare: openWaiting },
  { name: "teams", as: "settings-fault", prepare: breakSchedule },
  { name: "teams", as: "destination-teams", seconds: 12, prepare: openDestination },
  { name: "first-run", as: "first-run-waiting", prepare: signIn },
];

export const SCENARIOS = SCREENS.flatMap(({ german = false, as, ...scenario }) => {
  const named = { seconds: 1, ...scenario, as: as ?? scenario.name };
  return german ? [named, { ...named, as: `${named.as}-german`, locale: "de-DE" }] : [named];
});

/** Opens a scenario and lets it come to the moment of its picture. */
export async function come(browser, origin, scenario, options, before = () => undefined) {
  const { name, seconds, prepare, locale } = scenario;
  const all = { reducedMotion: "reduce", ...options, ...(locale ? { locale } : {}) };
  const { context, page, goto } = await open(browser, origin, `scenario=${name}`, all);
  await page.clock.install({ time: new Date("2026-11-20T14:55:00+01:00") });
  await before(page);
  await goto();
  await page.locator("main").waitFor();
  await page.clock.runFor(seconds * 1_000);
  if (prepare) await prepare(page);
  await page.clock.runFor(400);
  await page.waitForLoadState("networkidle");
  return { context, page };
}

async function openMenu(page) {
  await page.locator("[data-upload]").nth(1).click({ button: "right" });
  await page.getByRole("menu").waitFor();
}

async function selectThree(page) {
  await page.locator("[data-upload]").nth(0).click();
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await page.getByRole("toolbar").waitFor();
}

async function openWaitingMenu(page) {
  await comeToWaiting(page);
  await page.locator(WAITING).nth(1).click({ button: "right" });
  await page.getByRole("menu").waitFor();
}

async function carryTwo(page) {
  await comeToWaiting(page);
  const rows = page.locator(WAITING);
  await rows.nth(1).click();
  await page.keyboard.press("Shift+ArrowDown");
  await carry(page, rows.nth(1), rows.nth(0));
  await page.locator("[role=grid] .line").waitFor();
}

async function openDestination(page) {
  await page.locator("aside .card").click();
  await page.clock.runFor(1_000);
  await page.getByRole("radio").first().waitFor();
}

async function openCancel(page) {
  await page.locator("[data-upload]").nth(0).click();
  await page.keyboard.press("Delete");
  await page.getByRole("dialog").waitFor();
}

async function openFolders(page) {
  await page.keyboard.press("Control+2");
  await page.locator("main#folders :is([data-folder], .empty)").first().waitFor();
}

async function openRules(page) {
  await openFolders(page);
  await page.locator("[data-folder] [data-rules]").first().click();
  await page.clock.runFor(1_000);
  await page.locator("#folders section li").first().waitFor();
}

async function chooseFolder(page) {
  await openFolders(page);
  await page.locator("main#folders header button").click();
  await page.clock.runFor(1_000);
  await page.locator("#folders section li").first().waitFor();
}

async function breakRules(page) {
  await openRules(page);
  await page.locator("#folders textarea").first().fill("day 1/[ab");
  await page.locator("#folders input[type=text]").fill("Rushes");
  await page.clock.runFor(1_000);
  await page.locator("#folders .fault").first().waitFor();
}

async function openRemoval(page) {
  await openFolders(page);
  await page.locator("[data-folder]").first().locator(".do button").nth(1).click();
  await page.getByRole("dialog").waitFor();
}

async function openSettings(page) {
  await page.keyboard.press("Control+,");
  await page.getByRole("switch").first().waitFor();
}

async function openTransfers(page) {
  await openSettings(page);
  await page
    .locator("#settings section")
    .nth(2)
    .evaluate((section) => section.scrollIntoView());
}

async function openSettingsEnd(page) {
  await openSettings(page);
  await page.locator("#settings .body").evaluate((body) => (body.scrollTop = body.scrollHeight));
}

async function openSignOut(page) {
  await openSettings(page);
  await page.locator("[data-team]").nth(1).getByRole("button").last().click();
  await page.getByRole("dialog").waitFor();
}

async function openAddTeam(page) {
  await openSettings(page);
  await page.locator("#settings section").first().getByRole("button").first().click();
  await page.getByRole("dialog").waitFor();
}

async function openWaiting(page) {
  await openAddTeam(page);
  await page.getByRole("dialog").locator("input[type=url]").fill("https://team.example");
  await page.getByRole("dialog").locator("button[type=submit]").click();
  await page.getByRole("dialog").getByRole("status").waitFor();
}

async function signIn(page) {
  const card = page.getByRole("region", { name: "Sign in to your team" });
  await card.locator("input[type=url]").fill("https://team.example");
  await card.locator("button[type=submit]").click();
  await card.getByRole("status").waitFor();
}

async function breakSchedule(page) {
  await openTransfers(page);
  const rule = page.getByRole("group", { name: "Rule 2" });
  for (const day of ["Mon", "Tue", "Wed", "Thu", "Fri"]) {
    await rule.getByRole("button", { name: day }).click();
  }
  await rule.getByRole("alert").scrollIntoViewIfNeeded();
}

async function openLimit(page) {
  await page.getByRole("button", { name: /^Speed limit/ }).click();
  await page.getByRole("menu").waitFor();
}

async function openDetails(page) {
  await page.locator("[data-upload]").nth(0).click();
  await page.keyboard.press("Control+I");
  await page.locator(".map").waitFor();
  await page.clock.runFor(8_000);
}

async function openDetailsOfNeeding(page) {
  await page.locator("[data-upload]").nth(2).click();
  await page.keyboard.press("Control+I");
  await page.locator("aside li").first().waitFor();
}

async function openLibrary(page) {
  await page.keyboard.press("Control+3");
  await page.locator("#library").waitFor();
  await page.clock.runFor(1_000);
}

async function searchLibraryInVain(page) {
  await openLibrary(page);
  await page.keyboard.press("Control+F");
  await page.keyboard.type("no such take");
  await page.clock.runFor(1_000);
  await page.locator("#library").getByRole("status").getByRole("button").waitFor();
}

async function openVideoMenu(page) {
  await openLibrary(page);
  await page.locator("[data-video]").nth(2).click({ button: "right" });
  await page.getByRole("menu").waitFor();
}

async function openShare(page) {
  await openVideoMenu(page);
  await page.getByRole("menuitem").nth(1).click();
  await page.clock.runFor(500);
  await page.getByRole("dialog").locator("li").first().waitFor();
}

async function openRevoke(page) {
  await openShare(page);
  await page.getByRole("dialog").locator("li").first().getByRole("button").last().click();
  await page.clock.runFor(100);
}

async function downloadThree(page) {
  await openLibrary(page);
  for (const index of [2, 3, 4]) {
    await page.locator("[data-video]").nth(index).click({ button: "right" });
    await page.getByRole("menuitem").last().click();
  }
  await page.clock.runFor(4_000);
  await page.locator("[data-download=done]").waitFor();
}

async function openActivity(page) {
  await page.keyboard.press("Control+4");
  await page.locator("#activity").waitFor();
  await page.clock.runFor(1_000);
}

async function openPast(page) {
  await openActivity(page);
  await page.getByRole("option").nth(1).click();
  await page.clock.runFor(1_000);
  await page.locator(".body dl").first().waitFor();
}

async function searchInVain(page) {
  await openActivity(page);
  await page.keyboard.press("Control+F");
  await page.keyboard.type("no such take");
  await page.clock.runFor(1_000);
  await page.getByRole("status").getByRole("button").waitFor();
}
