// Opens the share page in Chromium as its visitors do: a wrong password and the right one, playing,
// downloading, a link that is taken back, one that expired, one that never was.
//
//   node share_page.mjs --credentials FILE --file FILE --packages FOLDER [--pictures FOLDER]
//
// Says what it did, one line a step, and exits with 1 at the first mismatch.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: given } = parseArgs({
  options: {
    credentials: { type: "string" },
    file: { type: "string" },
    packages: { type: "string" },
    pictures: { type: "string" },
  },
});
const from = createRequire(join(resolve(given.packages), "package.json"));
const { chromium } = from("playwright-core");
const axe = await readFile(from.resolve("axe-core/axe.min.js"), "utf8");
const credentials = JSON.parse(await readFile(given.credentials, "utf8"));
const bytes = await readFile(given.file);

const said = (step) => console.log(step);
/** Milliseconds until a video must be playable. */
const PATIENCE = 90_000;

async function call(kind, path, args) {
  const answer = await fetch(`${credentials.url}/api/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${credentials.apiKey}` },
    body: JSON.stringify({ path, args, format: "json" }),
  });
  const body = await answer.json();
  assert.equal(body.status, "success", `${path}: ${JSON.stringify(body)}`);
  return body.value;
}

const create = (title) =>
  call("mutation", "videos:create", {
    projectId: credentials.projectId, title, fileSize: bytes.length, contentType: "video/mp4",
    description: "Second unit, rain.\nTake 3 is the one.",
  });

async function upload(videoId) {
  const { uploadUrl } = await call("action", "videoActions:getUploadUrl", { videoId });
  const put = await fetch(uploadUrl, {
    method: "PUT", body: bytes, headers: { "content-type": "video/mp4" },
  });
  assert.equal(put.status, 200);
  await call("action", "videoActions:markUploadComplete", { videoId });
}

async function ready(videoId) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const { status } = await call("query", "videos:get", { videoId });
    if (status === "ready") return;
    assert.ok(status === "processing" && Date.now() < end, `the video is ${status}`);
    await new Promise((go) => setTimeout(go, 200));
  }
}

async function share(videoId, more) {
  const { token } = await call("mutation", "shareLinks:create", { videoId, ...more });
  const links = await call("query", "shareLinks:list", { videoId });
  const { _id: linkId } = links.find((link) => link.token === token);
  return { token, linkId, address: `${credentials.url}/share/${token}` };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
const complaints = [];

/** A visitor of their own; whatever the page complains of, or asks of others, is noted. */
async function visitor(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== new URL(credentials.url).hostname) {
      complaints.push(`a third party: ${request.url()}`);
    }
  });
  return page;
}

/** What stands in the player's place. */
const says = (page, words) =>
  page.waitForFunction((words) => document.getElementById("headline").textContent === words
    && !document.getElementById("message").hidden, words, { timeout: PATIENCE });

async function plays(page) {
  await page.waitForFunction(() => document.getElementById("stage").dataset.state === "playing",
    undefined, { timeout: PATIENCE });
  await page.evaluate(async () => {
    const video = document.getElementById("video");
    video.muted = true;
    await video.play();
  });
  const from = await page.evaluate(() => document.getElementById("video").currentTime);
  await page.waitForFunction(
    (from) => document.getElementById("video").currentTime > from + 0.3, from, { timeout: 30_000 });
}

async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const words = violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" ")}`);
  assert.deepEqual(words, [], `axe on ${name}`);
  const wider = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${name} scrolls sideways`);
  const cut = await page.evaluate(() => [...document.querySelectorAll("button, input, h1, p")]
    .filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > innerWidth)
    .map((it) => it.outerHTML));
  assert.deepEqual(cut, [], `${name} is cut off`);
}

