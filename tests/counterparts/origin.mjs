// A web server on a free port of this computer, for the counterparts that need one.

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";

/** Listens; answers the address and what closes it. `port` 0: any free one. */
export async function serve(answer, port = 0) {
  const server = createServer((request, response) => {
    Promise.resolve(answer(request, response)).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, close };
}

/** Sends a file, whole or the one range that was asked for. */
export function sendFile(request, response, path, type) {
  const { size } = statSync(path);
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const first = asked ? Number(asked[1]) : 0;
  const last = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1;
  response.writeHead(asked ? 206 : 200, {
    "content-type": type,
    "content-length": last - first + 1,
    "accept-ranges": "bytes",
    ...(asked ? { "content-range": `bytes ${first}-${last}/${size}` } : {}),
  });
  createReadStream(path, { start: first, end: last }).pipe(response);
}

export async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Asks until the answer is good. */
export async function until(what, milliseconds, ask) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((later) => setTimeout(later, 100));
  }
}
