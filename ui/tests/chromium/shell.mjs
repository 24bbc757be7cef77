/**
 * Runs in the page before it begins: answers in the place of the shell, for the product's own build. A queue
 * of so many rows like `sample` is given page by page as JSON, as it crosses to the page in the product; what
 * took how long is in `window.timing`, and `window.tell` brings news.
 */
export function answers({ rows, sample, connection, shell }) {
  const PAGE = 500;
  const upload = (index, more = {}) => ({
    ...sample,
    id: `01JD${String(index).padStart(22, "0")}`,
    title: `clip_${String(index).padStart(6, "0")}.mp4`,
    path: `/media/mia/CARD/card_${Math.floor(index / 400)}/clip_${String(index).padStart(6, "0")}.mp4`,
    progress: { ...sample.progress, totalBytes: 40e6 + (index % 97) * 3e6 },
    addedAt: sample.addedAt + index,
    ...more,
  });
  const sending = { phase: "uploading", active: true };
  const moving = Math.min(3, rows);
  const lists = {
    uploading: Array.from({ length: moving }, (_, index) => upload(index, sending)),
    waiting: Array.from({ length: rows - moving }, (_, index) => upload(index + moving)),
  };
  const pages = new Map();
  for (const [list, uploads] of Object.entries(lists)) {
    for (let offset = 0; offset <= uploads.length; offset += PAGE) {
      const page = JSON.stringify({ seq: 0, uploads: uploads.slice(offset, offset + PAGE) });
      pages.set(`${list} ${offset}`, page);
    }
  }
  lists.waiting = [];

  const timing = (window.timing = {});
  const callbacks = [];
  const listeners = {};
  const commands = {
    snapshot: () => {
      timing.asked = performance.now();
      return { seq: 0, connection, connections: [connection], allowance: { kind: "full" } };
    },
    page: ({ list, offset }) => {
      const page = pages.get(`${list} ${offset}`);
      // What is left in memory at the end is the page's own.
      pages.delete(`${list} ${offset}`);
      const answer = page === undefined ? { seq: 0, uploads: [] } : JSON.parse(page);
      timing.lastPage = performance.now();
      return answer;
    },
    shell: () => shell,
    folders: () => [],
    downloads: () => [],
    opening: () => null,
    "plugin:event|listen": ({ event, handler }) => {
      listeners[event] = callbacks[handler];
      return handler;
    },
  };
  window.__TAURI_INTERNALS__ = {
    transformCallback: (callback) => callbacks.push(callback) - 1,
    unregisterCallback: () => undefined,
    invoke: async (command, given) => {
      const answer = commands[command];
      if (!answer) throw { code: "unexpected_answer", message: command };
      return answer(given ?? {});
    },
  };
  window.__TAURI_EVENT_PLUGIN_INTERNALS__ = { unregisterListener: () => undefined };

  let seq = 0;
  window.tell = (news) => listeners.changes({ event: "changes", id: 0, payload: [{ seq: ++seq, news }] });
  window.news = {
    progress: (round) => ({
      kind: "progress",
      uploads: lists.uploading.map(({ id, progress }) => ({
        id,
        progress: { ...progress, confirmedBytes: (round * 4096) % 40e6, bytesPerSecond: 4e6, secondsLeft: 9 },
      })),
    }),
    // One of many goes to another list and back.
    state: (round) => ({
      kind: "uploads",
      uploads: [
        upload(moving + Math.floor(((round >> 1) * 7_919) % Math.max(1, rows - moving)), {
          hold: round % 2 === 0 ? { kind: "needs_user", code: "quota_exceeded" } : { kind: "none" },
        }),
      ],
    }),
  };

  // After a frame has been drawn, a message comes before anything else.
  const painted = (then) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(null);
  };
  const look = () => {
    const list = document.querySelector("main [role=grid]");
    const shown = rows === 0 ? document.querySelector("main h2") : document.querySelector("[data-upload]");
    if (shown && timing.painted === undefined) {
      timing.painted = 0;
      painted(() => {
        timing.painted = performance.now();
      });
    }
    const all = rows === 0 ? shown : list?.getAttribute("aria-rowcount") === String(rows);
    if (all) {
      painted(() => {
        window.gc();
        timing.heap = performance.memory.usedJSHeapSize;
      });
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
