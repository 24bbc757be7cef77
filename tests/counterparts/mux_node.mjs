// Drives the media engine with Mux's own library, of which only the base address is changed.
//
//   node mux_node.mjs --credentials FILE --file FILE --webhooks PORT
//
// Says what it did, one line a step, and exits with 1 and a clear message at the first mismatch.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import Mux from "@mux/mux-node";

import { bodyOf, sendFile, serve, until } from "./origin.mjs";

/** Milliseconds until a video must be playable, or an event must have come. */
const PATIENCE = 90_000;

const said = (step) => console.log(step);

const { values } = parseArgs({
  options: {
    credentials: { type: "string" },
    file: { type: "string" },
    webhooks: { type: "string" },
  },
});
const { mux: access } = JSON.parse(await readFile(values.credentials, "utf8"));
const mux = new Mux({
  tokenId: access.tokenId,
  tokenSecret: access.tokenSecret,
  baseURL: access.url,
  webhookSecret: access.webhookSecret,
  maxRetries: 0,
});

const events = [];
const receiver = await serve(async (request, response) => {
  const body = await bodyOf(request);
  await mux.webhooks.verifySignature(body, request.headers);
  const event = await mux.webhooks.unwrap(body, request.headers);
  await assert.rejects(mux.webhooks.unwrap(`${body} `, request.headers), /No signatures found/);
  await assert.rejects(mux.webhooks.unwrap(body, request.headers, "other"), /No signatures found/);
  events.push(event);
  response.end();
}, Number(values.webhooks));
const origin = await serve((request, response) => {
  if (request.url !== "/clip.mp4") return response.writeHead(404).end();
  return sendFile(request, response, values.file, "video/mp4");
});

const ready = (id) =>
  until(`asset ${id} is ready`, PATIENCE, async () => {
    const asset = await mux.video.assets.retrieve(id);
    assert.notEqual(asset.status, "errored", JSON.stringify(asset.errors));
    return asset.status === "ready" && asset;
  });
const told = (kind, id) =>
  until(`${kind} of ${id}`, PATIENCE, () =>
    events.find((event) => event.type === kind && event.object.id === id),
  );
const refused = (call, status) =>
  assert.rejects(call, (error) => error instanceof Mux.APIError && error.status === status);
const status = async (url) => (await fetch(url)).status;

await refused(new Mux({ tokenId: "x", tokenSecret: "y", baseURL: access.url, maxRetries: 0 }).video.assets.list(), 401);

// Assets.
const created = await mux.video.assets.create({
  inputs: [{ url: `${origin.url}/clip.mp4` }],
  playback_policies: ["signed", "public"],
  passthrough: "from mux-node",
  meta: { title: "Take 1", external_id: "e-1" },
});
assert.equal(created.status, "preparing");
const asset = await ready(created.id);
assert.equal(asset.passthrough, "from mux-node");
assert.equal(asset.meta.external_id, "e-1");
assert.ok(asset.duration > 0);
assert.equal(asset.playback_ids.length, 2);
const updated = await mux.video.assets.update(asset.id, { passthrough: "changed" });
assert.equal(updated.passthrough, "changed");
said(`asset ${asset.id} is ready after ${asset.duration} s of video`);

const broken = await mux.video.assets.create({ inputs: [{ url: `${origin.url}/nothing.mp4` }] });
const more = [];
for (let count = 0; count < 3; count += 1) {
  more.push(await mux.video.assets.create({ inputs: [{ url: `${origin.url}/nothing.mp4` }] }));
}
const listed = [];
for await (const one of mux.video.assets.list({ limit: 2 })) listed.push(one.id);
const all = [asset, broken, ...more].map((one) => one.id);
assert.deepEqual(listed.toSorted(), all.toSorted());
for (const one of more) await mux.video.assets.delete(one.id);
await refused(mux.video.assets.retrieve(more[0].id), 404);
await refused(mux.video.assets.create({ inputs: [{ url: "file:///etc/passwd" }] }), 400);
assert.equal((await told("video.asset.errored", broken.id)).data.errors.type, "input_unavailable");
said("assets were listed page for page, and deleted");

