/**
 * Opens the browser build in Chromium under the product's content security policy: a picture of every
 * scenario in both themes, axe on each, and the few jobs that need a real engine: playing, scrolling, keys.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const ui = fileURLToPath(new URL("..", import.meta.url));
const dist = join(ui, "..", "target", "ui-browser");
const pictures = join(ui, "..", "target", "screens");
const fixture = join(ui, "..", "target", "screens-fixture");
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** What the shell sends, but for `ipc:`, which means nothing to a browser. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' http://127.0.0.1:* https:; media-src 'self' blob: http://127.0.0.1:* https:; " +
  "connect-src 'self' http://127.0.0.1:* https:; worker-src 'self'; font-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".m4s": "video/mp4",
  ".mp4": "video/mp4",
  ".json": "application/json",
  ".jpg": "image/jpeg",
};

/** Only these pictures, by how their names begin: `node tests/screens.mjs settings`. */
const named = process.argv.slice(2);

const failures = [];
const check = (right, what) => {
  if (!right) failures.push(what);
};

async function makeFixture() {
  const storyboard = join(fixture, "storyboard.json");
  try {
    await access(storyboard);
    return;
  } catch {
    await mkdir(fixture, { recursive: true });
  }
  const source = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=480x270:rate=20",
    "-f",
    "lavfi",
    "-i",
    "sine=frequency=330",
  ];
  const codec = ["-t", "120", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "40", "-c:a", "aac"];
  const hls = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"];
  const ffmpeg = ["-nostdin", "-v", "error", "-y"];
  await run("ffmpeg", [...ffmpeg, ...source, ...codec, ...hls, "index.m3u8"], { cwd: fixture });
  const whole = ["-i", "index.m3u8", "-t", "20", "-c", "copy", "-movflags", "+faststart", "original.mp4"];
  await run("ffmpeg", [...ffmpeg, ...whole], { cwd: fixture });
  const tiles = ["-i", "index.m3u8", "-vf", "fps=1/4,scale=284:160,tile=5x6", "-frames:v", "1"];
  await run("ffmpeg", [...ffmpeg, ...tiles, "storyboard.jpg"], { cwd: fixture });
  const told = {
    url: "storyboard.jpg",
    tile_width: 284,
    tile_height: 160,
    duration: 120,
    tiles: Array.from({ length: 30 }, (_, index) => ({
      start: index * 4,
      x: (index % 5) * 284,
      y: Math.floor(index / 5) * 160,
    })),
  };
  await writeFile(storyboard, JSON.stringify(told));
}

