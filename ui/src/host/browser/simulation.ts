import type { AllowanceView } from "../../bindings/AllowanceView";
import type { Change } from "../../bindings/Change";
import type { ConnectionView } from "../../bindings/ConnectionView";
import type { News } from "../../bindings/News";
import type { Spot } from "../../bindings/Spot";
import type { UploadId } from "../../bindings/UploadId";
import type { UploadView } from "../../bindings/UploadView";
import { isMovable } from "../../queue/line";
import type { Everything } from "../host";
import { STEP } from "./scenarios";

const TICK = 200;
const PART = 8 * 1024 * 1024;
const LINES = 3;
const FINISHING = 1_200;
const PROCESSING = 4_000;

/** Bytes per second of each line, in turn; a sine on it keeps the sparkline from being a ruler. */
const SPEEDS = [31.2e6, 9.1e6, 4.4e6];

export function urlOf(connection: ConnectionView): string | null {
  return connection.kind === "none" ? null : connection.url;
}

function firstOf(uploads: Iterable<UploadView>): UploadView | null {
  let first: UploadView | null = null;
  for (const upload of uploads) {
    if (first === null || (upload.first === first.first ? upload.place < first.place : upload.first)) {
      first = upload;
    }
  }
  return first;
}

/** A queue that moves by a script instead of an engine: same news, no bytes. */
export class Simulation {
  readonly #uploads = new Map<UploadId, UploadView>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #since = new Map<UploadId, number>();
  readonly #sent = new Map<UploadId, number>();
  #connection: ConnectionView;
  #connections: readonly ConnectionView[];
  #allowance: AllowanceView;
  #seq = 0;
  #time = 0;

  constructor(
    uploads: readonly UploadView[],
    connections: readonly ConnectionView[],
    allowance: AllowanceView,
  ) {
    this.#connections = connections;
    this.#connection = connections[0] ?? { kind: "none" };
    this.#allowance = allowance;
    for (const upload of uploads) this.#uploads.set(upload.id, upload);
  }

  run(): void {
    setInterval(() => {
      this.#tick();
    }, TICK);
  }

  get connection(): ConnectionView {
    return this.#connection;
  }

  everything(): Omit<Everything, "rebuilt"> {
    return {
      seq: this.#seq,
      uploads: [...this.#uploads.values()],
      connection: this.#connection,
      connections: this.#connections,
      allowance: this.#allowance,
    };
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get connections(): readonly ConnectionView[] {
    return this.#connections;
  }

  /** In the place of the one to the same server; new files go to it. */
  connect(connection: ConnectionView): void {
    const others = this.#connections.filter((other) => urlOf(other) !== urlOf(connection));
    this.setConnections([connection, ...others], connection);
  }

  setConnections(connections: readonly ConnectionView[], current?: ConnectionView): void {
    this.#connections = connections;
    this.#connection = current ?? connections[0] ?? { kind: "none" };
    this.#tell({ kind: "connection", connection: this.#connection, connections: [...connections] });
  }

  allow(allowance: AllowanceView): void {
    this.#allowance = allowance;
    this.#tell({ kind: "allowance", allowance });
  }

  tellFolders(): void {
    this.#tell({ kind: "folders" });
  }

  /** Behind all that have not ended. */
  add(uploads: UploadView[]): void {
    let last = this.#unended().at(-1)?.place ?? 0;
    this.change(uploads.map((upload) => ({ ...upload, place: (last += STEP) })));
  }

  /** Refuses nothing: where no room is left, all get new places, and that is told alone. */
  put(ids: readonly UploadId[], spot: Spot): void {
    const many = ids.length + 1;
    let [start, end] = this.#gap(many, spot);
    const narrow = end - start < many;
    if (narrow) {
      this.#unended().forEach((upload, index) => {
        this.#uploads.set(upload.id, { ...upload, place: (index + 1) * STEP });
      });
      [start, end] = this.#gap(many, spot);
    }
    const moved = ids.flatMap((id, index) => {
      const upload = this.#uploads.get(id);
      const place = Math.floor(start + ((end - start) / many) * (index + 1));
      return upload && isMovable({ ...upload, active: false }) ? [{ ...upload, place }] : [];
    });
    for (const upload of moved) this.#uploads.set(upload.id, upload);
    if (narrow) this.#tell({ kind: "order" });
    else this.change(moved);
  }

  setFirst(ids: readonly UploadId[], first: boolean): void {
    for (const id of ids) {
      const upload = this.#uploads.get(id);
      if (upload) this.#uploads.set(id, { ...upload, first });
    }
    if (first) this.put(ids, "front");
    this.update(ids, () => ({ first }));
  }

  get(id: UploadId): UploadView | undefined {
    return this.#uploads.get(id);
  }

