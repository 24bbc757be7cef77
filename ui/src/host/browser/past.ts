import type { EndedBefore } from "../../bindings/EndedBefore";
import type { EndedView } from "../../bindings/EndedView";
import type { Episode } from "../../bindings/Episode";
import type { Event } from "../../bindings/Event";
import type { PartsView } from "../../bindings/PartsView";
import type { ReceiptView } from "../../bindings/ReceiptView";
import type { UploadView } from "../../bindings/UploadView";
import { HERE, TARGETS } from "./scenarios";

const PAGE = 100;
const PART = 8 * 1024 * 1024;
const MOST_RUNS = 240;
const MINUTE = 60_000;
const NAMES = [
  "A003_C0{n}_walk_and_talk.mov",
  "broll_harbour_{n}.mp4",
  "reel-{n} grade.mp4",
  "Überfahrt_{n}.mkv",
];

function receiptOf(
  upload: Pick<UploadView, "id" | "path" | "server" | "destination">,
  size: number,
  at: number,
): ReceiptView {
  const { projectId, project, team } = upload.destination;
  return {
    uploadId: upload.id,
    videoId: `vid_${upload.id.slice(-8)}`,
    path: upload.path,
    size,
    checksum: "kJ2uXNf0s9E=",
    algorithm: "CRC64NVME",
    key: `north-studio/originals/2026/11/${upload.id}`,
    server: upload.server,
    projectId,
    project,
    team,
    parts: Math.ceil(size / PART),
    proof: "signed",
    answer: { size, checksum: "kJ2uXNf0s9E=" },
    addedAt: at - 90 * MINUTE,
    beganAt: at - 55 * MINUTE,
    finishedAt: at,
    retries: Number(upload.id) % 5 === 0 ? 3 : 0,
  };
}

/** The `index`th newest of a past as long as one likes: every call makes the same. */
function endedAt(index: number, now: number): EndedView {
  const uploadId = `9${String(1_000_000 - index).padStart(25, "0")}`;
  const destination = TARGETS[index % TARGETS.length] ?? { projectId: "", project: "", team: "" };
  const name = (NAMES[index % NAMES.length] ?? "").replace("{n}", String(index % 97).padStart(2, "0"));
  const time = now - (35 + index * 97) * MINUTE;
  const size = (0.3 + ((index * 37) % 61)) * 1e9;
  const base = { path: `/Volumes/Footage/${name}`, server: `${HERE}/`, destination };
  const ending: EndedView["ending"] =
    index % 11 === 4
      ? { kind: "cancelled" }
      : index % 23 === 7
        ? { kind: "failed", code: "unsupported_type" }
        : { kind: "uploaded" };
  return {
    ...base,
    uploadId,
    title: name,
    size,
    ending,
    addedAt: time - 90 * MINUTE,
    endedAt: time,
    listed: false,
    receipt: ending.kind === "uploaded" ? receiptOf({ ...base, id: uploadId }, size, time) : null,
  };
}

/** So many uploads that have ended. */
export class Past {
  readonly #count: number;
  readonly #now = Date.now();

  constructor(count: number) {
    this.#count = count;
  }

  page(search: string, before: EndedBefore | null): EndedView[] {
    const found: EndedView[] = [];
    for (const ended of this.#found(search)) {
      if (before && ended.endedAt >= before.endedAt) continue;
      if (found.push(ended) === PAGE) break;
    }
    return found;
  }

  count(search: string): number {
    return [...this.#found(search)].length;
  }

  *#found(search: string): Generator<EndedView> {
    const words = search.toLowerCase().split(/\s+/);
    for (let index = 0; index < this.#count; index++) {
      const ended = endedAt(index, this.#now);
      const text = `${ended.title}\n${ended.destination.project}\n${ended.destination.team}`.toLowerCase();
      if (words.every((word) => text.includes(word))) yield ended;
    }
  }

  get(id: string): EndedView | undefined {
    const index = 1_000_000 - Number(id.slice(1));
    return id.startsWith("9") && index < this.#count ? endedAt(index, this.#now) : undefined;
  }
}

/** Of an upload of the queue. */
export function partsOf({ phase, progress }: UploadView): PartsView | null {
  if (phase === "queued" || phase === "beginning") return null;
  const count = Math.max(1, Math.ceil(progress.totalBytes / PART));
  const runs = Math.min(count, MOST_RUNS);
  const confirmed = Math.floor((progress.confirmedBytes / progress.totalBytes) * count);
  return {
    count,
    partSize: PART,
    confirmed,
    runs: Array.from({ length: runs }, (_, run) => {
      const from = Math.ceil((run * count) / runs);
      const to = Math.ceil(((run + 1) * count) / runs);
      return Math.floor((100 * (Math.min(to, Math.max(from, confirmed)) - from)) / (to - from));
    }),
  };
}

export function historyOf({ phase, hold, addedAt }: UploadView): Episode[] {
  const detail = "connection reset by the other side";
  const happened: [number, Event, number?][] = [[0, { kind: "added" }]];
  if (phase !== "queued") {
    happened.push(
      [9, { kind: "begun" }],
      [9, { kind: "registered" }],
      [9, { kind: "opened" }],
      [21, { kind: "failed", why: { kind: "transport", detail }, then: "offline" }, 4],
      [23, { kind: "connected" }],
      [31, { kind: "failed", why: { kind: "server_fault", status: 503 }, then: "backoff" }],
      [34, { kind: "parts_sent_again" }, 2],
    );
  }
  if (hold.kind === "paused") happened.push([36, { kind: "paused" }]);
  if (phase === "processing" || phase === "ready") {
    happened.push([40, { kind: "sent" }], [40, { kind: "finished" }]);
  }
  if (phase === "ready") happened.push([41, { kind: "became_playable" }]);
  return happened.map(([minute, event, times = 1], number) => {
    const at = addedAt + minute * MINUTE;
    return { number, at, lastAt: at + (times - 1) * 20_000, times, event };
  });
}

export function receiptOfUpload(upload: UploadView): ReceiptView | null {
  if (upload.uploadedAt === null) return null;
  return receiptOf(upload, upload.progress.totalBytes, upload.uploadedAt);
}