/** Serves the build and the clip; the clip only with a token, of which it notes each that was used. */
async function serve() {
  const tokens = new Set();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/favicon.ico") {
      response.writeHead(204).end();
      return;
    }
    const clip = url.pathname.startsWith("/fixture/");
    const name = clip
      ? url.pathname.slice("/fixture/".length)
      : url.pathname === "/"
        ? "index.html"
        : url.pathname;
    const token = url.searchParams.get("token");
    if (clip && token === null) {
      response.writeHead(403).end();
      return;
    }
    if (clip) tokens.add(token);
    try {
      let body = await readFile(join(clip ? fixture : dist, normalize(`/${name}`)));
      if (name.endsWith(".m3u8")) {
        const signed = body
          .toString()
          .replace(/^([^#\s]+)$|URI="([^"]+)"/gm, (_, line, uri) =>
            line ? `${line}?token=${token}` : `URI="${uri}?token=${token}"`,
          );
        body = Buffer.from(signed);
      }
      if (name === "storyboard.json") {
        body = Buffer.from(body.toString().replace("storyboard.jpg", `storyboard.jpg?token=${token}`));
      }
      response.writeHead(200, {
        "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
        "Content-Security-Policy": POLICY,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, tokens, origin: `http://127.0.0.1:${server.address().port}` };
}

const SCENARIOS = [
  { name: "first-run" },
  { name: "empty" },
  { name: "busy", seconds: 40 },
  { name: "needs", seconds: 8 },
  { name: "offline", seconds: 3 },
  { name: "metered" },
  { name: "many", seconds: 8 },
  { name: "drag", seconds: 8 },
  { name: "refused" },
  { name: "server-failed" },
  { name: "problem" },
  { name: "busy", as: "menu", seconds: 12, prepare: openMenu },
  { name: "busy", as: "selection", seconds: 12, prepare: selectThree },
  { name: "busy", as: "destination", seconds: 12, prepare: openDestination },
  { name: "busy", as: "cancel", seconds: 12, prepare: openCancel },
  { name: "busy", as: "details", seconds: 30, prepare: openDetails },
  { name: "needs", as: "details-needs", seconds: 8, prepare: openDetailsOfNeeding },
  { name: "busy", as: "details-german", seconds: 30, locale: "de-DE", prepare: openDetails },
  { name: "busy", as: "activity", seconds: 2, prepare: openActivity },
  { name: "busy", as: "activity-details", seconds: 2, prepare: openPast },
  { name: "busy", as: "activity-none", seconds: 2, prepare: searchInVain },
  { name: "empty", as: "activity-empty", seconds: 2, prepare: openActivity },
  { name: "busy", as: "activity-german", seconds: 2, locale: "de-DE", prepare: openActivity },
  { name: "busy", as: "library", prepare: openLibrary },
  { name: "busy", as: "library-german", prepare: openLibrary, locale: "de-DE" },
  { name: "busy&library=empty", as: "library-empty", prepare: openLibrary },
  { name: "busy&library=no-projects", as: "library-no-projects", prepare: openLibrary },
  { name: "busy&library=unlisted", as: "library-unlisted", prepare: openLibrary },
  { name: "busy&library=failed", as: "library-failed", prepare: openLibrary },
  { name: "busy&library=slow", as: "library-loading", prepare: openLibrary },
  { name: "busy&library=many", as: "library-many", prepare: openLibrary },
  { name: "busy", as: "library-none", prepare: searchLibraryInVain },
  { name: "busy", as: "library-menu", prepare: openVideoMenu },
  { name: "busy", as: "library-share", prepare: openShare },
  { name: "busy", as: "library-share-german", prepare: openShare, locale: "de-DE" },
  { name: "busy", as: "library-revoke", prepare: openRevoke },
  { name: "busy", as: "library-downloads", prepare: downloadThree },
  { name: "busy", as: "library-downloads-german", prepare: downloadThree, locale: "de-DE" },
  { name: "busy", as: "german", seconds: 12, locale: "de-DE" },
  { name: "folders", prepare: openFolders },
  { name: "folders", as: "folders-german", prepare: openFolders, locale: "de-DE" },
  { name: "busy", as: "folders-empty", prepare: openFolders },
  { name: "folders", as: "folders-rules", prepare: openRules },
  { name: "folders", as: "folders-new", prepare: chooseFolder },
  { name: "folders", as: "folders-faulty", prepare: breakRules },
  { name: "folders", as: "folders-rules-german", prepare: openRules, locale: "de-DE" },
  { name: "folders", as: "folders-remove", prepare: openRemoval },
  { name: "limited", seconds: 12, prepare: openLimit },
  { name: "broke" },
  { name: "teams", as: "settings", prepare: openSettings },
  { name: "teams", as: "settings-transfers", prepare: openTransfers },
  { name: "teams", as: "settings-end", prepare: openSettingsEnd },
  { name: "teams", as: "settings-sign-out", prepare: openSignOut },
  { name: "teams", as: "settings-add", prepare: openAddTeam },
  { name: "teams", as: "settings-waiting", prepare: openWaiting },
  { name: "teams", as: "settings-fault", prepare: breakSchedule },
  { name: "teams", as: "settings-german", prepare: openSettings, locale: "de-DE" },
  { name: "teams", as: "settings-transfers-german", prepare: openTransfers, locale: "de-DE" },
  { name: "teams", as: "destination-teams", seconds: 12, prepare: openDestination },
  { name: "first-run", as: "first-run-waiting", prepare: signIn },
];
const SIZES = [
  { width: 1120, height: 760 },
  { width: 720, height: 480 },
];

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

async function audit(page, label) {
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  for (const { id, impact, nodes } of violations) {
    const where = nodes.slice(0, 3).map(({ target, any }) => `${target.join(" ")} ${any[0]?.message ?? ""}`);
    const line = `${label}: ${impact} ${id}: ${where.join(" | ")}`;
    if (impact === "serious" || impact === "critical") failures.push(line);
    else console.log(`note: ${line}`);
  }
}

async function open(browser, origin, query, options) {
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

async function pictureAll(browser, origin) {
  for (const { name, as = name, seconds = 1, prepare, locale } of SCENARIOS) {
    if (named.length > 0 && !named.some((begin) => as.startsWith(begin))) continue;
    for (const colorScheme of ["dark", "light"]) {
      for (const viewport of SIZES) {
        const label = `${as}-${colorScheme}-${viewport.width}`;
        const options = { colorScheme, viewport, reducedMotion: "reduce", ...(locale ? { locale } : {}) };
        const { context, page, goto } = await open(browser, origin, `scenario=${name}`, options);
        await page.clock.install({ time: new Date("2026-11-20T14:55:00+01:00") });
        await goto();
        await page.locator("main").waitFor();
        await page.clock.runFor(seconds * 1_000);
        if (prepare) await prepare(page);
        await page.clock.runFor(400);
        await page.waitForLoadState("networkidle");
        await page.screenshot({ path: join(pictures, `${label}.png`) });
        await audit(page, label);
        await context.close();
      }
    }
  }
}

/** Plays, renews its session without a stop, and obeys the keyboard. */
async function playerJob(browser, origin, tokens) {
  const viewport = SIZES[0];
  const { context, page, goto } = await open(browser, origin, "scenario=player&lives=6000", { viewport });
  await goto();
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

/** A hundred thousand rows: few are drawn, and scrolling to the end takes no long task. */
async function scrollJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=many", { viewport: SIZES[0] });
  await goto();
  await page.locator("[data-upload]").first().waitFor();
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
async function pastJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=many", { viewport: SIZES[0] });
  await goto();
  await page.locator("[data-upload]").first().waitFor();
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
async function libraryJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=busy&library=many", {
    viewport: SIZES[0],
  });
  await goto();
  await page.locator("[data-upload]").first().waitFor();
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
async function libraryPlayerJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=busy", { viewport: SIZES[0] });
  await goto();
  await page.locator("[data-upload]").first().waitFor();
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
async function libraryShareJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=busy", { viewport: SIZES[0] });
  await goto();
  await page.locator("[data-upload]").first().waitFor();
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

/** At twice the size of text, nothing of the details and of what has ended is cut off. */
async function largeTextJob(browser, origin) {
  for (const [as, prepare] of [
    ["details-large", openDetails],
    ["activity-large", openPast],
  ]) {
    const options = { viewport: SIZES[0], colorScheme: "dark", reducedMotion: "reduce" };
    const { context, page, goto } = await open(browser, origin, "scenario=busy", options);
    await page.clock.install({ time: new Date("2026-11-20T14:55:00+01:00") });
    await page.addInitScript(() =>
      document.addEventListener("readystatechange", () =>
        document.documentElement?.style.setProperty("font-size", "200%"),
      ),
    );
    await goto();
    await page.locator("main").waitFor();
    await page.clock.runFor(10_000);
    await prepare(page);
    await page.screenshot({ path: join(pictures, `${as}-dark-1120.png`) });
    await audit(page, as);
    const wide = await page.locator(".panel").evaluate((panel) => panel.scrollWidth - panel.clientWidth);
    check(wide <= 0, `${as}: ${wide} px of the panel are cut off`);
    await context.close();
  }
}

/** First run by keyboard alone, to a paused upload. */
async function keyboardJob(browser, origin) {
  const { context, page, goto } = await open(browser, origin, "scenario=first-run", { viewport: SIZES[0] });
  await goto();
  await page.getByRole("button", { name: "Use this computer" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Drop videos here").waitFor();
  await page.keyboard.press("Control+O");
  const row = page.locator("[data-upload]").first();
  await row.waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press(" ");
  await page.locator('[data-hold="paused"]').waitFor();
  await page.keyboard.press("Enter");
  await page.locator('[data-hold="none"]').waitFor();
  await page.keyboard.press("Shift+F10");
  // Before, it would take the focus from the entry that is about to be pressed.
  await page.locator("[role=menuitem]:focus").waitFor();
  await page.getByRole("menuitem", { name: "Cancel upload" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel upload" }).click();
  await page.locator('[data-hold="cancelled"]').waitFor();
  await context.close();
}

/** A folder is chosen, its rules are written and it is watched, paused and let go of, by keyboard alone. */
async function folderJob(browser, origin) {
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

if (named.length === 0) await rm(pictures, { recursive: true, force: true });
await mkdir(pictures, { recursive: true });
await makeFixture();
const { server, tokens, origin } = await serve();
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
try {
  const jobs = [
    keyboardJob,
    folderJob,
    scrollJob,
    pastJob,
    libraryJob,
    libraryPlayerJob,
    libraryShareJob,
    largeTextJob,
    playerJob,
  ];
  for (const job of named.length > 0 ? [pictureAll] : [...jobs, pictureAll]) {
    try {
      await job(browser, origin, tokens);
    } catch (error) {
      failures.push(`${job.name}: ${error.message}`);
    }
  }
} finally {
  await browser.close();
  server.close();
}
for (const failure of failures) console.error(failure);
console.log(
  failures.length === 0
    ? `pictures in ${pictures}: nothing to complain about`
    : `${failures.length} failures`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
