import type { DownloadState } from "../bindings/DownloadState";
import type { DownloadView } from "../bindings/DownloadView";
import type { LibraryHost, Stop } from "../host/host";
import { t } from "../words/words";

type Ended = Extract<DownloadState["kind"], "done" | "failed">;

/** A download that has just ended. */
export interface DownloadEnd {
  readonly title: string;
  readonly kind: Ended;
}

function endOf({ kind }: DownloadState): Ended | null {
  return kind === "done" || kind === "failed" ? kind : null;
}

/** For a notice, or for those who do not see the list. */
export function endWords({ title, kind }: DownloadEnd): string {
  return t(kind === "done" ? "download.ended" : "download.stopped", { title });
}

/** What is downloaded, as the shell tells it. */
export class Downloads {
  readonly #host: Pick<LibraryHost, "downloads" | "onDownloads">;
  readonly #onend: (end: DownloadEnd) => void;
  #known: readonly DownloadView[] = [];
  /** What is shown of it: nothing changes in a window that nobody sees. */
  #list = $state.raw<readonly DownloadView[]>([]);
  #last = $state.raw<DownloadEnd | null>(null);
  /** Before, nobody knows which of them ended at an earlier start. */
  #begun = false;

  constructor(host: Pick<LibraryHost, "downloads" | "onDownloads">, onend: (end: DownloadEnd) => void) {
    this.#host = host;
    this.#onend = onend;
  }

  get list(): readonly DownloadView[] {
    return this.#list;
  }

  /** The one that ended last. */
  get last(): DownloadEnd | null {
    return this.#last;
  }

  /** Listens; what it returns ends it. */
  async start(): Promise<Stop> {
    let told = false;
    const stop = await this.#host.onDownloads((list) => {
      told = true;
      this.#take(list);
    });
    const list = await this.#host.downloads();
    // What was told meanwhile is newer.
    if (!told) {
      this.#known = list;
      this.#show();
    }
    this.#begun = true;
    const show = (): void => {
      this.#show();
    };
    document.addEventListener("visibilitychange", show);
    return () => {
      document.removeEventListener("visibilitychange", show);
      stop();
    };
  }

  #show(): void {
    if (!document.hidden) this.#list = this.#known;
  }

  #take(list: readonly DownloadView[]): void {
    const before = this.#known;
    this.#known = list;
    this.#show();
    if (!this.#begun) return;
    for (const { id, title, state } of list) {
      const was = before.find((one) => one.id === id);
      const kind = endOf(state);
      if (!kind || (was && endOf(was.state))) continue;
      this.#last = { title, kind };
      this.#onend(this.#last);
    }
  }
}