  all(): UploadView[] {
    return [...this.#uploads.values()];
  }

  update(ids: readonly UploadId[], how: (upload: UploadView) => Partial<UploadView>): void {
    this.change(
      ids.flatMap((id) => this.#uploads.get(id) ?? []).map((upload) => ({ ...upload, ...how(upload) })),
    );
  }

  change(uploads: UploadView[]): void {
    for (const upload of uploads) this.#uploads.set(upload.id, upload);
    if (uploads.length > 0) this.#tell({ kind: "uploads", uploads });
  }

  remove(ids: UploadId[]): void {
    for (const id of ids) this.#uploads.delete(id);
    this.#tell({ kind: "removed", ids });
  }

  /** From the top. */
  #unended(): UploadView[] {
    const ended = ({ phase, hold }: UploadView): boolean => phase === "ready" || hold.kind === "cancelled";
    return this.all()
      .filter((upload) => !ended(upload))
      .sort((a, b) => a.place - b.place);
  }

  #gap(many: number, spot: Spot): [number, number] {
    const places = this.#unended().map(({ place }) => place);
    const [top, last] = [places[0] ?? 0, places.at(-1) ?? 0];
    if (spot === "front") return [top - many * STEP, top];
    if (spot === "end") return [last, last + many * STEP];
    const end = this.#uploads.get(spot.before)?.place ?? 0;
    return [places.findLast((place) => place < end) ?? end - many * STEP, end];
  }

  #tell(news: News): void {
    const change: Change = { seq: ++this.#seq, news };
    for (const listener of this.#listeners) listener(change);
  }

  #tick(): void {
    this.#time += TICK;
    const paused = this.#allowance.kind !== "full" && this.#allowance.kind !== "limit";
    const free = paused ? [] : this.all().filter(({ hold }) => hold.kind === "none");
    const sending = free.filter(({ active, phase }) => active && phase === "uploading");
    const waiting = new Set(
      free.filter(({ active, phase }) => !active && (phase === "queued" || phase === "uploading")),
    );
    for (let next = firstOf(waiting); next; next = firstOf(waiting)) {
      // What goes first has as much room of its own.
      if (sending.length >= (next.first ? 2 * LINES : LINES)) break;
      waiting.delete(next);
      const begun: UploadView = {
        ...next,
        active: true,
        phase: "uploading",
        videoId: next.videoId ?? `v-${next.id}`,
      };
      sending.push(begun);
      this.change([begun]);
    }
    const moved = sending.map((upload, line) => this.#send(upload, line));
    for (const upload of moved) this.#uploads.set(upload.id, upload);
    if (moved.length > 0) {
      this.#tell({ kind: "progress", uploads: moved.map(({ id, progress }) => ({ id, progress })) });
    }
    for (const upload of this.all()) this.#advance(upload);
  }

  #send(upload: UploadView, line: number): UploadView {
    const { totalBytes, confirmedBytes } = upload.progress;
    const speed =
      (SPEEDS[line] ?? 1e6) *
      (1 + 0.18 * Math.sin(this.#time / 2_300 + line) + 0.06 * Math.sin(this.#time / 700));
    const before = this.#sent.get(upload.id) ?? confirmedBytes + 2 * PART;
    const sent = Math.min(totalBytes, before + (speed * TICK) / 1000);
    this.#sent.set(upload.id, sent);
    const confirmed =
      sent === totalBytes ? totalBytes : Math.max(confirmedBytes, Math.floor((sent - PART) / PART) * PART);
    return {
      ...upload,
      progress: {
        totalBytes,
        confirmedBytes: confirmed,
        inFlightBytes: Math.min(totalBytes - confirmed, Math.max(4 * PART, sent - confirmed)),
        bytesPerSecond: Math.round(speed),
        secondsLeft: this.#time < 2_000 ? null : Math.round((totalBytes - confirmed) / speed),
      },
    };
  }

  #advance(upload: UploadView): void {
    if (upload.hold.kind !== "none") return;
    const { phase, progress } = upload;
    if (phase === "uploading" && progress.confirmedBytes >= progress.totalBytes) {
      this.#enter(upload, {
        phase: "finishing",
        progress: { ...progress, bytesPerSecond: 0, inFlightBytes: 0 },
      });
    } else if (phase === "finishing" && this.#spent(upload) > FINISHING) {
      this.#enter(upload, { phase: "processing", active: false, uploadedAt: Date.now() });
    } else if (phase === "processing" && this.#spent(upload) > PROCESSING) {
      this.#enter(upload, { phase: "ready", duration: upload.duration ?? 128 });
    }
  }

  #enter(upload: UploadView, news: Partial<UploadView>): void {
    this.#since.set(upload.id, this.#time);
    this.change([{ ...upload, ...news }]);
  }

  #spent(upload: UploadView): number {
    const since = this.#since.get(upload.id);
    if (since === undefined) this.#since.set(upload.id, this.#time);
    return this.#time - (since ?? this.#time);
  }
}
