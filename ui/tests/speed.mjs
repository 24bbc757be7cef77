/**
 * How fast the page is, in figures: the product's own build in Chromium, with a shell of answers in its place.
 * Figures depend on the machine, so nothing here fails: `node tests/speed.mjs [rows]`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { launch, SIZES } from "./chromium/pages.mjs";
import { answers } from "./chromium/shell.mjs";
import { serve } from "./chromium/server.mjs";

const ROWS = Number(process.argv[2] ?? 100_000);
const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const SCROLL = readFileSync(join(root, "tests", "scroll.js"), "utf8");
/** A frame that lasts longer than this is seen: two of a screen of 60 Hz. */
const SLOW = 32;
const TIMES = 5;

/** What the unit tests have, too. */
async function samples(file) {
  const inline = { root, configFile: false, logLevel: "error" };
  return (await runnerImport(join(root, "tests", file), inline)).module;
}
const { CONNECTED: connection, SHELL: shell } = await samples("team.ts");
const { anUpload } = await samples("uploads.ts");

const { server, origin } = await serve(dist);
const browser = await launch("--enable-precise-memory-info", "--js-flags=--expose-gc");

async function opened(rows) {
  const context = await browser.newContext({ viewport: SIZES[0], locale: "en-GB" });
  const page = await context.newPage();
  await page.addInitScript(answers, { rows, sample: anUpload(), connection, shell });
  await page.goto(origin);
  await page.waitForFunction(() => window.timing?.heap !== undefined);
  return { context, page };
}

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** What a list is opened in; the middle of some times. */
async function opening(rows) {
  const times = [];
  for (let time = 0; time < TIMES; time++) {
    const { context, page } = await opened(rows);
    times.push(await page.evaluate(() => window.timing));
    await context.close();
  }
  const of = (name) => middle(times.map((timing) => timing[name]));
  console.log(
    `${rows} rows: on the screen ${ms(of("painted") - of("lastPage"))} after the last of them came`,
  );
  console.log(`  read within ${ms(of("lastPage") - of("asked"))} after they were asked for`);
  console.log(`  ${(of("heap") / 1e6).toFixed(0)} MB of the page's memory`);
}

/** Frames while the list is scrolled as by a wheel, then thrown about; or while nothing is done. */
async function scrolling(rows) {
  const { context, page } = await opened(rows);
  const devtools = await context.newCDPSession(page);
  // Of the processor, not of the clock: what else the machine does is not counted.
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  };
  const before = await worked();
  const frames = await page.evaluate(`(async () => {${SCROLL}})()`);
  const work = (await worked()) - before;
  await context.close();
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share) => ms(sorted[Math.floor(sorted.length * share)] ?? 0);
  const slow = frames.filter((lasts) => lasts > SLOW).length;
  console.log(
    `${rows} rows scrolled: ${slow} of ${frames.length} frames over ${SLOW} ms; ` +
      `half within ${at(0.5)}, 99 of 100 within ${at(0.99)}, the longest ${ms(sorted.at(-1))}; ` +
      `${ms(work / frames.length)} of the page's thread for each`,
  );
}

/** What a message costs, and what is left for the screen at ten a second and at a thousand. */
async function messages(rows) {
  const { context, page } = await opened(rows);
  const figures = await page.evaluate(async () => {
    const { progress, state } = window.news;
    const rate = (make, count) => {
      const begin = performance.now();
      for (let index = 0; index < count; index++) window.tell(make(index));
      return (count / (performance.now() - begin)) * 1000;
    };
    const at = async (perSecond) => {
      const lasted = [];
      let busy = 0;
      let sent = 0;
      const begin = performance.now();
      let last = begin;
      while (last - begin < 3_000) {
        const now = await new Promise((resolve) => requestAnimationFrame(resolve));
        lasted.push(now - last);
        last = now;
        const from = performance.now();
        for (; sent < ((now - begin) / 1000) * perSecond; sent++) window.tell(progress(sent));
        busy += performance.now() - from;
      }
      return { sent, busy: busy / (last - begin), longest: Math.max(...lasted.slice(1)) };
    };
    return {
      progress: rate(progress, 20_000),
      state: rate(state, 5_000),
      rates: [await at(10), await at(1_000)],
    };
  });
  await context.close();
  const thousand = (value) => Math.round(value).toLocaleString("en-GB");
  console.log(`${rows} rows: ${thousand(figures.progress)} messages of progress a second at the most`);
  console.log(`  ${thousand(figures.state)} changes of state a second at the most`);
  for (const { sent, busy, longest } of figures.rates) {
    const share = `${(busy * 100).toFixed(1)} % of the time to take them`;
    console.log(`  ${sent} messages in 3 s: ${share}, the longest frame ${ms(longest)}`);
  }
}

try {
  await opening(0);
  await opening(ROWS);
  await scrolling(0);
  await scrolling(ROWS);
  await messages(ROWS);
} finally {
  await browser.close();
  server.close();
}
