import type { Host } from "../host/host";

/** The restart that puts a newer version in the place of this one. It never stops uploads unasked. */
export class Updating {
  readonly #host: Pick<Host, "installUpdate">;
  readonly #watch: (command: Promise<unknown>) => Promise<boolean>;
  #asks = $state(false);

  constructor(
    host: Pick<Host, "installUpdate">,
    /** Waits for a command, and tells if it was refused. */
    watch: (command: Promise<unknown>) => Promise<boolean>,
  ) {
    this.#host = host;
    this.#watch = watch;
  }

  /** Uploads are under way, and somebody has to say whether they may be interrupted. */
  get asks(): boolean {
    return this.#asks;
  }

  async restart(): Promise<void> {
    await this.#watch(
      this.#host.installUpdate(false).then((done) => {
        this.#asks = !done;
      }),
    );
  }

  async restartAnyway(): Promise<void> {
    this.#asks = false;
    await this.#watch(this.#host.installUpdate(true));
  }

  later(): void {
    this.#asks = false;
  }
}
