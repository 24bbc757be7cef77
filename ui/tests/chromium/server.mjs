/** The build and a clip to play, over HTTP and under the product's content security policy. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { target } from "./pages.mjs";

const run = promisify(execFile);
const fixture = join(target, "screens-fixture");

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

export async function makeFixture() {
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

/** Serves a build and the clip; the clip only with a token, of which it notes each that was used. */
export async function serve(dist) {
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
