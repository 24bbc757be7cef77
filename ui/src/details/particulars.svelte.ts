import type { EngineError } from "../bindings/EngineError";
import type { Episode } from "../bindings/Episode";
import type { PartsView } from "../bindings/PartsView";
import type { ReceiptView } from "../bindings/ReceiptView";
import type { UploadId } from "../bindings/UploadId";
import { asEngineError, type Host } from "../host/host";

type Asked = Pick<Host, "parts" | "history" | "receipt">;

/** Between two questions about the same upload: while it moves, its row changes ten times a second. */
const PAUSE = 1_000;

/** `value`, or `nothing` where the engine knows of none: it is off the list, or not that far yet. */
async function orNothing<Value, Nothing>(asked: Promise<Value>, nothing: Nothing): Promise<Value | Nothing> {
  try {
    return await asked;
  } catch (error) {
    const { code } = asEngineError(error);
    if (code === "not_found" || code === "wrong_state") return nothing;
    throw error;
  }
}

/** What the engine knows of one upload beyond its row. */
export class Particulars {
  readonly #host: Asked;
  readonly #id: UploadId;
  #parts = $state.raw<PartsView | null>(null);
  #episodes = $state.raw<readonly Episode[]>([]);
  #receipt = $state.raw<ReceiptView | null>(null);
  #loaded = $state.raw(false);
  #problem = $state.raw<EngineError | null>(null);
  #asking = false;
  #again = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Asked, id: UploadId) {
    this.#host = host;
    this.#id = id;
  }

  get parts(): PartsView | null {
    return this.#parts;
  }

  get episodes(): readonly Episode[] {
    return this.#episodes;
  }

  get receipt(): ReceiptView | null {
    return this.#receipt;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  /** Asks now, or once the pause after the last answer is over. */
  ask(): void {
    if (this.#stopped) return;
    if (this.#asking || this.#timer !== undefined) this.#again = true;
    else void this.#load();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #load(): Promise<void> {
    this.#asking = true;
    this.#again = false;
    try {
      const [parts, episodes, receipt] = await Promise.all([
        orNothing(this.#host.parts(this.#id), null),
        orNothing(this.#host.history(this.#id), []),
        orNothing(this.#host.receipt(this.#id), null),
      ]);
      this.#parts = parts;
      this.#episodes = episodes;
      this.#receipt = receipt;
      this.#problem = null;
    } catch (error) {
      this.#problem = asEngineError(error);
    }
    this.#loaded = true;
    this.#asking = false;
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) void this.#load();
    }, PAUSE);
  }
}
