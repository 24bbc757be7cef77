import type { EngineError } from "../bindings/EngineError";
import type { FolderView } from "../bindings/FolderView";
import { asEngineError, type Host } from "../host/host";

/** Between two questions: what takes the engine long is asked for less often. */
const PAUSE = 250;
const PAUSES = 5;

/** The watched folders as they are now. The news say that they changed, not how: they are asked for anew. */
export class Folders {
  readonly #host: Pick<Host, "folders">;
  #list = $state.raw<readonly FolderView[] | null>(null);
  #problem = $state.raw<EngineError | null>(null);
  #asking = false;
  #stale = false;
  #stopped = false;

  constructor(host: Pick<Host, "folders">) {
    this.#host = host;
  }

  /** Oldest first; `null` until they are known. */
  get list(): readonly FolderView[] | null {
    return this.#list;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  /** They changed. */
  async changed(): Promise<void> {
    this.#stale = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#stale && !this.#stopped) {
      this.#stale = false;
      const began = performance.now();
      try {
        this.#list = await this.#host.folders();
        this.#problem = null;
      } catch (error) {
        this.#problem = asEngineError(error);
      }
      const took = performance.now() - began;
      await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE, PAUSES * took)));
    }
    this.#asking = false;
  }

  stop(): void {
    this.#stopped = true;
  }
}
