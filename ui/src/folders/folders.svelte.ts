import type { EngineError } from "../bindings/EngineError";
import type { FolderView } from "../bindings/FolderView";
import { asEngineError, type Host } from "../host/host";
import { type Draft, draftOf, NEW_RULES } from "./draft";

/** Between two questions: what takes the engine long is asked for less often. */
const PAUSE = 250;
const PAUSES = 5;

/** A form of rules. */
export interface Editing {
  /** The watched folder; without one, the rules are for the one that was chosen last. */
  readonly folder: FolderView | null;
  readonly path: string;
  /** It stood still, and is watched once they are saved. */
  readonly starts: boolean;
  draft: Draft;
}

/** The watched folders as they are now. The news say that they changed, not how: they are asked for anew. */
export class Folders {
  readonly #host: Pick<Host, "folders">;
  #list = $state.raw<readonly FolderView[] | null>(null);
  #problem = $state.raw<EngineError | null>(null);
  #asking = false;
  #stale = false;
  #stopped = false;
  /** Kept here, so that whoever looks at another screen finds the form as they left it. */
  #editing = $state<Editing | null>(null);

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

  get editing(): Editing | null {
    return this.#editing;
  }

  /** Opens the form for a watched folder; `starts`: to have it watched again. */
  edit(folder: FolderView, starts = false): void {
    const draft = draftOf(folder.rules, folder.destination.projectId);
    this.#editing = { folder, path: folder.path, starts, draft };
  }

  /** Opens the form for a folder that was just chosen, whose files may go to a project. */
  editNew(path: string, projectId: string): void {
    this.#editing = { folder: null, path, starts: true, draft: draftOf(NEW_RULES, projectId) };
  }

  closeEditor(): void {
    this.#editing = null;
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
