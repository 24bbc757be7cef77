import type { ProgressNews } from "../bindings/ProgressNews";
import type { UploadId } from "../bindings/UploadId";
import { Speedometer } from "../queue/speedometer";

/** Seconds without news after which it stands: what stands still sends none that say so. */
const SILENT = 2;
/** Seconds without movement after which an upload's speeds are forgotten. */
const KEPT_STILL = 60;

interface Kept {
  readonly meter: Speedometer;
  /** As the last news said it. */
  latest: number;
  /** Seconds since there were news. */
  silent: number;
  /** Seconds since it moved. */
  still: number;
}

/** The speeds of the last minute of every upload that moves: of no more, whatever the queue holds. */
export class Speeds {
  readonly #kept = new Map<UploadId, Kept>();

  note(news: readonly ProgressNews[]): void {
    for (const { id, progress } of news) {
      const kept = this.#kept.get(id);
      if (kept) Object.assign(kept, { latest: progress.bytesPerSecond, silent: 0 });
      else if (progress.bytesPerSecond > 0) {
        const latest = progress.bytesPerSecond;
        this.#kept.set(id, { meter: new Speedometer(), latest, silent: 0, still: 0 });
      }
    }
  }

  /** A second has passed. */
  tick(): void {
    for (const [id, kept] of this.#kept) {
      const speed = kept.silent < SILENT ? kept.latest : 0;
      kept.meter.sample(speed);
      kept.silent++;
      kept.still = speed > 0 ? 0 : kept.still + 1;
      if (kept.still >= KEPT_STILL) this.#kept.delete(id);
    }
  }

  of(id: UploadId): readonly number[] {
    return this.#kept.get(id)?.meter.samples() ?? [];
  }

  get size(): number {
    return this.#kept.size;
  }
}
