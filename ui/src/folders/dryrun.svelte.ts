import type { EngineError } from "../bindings/EngineError";
import type { FolderId } from "../bindings/FolderId";
import type { Preview } from "../bindings/Preview";
import type { RuleFaults } from "../bindings/RuleFaults";
import type { Rules } from "../bindings/Rules";
import { asEngineError, type Host } from "../host/host";

const SOUND: RuleFaults = { patterns: [], title: false };

/** Before a folder is looked through for rules that are still being typed. */
const TYPING = 300;

/** What rules would do, while somebody writes them. One folder is looked through once at a time. */
export class DryRun {
  readonly #host: Pick<Host, "preview" | "ruleFaults">;
  readonly #folder: FolderId | null;
  #faults = $state.raw<RuleFaults>(SOUND);
  #preview = $state.raw<Preview | null>(null);
  #problem = $state.raw<EngineError | null>(null);
  #looking = $state.raw(true);
  #wanted: Rules | null = null;
  #working = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Of a watched folder, or of the one that was chosen last. */
  constructor(host: Pick<Host, "preview" | "ruleFaults">, folder: FolderId | null) {
    this.#host = host;
    this.#folder = folder;
  }

  /** What of the rules makes no sense. */
  get faults(): RuleFaults {
    return this.#faults;
  }

  get sound(): boolean {
    return this.#faults.patterns.length === 0 && !this.#faults.title;
  }

  /** Of the last rules that made sense. */
  get preview(): Preview | null {
    return this.#preview;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  get looking(): boolean {
    return this.#looking;
  }

  want(rules: Rules): void {
    this.#wanted = rules;
    this.#looking = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#work(), this.#preview === null ? 0 : TYPING);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#wanted = null;
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let rules = this.#take(); rules !== null; rules = this.#take()) {
      try {
        const patterns = [...rules.include, ...rules.exclude];
        this.#faults = await this.#host.ruleFaults(patterns, rules.title);
        if (this.sound) this.#preview = await this.#host.preview(this.#folder, rules);
        this.#problem = null;
      } catch (error) {
        this.#problem = asEngineError(error);
      }
    }
    this.#looking = false;
    this.#working = false;
  }

  #take(): Rules | null {
    const wanted = this.#wanted;
    this.#wanted = null;
    return wanted;
  }
}
