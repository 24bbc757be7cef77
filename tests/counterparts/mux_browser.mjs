// A page in Chromium: UpChunk sends a file to a direct upload, then Mux's player plays it.
//
//   node mux_browser.mjs --credentials FILE --file FILE
//
// Says what it did, one line a step, and exits with 1 and a clear message at the first mismatch.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import Mux from "@mux/mux-node";
import { chromium } from "playwright-core";

import { sendFile, serve, until } from "./origin.mjs";

/** Milliseconds for the whole of an upload, and until a video plays. */
const PATIENCE = 120_000;
/** What the player takes our addresses for: it insists on https and a name for each of them. */
const DOMAIN = "dailies.test";

const said = (step) => console.log(step);

const { values } = parseArgs({
  options: { credentials: { type: "string" }, file: { type: "string" } },
});
const { mux: access } = JSON.parse(await readFile(values.credentials, "utf8"));
const { tokenId, tokenSecret } = access;
const mux = new Mux({ tokenId, tokenSecret, baseURL: access.url });

const PAGE = `<!doctype html><meta charset="utf-8"><title>Counterparts</title>
<input type="file"><main></main>
<script src="/upchunk.js"></script><script src="/mux-player.js"></script>`;
const file = (name) => fileURLToPath(new URL(`node_modules/@mux/${name}`, import.meta.url));
const scripts = {
  "/upchunk.js": file("upchunk/dist/upchunk.js"),
  "/mux-player.js": file("mux-player/dist/mux-player.js"),
};
const site = await serve((request, response) => {
  const script = scripts[request.url];
  if (script) return sendFile(request, response, script, "text/javascript");
  response.setHeader("content-type", "text/html");
  return response.end(PAGE);
});

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  // Nobody else is asked for anything, and Mux's two hosts are ours.
  const ours = [site.url, new URL(access.streamUrl).origin];
  await page.route(
    (url) => !ours.includes(url.origin) && url.protocol.startsWith("http"),
    async (route) => {
      const url = new URL(route.request().url());
      const base = { [`stream.${DOMAIN}`]: access.streamUrl, [`image.${DOMAIN}`]: access.imageUrl };
      const to = base[url.hostname];
      if (!to) return route.abort();
      const response = await route.fetch({ url: to + url.pathname + url.search });
      return route.fulfill({ response });
    },
  );
  await page.goto(site.url);

  const upload = await mux.video.uploads.create({
    cors_origin: site.url,
    new_asset_settings: { playback_policies: ["signed"], passthrough: "from the browser" },
  });
  const foreign = await mux.video.uploads.create({ cors_origin: "https://example.com" });
  await page.setInputFiles("input", values.file);
  const sent = await page.evaluate(
    ({ endpoint, limit }) =>
      new Promise((resolve, reject) => {
        const [file] = document.querySelector("input").files;
        const said = { size: file.size, chunks: 0, failures: 0, resent: 0, progress: 0 };
        // A connection that was cut is status 0, which it takes for the end where nothing is said.
        const retryCodes = [0, 408, 502, 503, 504];
        const options = { chunkSize: 5120, delayBeforeAttempt: 0.2, retryCodes };
        const upload = UpChunk.createUpload({ endpoint, file, ...options });
        upload.on("chunkSuccess", ({ detail }) => {
          said.chunks += 1;
          said.resent += detail.attempts > 1 ? 1 : 0;
        });
        upload.on("attemptFailure", () => (said.failures += 1));
        upload.on("progress", ({ detail }) => (said.progress = detail));
        upload.on("error", ({ detail }) => reject(new Error(detail.message)));
        upload.on("success", () => resolve(said));
        setTimeout(() => reject(new Error("the upload did not end")), limit);
      }),
    { endpoint: upload.url, limit: PATIENCE },
  );
  assert.equal(sent.chunks, Math.ceil(sent.size / (5120 * 1024)));
  assert.equal(Math.round(sent.progress), 100);
  said(JSON.stringify({ sent }));
  // Some of it the browser makes good by itself.
  assert.ok(sent.failures >= 2 && sent.resent >= 1, "the network was bad");
  const blocked = await page.evaluate(
    (url) => fetch(url, { method: "PUT", body: "x" }).then(() => "let in", () => "blocked"),
    foreign.url,
  );
  assert.equal(blocked, "blocked", "an upload that was made for another origin");

  const { asset_id, status } = await mux.video.uploads.retrieve(upload.id);
  assert.equal(status, "asset_created");
  const asset = await until("the asset is ready", PATIENCE, async () => {
    const asset = await mux.video.assets.retrieve(asset_id);
    assert.notEqual(asset.status, "errored", JSON.stringify(asset.errors));
    return asset.status === "ready" && asset;
  });
  const key = await mux.system.signingKeys.create();
  const id = asset.playback_ids[0].id;
  const tokens = await mux.jwt.signPlaybackId(id, {
    keyId: key.id,
    keySecret: key.private_key,
    expiration: "10m",
    type: ["video", "thumbnail", "storyboard"],
  });

  /** Milliseconds of video that were played by a player with these attributes. */
  const plays = (attributes) =>
    page.evaluate(
      ({ attributes, limit }) =>
        new Promise((resolve, reject) => {
          const player = document.createElement("mux-player");
          for (const [name, value] of Object.entries(attributes)) player.setAttribute(name, value);
          const failed = () => reject(new Error(player.error?.message ?? "no reason"));
          player.addEventListener("error", failed);
          player.addEventListener("timeupdate", () => {
            if (player.currentTime < 0.5) return;
            const played = player.currentTime * 1000;
            player.remove();
            resolve(played);
          });
          // A play() before the player has chosen its source is interrupted by that.
          player.addEventListener("canplay", () => player.play().catch(failed), { once: true });
          document.querySelector("main").replaceChildren(player);
          setTimeout(() => reject(new Error(`it stays at ${player.currentTime}, ready state ${player.readyState}`)), limit);
        }),
      { attributes: { muted: "", "disable-tracking": "", "disable-cookies": "", ...attributes }, limit: 30_000 },
    );
  const direct = await plays({ src: `${access.streamUrl}/${id}.m3u8?token=${tokens["playback-token"]}` });
  said(`played ${Math.round(direct)} ms by its address`);
  const named = await plays({ "playback-id": id, "custom-domain": DOMAIN, ...tokens });
  said(`played ${Math.round(named)} ms by its playback id and tokens`);
  const { "playback-token": _, ...without } = tokens;
  await assert.rejects(plays({ "playback-id": id, "custom-domain": DOMAIN, ...without }));
  said("without its token nothing plays");
  assert.deepEqual(errors, []);
  // An image that is still on its way is nobody's any more.
  await page.unrouteAll({ behavior: "ignoreErrors" });
} finally {
  await browser.close();
  site.close();
}
