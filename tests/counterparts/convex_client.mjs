// Drives one whole upload with the official Convex client, as a web page of somebody else would.
//
//   node convex_client.mjs --credentials FILE --file FILE
//
// Says what it did, one line a step, and exits with 1 and a clear message at the first mismatch.

import assert from "node:assert/strict";
import { open, readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { parseArgs } from "node:util";

import { ConvexHttpClient } from "convex/browser";
import { anyApi, makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";

const TYPES = {
  ".mp4": "video/mp4",
  ".mov": "video/quicktime",
  ".webm": "video/webm",
  ".mkv": "video/x-matroska",
};
/** The most that one signUploadParts takes. */
const SIGNED_AT_ONCE = 20;
/** Milliseconds until the video must be playable. */
const PATIENCE = 120_000;
/** Milliseconds that one request may take. */
const REQUEST = 60_000;

const said = (step) => console.log(step);

/** The refusal that a call must end with. */
async function refusal(call) {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof ConvexError, `not a ConvexError: ${error}`);
    return error.data;
  }
  assert.fail("the call was not refused");
}

async function put(url, body, headers) {
  const answer = await fetch(url, {
    method: "PUT",
    body,
    headers,
    signal: AbortSignal.timeout(REQUEST),
  });
  assert.equal(answer.status, 200, `PUT answered ${answer.status}: ${await answer.text()}`);
  return answer.headers.get("etag");
}

async function status(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(REQUEST) });
  return { status: answer.status, text: await answer.text() };
}

async function sendParts(convex, videoId, file, size, plan) {
  const parts = [];
  for (let first = 1; first <= plan.partCount; first += SIGNED_AT_ONCE) {
    const count = Math.min(SIGNED_AT_ONCE, plan.partCount - first + 1);
    const partNumbers = Array.from({ length: count }, (_, i) => first + i);
    const signed = await convex.action(anyApi.videoActions.signUploadParts, {
      videoId,
      partNumbers,
    });
    assert.deepEqual(signed.parts.map((part) => part.partNumber), partNumbers);
    for (const { partNumber, url } of signed.parts) {
      const offset = (partNumber - 1) * plan.partSizeBytes;
      const bytes = Buffer.alloc(Math.min(plan.partSizeBytes, size - offset));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      assert.equal(bytesRead, bytes.length, "the file became shorter");
      parts.push({ partNumber, etag: await put(url, bytes) });
    }
  }
  return parts;
}

async function settled(convex, videoId) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const video = await convex.query(anyApi.videos.get, { videoId });
    if (video.status === "ready") return video;
    assert.notEqual(video.status, "failed", `the video failed: ${video.uploadError}`);
    assert.ok(Date.now() < deadline, `still ${video.status} after ${PATIENCE / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function main() {
  const { values } = parseArgs({
    options: { credentials: { type: "string" }, file: { type: "string" } },
  });
  assert.ok(values.credentials && values.file, "usage: --credentials FILE --file FILE");
  const { url, apiKey, projectId } = JSON.parse(await readFile(values.credentials, "utf8"));
  const fileSize = (await stat(values.file)).size;
  const filename = basename(values.file);
  const contentType = TYPES[extname(filename).toLowerCase()];
  assert.ok(contentType, `no video type is known for ${filename}`);

  const anonymous = new ConvexHttpClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  const convex = new ConvexHttpClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  convex.setAuth(apiKey);

  assert.deepEqual(await anonymous.query(anyApi.projects.listUploadTargets, {}), []);
  const targets = await convex.query(anyApi.projects.listUploadTargets, {});
  assert.ok(targets.some((target) => target.projectId === projectId), "the project is no target");
  const nobody = await refusal(() => anonymous.mutation(anyApi.videos.create, { projectId, title: "x" }));
  assert.equal(nobody.code, "unauthenticated");
  const wrong = await refusal(() => convex.mutation(anyApi.videos.create, { projectId, title: 5 }));
  assert.deepEqual([wrong.code, wrong.field], ["invalid_argument", "title"]);
  said("signed in; refusals are ConvexErrors with a code");

  const videoId = await convex.mutation(anyApi.videos.create, {
    projectId,
    title: filename,
    description: undefined,
    fileSize,
    contentType,
  });
  assert.equal(typeof videoId, "string");
  const registered = await convex.query(makeFunctionReference("videos:get"), { videoId });
  assert.equal(registered.status, "uploading");
  assert.equal(registered.fileSize, fileSize);
  assert.equal(registered.role, "owner");
  said(`created ${videoId}`);

  const initiate = () =>
    convex.action(anyApi.videoActions.initiateVideoUpload, {
      videoId,
      filename,
      fileSize,
      contentType,
    });
  const plan = await initiate();
  if (plan.strategy === "multipart") {
    assert.equal(plan.partCount, Math.ceil(fileSize / plan.partSizeBytes));
    const file = await open(values.file);
    try {
      const parts = await sendParts(convex, videoId, file, fileSize, plan);
      const resumed = await initiate();
      assert.equal(resumed.uploadId, plan.uploadId);
      assert.deepEqual(
        resumed.uploadedParts.map(({ partNumber, etag }) => ({ partNumber, etag })),
        parts,
      );
      const done = await convex.action(anyApi.videoActions.completeMultipartUpload, {
        videoId,
        parts,
      });
      assert.equal(done.success, true);
      said(`sent ${parts.length} parts`);
    } finally {
      await file.close();
    }
  } else {
    assert.equal(plan.strategy, "single");
    await put(plan.url, await readFile(values.file), { "Content-Type": contentType });
    said("sent in one piece");
  }
  assert.equal((await initiate()).strategy, "already_uploaded");

  const marked = await convex.action(anyApi.videoActions.markUploadComplete, { videoId });
  assert.equal(marked.success, true);
  assert.equal(marked.size, fileSize);
  const video = await settled(convex, videoId);
  assert.ok(video.duration > 0, "a video that is ready has a duration");
  said(`ready, ${video.duration} s`);

  const session = await convex.action(anyApi.videoActions.getPlaybackSession, { videoId });
  assert.equal(session.playbackId, video.muxPlaybackId);
  assert.ok(session.expiresAt > Date.now(), "the session has ended before it began");
  const playlist = await status(session.url);
  assert.equal(playlist.status, 200, "the playlist with its token");
  assert.ok(playlist.text.startsWith("#EXTM3U"), "what came is no playlist");
  const bare = new URL(session.url);
  bare.search = "";
  assert.equal((await status(bare)).status, 403, "the playlist without a token");
  assert.equal((await status(session.posterUrl)).status, 200, "the poster");

  const shared = await anonymous.action(anyApi.videoActions.getPublicPlaybackSession, {
    publicId: video.publicId,
  });
  assert.equal((await status(shared.url)).status, 200, "the public session");
  const page = await convex.query(anyApi.videos.list, {
    projectId,
    paginationOpts: { numItems: 1, cursor: null },
  });
  assert.equal(page.page[0]._id, videoId, "the newest video comes first");

  const stranger = new ConvexHttpClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  stranger.setAuth("sk-wrong");
  await assert.rejects(
    () => stranger.query(anyApi.videos.get, { videoId }),
    (error) => !(error instanceof ConvexError) && error.message.includes("bad_credentials"),
    "a wrong key is refused before the function",
  );
  said("plays with its token only");
}

main().catch((error) => {
  console.error(`mismatch: ${error.message}`);
  process.exitCode = 1;
});