/** Axe, and a picture in both themes at three widths. */
async function looks(page, name) {
  for (const colorScheme of ["dark", "light"]) {
    for (const [width, height] of [[1280, 800], [390, 844], [320, 640]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await accessible(page, `${name}, ${colorScheme}, ${width}`);
      if (given.pictures) {
        await mkdir(given.pictures, { recursive: true });
        await page.screenshot({ path: join(given.pictures, `${name}-${colorScheme}-${width}.png`) });
      }
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
}

try {
  const videoId = await create("Harbour, evening – scene 12");
  const open = await share(videoId, {});
  const early = await visitor();
  await early.goto(open.address);
  await says(early, "This video is still being uploaded");
  await looks(early, "uploading");
  await upload(videoId);
  await plays(early);
  said("a page that was opened too early plays without a reload");
  await ready(videoId);

  // A fresh page, where everything is there; nothing to download.
  await early.reload();
  await plays(early);
  assert.equal(await early.locator("#download").isVisible(), false);
  assert.equal(await early.locator("h1").textContent(), "Harbour, evening – scene 12");
  await early.evaluate(() => document.getElementById("video").pause());
  await looks(early, "playing");
  const links = await call("query", "shareLinks:list", { videoId });
  assert.equal(links[0].viewCount, 1, "a reload is the same visit");
  said("a reload plays, and offers no download that the link does not allow");

  const locked = await share(videoId, { password: "rain in may", allowDownload: true });
  const guest = await visitor();
  await guest.goto(locked.address);
  await guest.locator("#gate").waitFor();
  await looks(guest, "password");
  assert.equal(await guest.locator("#password").evaluate((it) => it === document.activeElement), true);
  assert.equal(await guest.locator("h1").textContent(), "Shared video", "its title is not told");
  await guest.keyboard.type("sun in june");
  await guest.keyboard.press("Enter");
  await guest.getByText("This password is not right.").waitFor();
  await looks(guest, "wrong-password");
  await guest.locator("#password").fill("rain in may");
  await guest.keyboard.press("Tab");
  await guest.keyboard.press("Enter");
  await plays(guest);
  said("a wrong password is refused, the right one plays, by keyboard alone");

  const coming = guest.waitForEvent("download");
  await guest.locator("#download").click();
  const download = await coming;
  assert.equal(download.suggestedFilename(), "Harbour, evening – scene 12.mp4");
  assert.ok((await readFile(await download.path())).equals(bytes), "another file came");
  await looks(guest, "download");
  await guest.reload();
  await plays(guest);
  said("the original is downloaded; a reload asks for no password");

  const guesser = await visitor();
  await guesser.goto(locked.address);
  for (let at = 1; at <= 5; at += 1) {
    await guesser.locator("#password").fill(`guess ${at}`);
    await guesser.locator("#enter").click();
    await guesser.waitForFunction(() => !document.getElementById("enter").disabled);
  }
  await guesser.getByText("Too many wrong passwords. Try again in 15 minutes.").waitFor();
  said("five wrong passwords lock the link");

  await call("mutation", "shareLinks:remove", { linkId: locked.linkId });
  await guest.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await says(guest, "This link does not open anything");
  assert.equal(await guest.locator("h1").textContent(), "Shared video");
  assert.equal(await guest.locator("#download").isVisible(), false);
  await looks(guest, "revoked");
  await guest.goto(`${credentials.url}/share/never-was`);
  await says(guest, "This link does not open anything");
  said("a link that is taken back ends what plays, and says so");

  // While the media engine works, the original plays. How long that takes is not the test's to say,
  // so the answers of a server whose engine is slow stand in.
  let working = true;
  const slow = await visitor();
  await slow.route("**/api/*", async (route) => {
    const { path } = route.request().postDataJSON();
    const answer = await route.fetch();
    const body = await answer.json();
    if (working && path === "videoActions:getSharedPlaybackSession") body.value = null;
    if (working && path === "videos:getByShareGrant") body.value.video.status = "processing";
    await route.fulfill({ response: answer, json: body });
  });
  const generous = await share(videoId, { allowDownload: true });
  await slow.goto(generous.address);
  await slow.getByText("This is the original.").waitFor();
  await plays(slow);
  const original = await slow.evaluate(() => document.getElementById("video").currentSrc);
  assert.ok(original.startsWith("http"), original);
  const before = await slow.evaluate(() => document.getElementById("video").currentTime);
  working = false;
  await slow.waitForFunction(
    () => document.getElementById("video").currentSrc.startsWith("blob:"), undefined, { timeout: 30_000 });
  await plays(slow);
  const after = await slow.evaluate(() => document.getElementById("video").currentTime);
  assert.ok(after >= before, `it began anew: ${before}, ${after}`);
  said("the original plays until there is better, and goes on where it was");

  // What is read comes without the player's script, which is by far the largest.
  const quick = await visitor();
  await quick.route("**/*-hls.js", () => {});
  const barred = await share(videoId, { password: "x" });
  await quick.goto(barred.address, { waitUntil: "commit" });
  await quick.locator("#gate").waitFor({ timeout: 10_000 });
  said("the password is asked for before the player's script is there");

  const { publicId } = await call("query", "videos:get", { videoId });
  const watcher = await visitor();
  await watcher.goto(`${credentials.url}/watch/${publicId}`);
  await plays(watcher);
  await watcher.evaluate(() => document.getElementById("video").pause());
  await watcher.getByText("Take 3 is the one.").waitFor();
  await looks(watcher, "watch");
  assert.deepEqual(complaints, []);
  said("all ok");
} finally {
  await browser.close();
}
