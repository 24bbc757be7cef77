/**
 * Opens the browser build in Chromium under the product's content security policy: a picture of every
 * scenario in both themes, at twice the size of text and in forced colours, axe on each, and the jobs that
 * need a real engine. Only some, by how the names of pictures and jobs begin: `node tests/screens.mjs settings`.
 */
import { mkdir, rm } from "node:fs/promises";
import * as jobs from "./chromium/jobs.mjs";
import { forcedColours } from "./chromium/forced.mjs";
import { mainJob } from "./chromium/main-job.mjs";
import * as order from "./chromium/order.mjs";
import { reducedMotion } from "./chromium/motion.mjs";
import { build, failures, launch, pictures } from "./chromium/pages.mjs";
import { pictureAll, pictureForced, pictureLarge } from "./chromium/pictures.mjs";
import { makeFixture, serve } from "./chromium/server.mjs";

const ORDER_JOBS = [order.orderJob, order.orderRefusedJob, order.orderManyJob];
const named = process.argv.slice(2);
const asked = (label) => named.length === 0 || named.some((begin) => label.startsWith(begin));

if (named.length === 0) await rm(pictures, { recursive: true, force: true });
await mkdir(pictures, { recursive: true });
await makeFixture();
const { server, tokens, origin } = await serve(build);
const browser = await launch();
try {
  const all = [
    ...[mainJob, reducedMotion, forcedColours, ...Object.values(jobs), ...ORDER_JOBS].filter(({ name }) =>
      asked(name),
    ),
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