// Playback ids.
const another = await mux.video.assets.createPlaybackId(asset.id, { policy: "public" });
assert.equal((await mux.video.assets.retrievePlaybackId(asset.id, another.id)).policy, "public");
assert.equal((await mux.video.playbackIds.retrieve(another.id)).object.id, asset.id);
assert.equal(await status(`${access.streamUrl}/${another.id}.m3u8`), 200);
await mux.video.assets.deletePlaybackId(asset.id, another.id);
assert.equal(await status(`${access.streamUrl}/${another.id}.m3u8`), 403);
said("playback ids came and went");

// Signing keys, and the tokens that this library makes with them.
const key = await mux.system.signingKeys.create();
const second = await mux.system.signingKeys.create();
const keys = [];
for await (const one of mux.system.signingKeys.list({ limit: 1 })) keys.push(one.id);
assert.deepEqual(keys, [second.id, key.id]);
assert.equal((await mux.system.signingKeys.retrieve(key.id)).private_key, undefined);
const signed = asset.playback_ids.find((one) => one.policy === "signed").id;
const options = { keyId: key.id, keySecret: key.private_key, expiration: "5m" };
const token = await mux.jwt.signPlaybackId(signed, options);
const image = await mux.jwt.signPlaybackId(signed, { ...options, type: "thumbnail" });
const stream = `${access.streamUrl}/${signed}.m3u8?token=`;
const thumbnail = `${access.imageUrl}/${signed}/thumbnail.jpg?token=`;
assert.equal(await status(stream + token), 200);
assert.equal(await status(thumbnail + image), 200);
assert.equal(await status(stream + image), 403);
assert.equal(await status(thumbnail + token), 403);
const ended = await mux.jwt.signPlaybackId(signed, { ...options, expiration: "-1m" }).catch(() => "x");
assert.equal(await status(stream + ended), 403);
const crossed = await mux.jwt.signPlaybackId(signed, { ...options, keySecret: second.private_key });
assert.equal(await status(stream + crossed), 403);
await mux.system.signingKeys.delete(key.id);
assert.equal(await status(stream + token), 403);
await refused(mux.system.signingKeys.retrieve(key.id), 404);
said("tokens open what they are for, until their key goes");

// Direct uploads.
const settings = { playback_policies: ["public"], passthrough: "uploaded" };
const upload = await mux.video.uploads.create({
  cors_origin: "https://example.com",
  new_asset_settings: settings,
  timeout: 600,
});
assert.deepEqual([upload.status, upload.timeout], ["waiting", 600]);
const put = await fetch(upload.url, { method: "PUT", body: await readFile(values.file) });
assert.equal(put.status, 200);
const done = await mux.video.uploads.retrieve(upload.id);
assert.equal(done.status, "asset_created");
const uploaded = await ready(done.asset_id);
assert.deepEqual([uploaded.upload_id, uploaded.passthrough], [upload.id, "uploaded"]);
assert.equal(await status(`${access.streamUrl}/${uploaded.playback_ids[0].id}.m3u8`), 200);
const unwanted = await mux.video.uploads.create({ cors_origin: "*" });
assert.equal((await mux.video.uploads.cancel(unwanted.id)).status, "cancelled");
await refused(mux.video.uploads.cancel(unwanted.id), 403);
await refused(mux.video.uploads.cancel(upload.id), 403);
const uploads = [];
for await (const one of mux.video.uploads.list({ limit: 1 })) uploads.push(one.id);
assert.deepEqual(uploads, [unwanted.id, upload.id]);
said(`upload ${upload.id} became asset ${uploaded.id}`);

// Webhooks, each verified by the library as it came.
await told("video.upload.cancelled", unwanted.id);
await told("video.asset.ready", uploaded.id);
await told("video.asset.deleted", more[0].id);
const of = (id) => events.filter((event) => event.object.id === id).map((event) => event.type);
assert.deepEqual(of(upload.id), ["video.upload.created", "video.upload.asset_created"]);
assert.deepEqual(of(uploaded.id), ["video.asset.created", "video.asset.ready"]);
assert.deepEqual(of(asset.id).slice(0, 2), ["video.asset.created", "video.asset.ready"]);
said(`${events.length} events came, signed and in order`);
receiver.close();
origin.close();
