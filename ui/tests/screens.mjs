/**
 * Opens the browser build in Chromium under the product's content security policy: a picture of every
 * scenario in both themes, at twice the size of text and in forced colours, axe on each, and the jobs that
 * need a real engine. Only some, by how the names of pictures and jobs begin: `node tests/screens.mjs settings`.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as jobs from "./chromium/jobs.mjs";
import { forcedColours, pictureForced } from "./chromium/forced.mjs";
import { pictureLarge } from "./chromium/legible.mjs";
import { mainJob } from "./chromium/main-job.mjs";
import { reducedMotion } from "./chromium/motion.mjs";
import { audit, build, failures, launch, pictures, SIZES } from "./chromium/pages.mjs";
import { come, SCENARIOS } from "./chromium/scenarios.mjs";
import { makeFixture, serve } from "./chromium/server.mjs";

const named = process.argv.slice(2);
const asked = (label) => named.length === 0 || named.some((begin) => label.startsWith(begin));

async function pictureAll(browser, origin, { wanted }) {
  for (const scenario of SCENARIOS) {
    for (const colorScheme of ["dark", "light"]) {
      for (const viewport of SIZES) {
        const label = `${scenario.as}-${colorScheme}-${viewport.width}`;
        if (!wanted(label)) continue;
        const { context, page } = await come(browser, origin, scenario, { colorScheme, viewport });
        await page.screenshot({ path: join(pictures, `${label}.png`) });
        await audit(page, label);
        await context.close();
      }
    }
  }
}

if (named.length === 0) await rm(pictures, { recursive: true, force: true });
await mkdir(pictures, { recursive: true });
await makeFixture();
const { server, tokens, origin } = await serve(build);
const browser = await launch();
try {
  const all = [
    ...[mainJob, reducedMotion, forcedColours, ...Object.values(jobs)].filter(({ name }) => asked(name)),
    pictureAll,
    pictureLarge,
    pictureForced,
  ];
  for (const job of all) {
    try {
      await job(browser, origin, { wanted: asked, tokens });
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
