import type { EngineError } from "../bindings/EngineError";
import type { LibraryView } from "../bindings/LibraryView";
import type { ProjectView } from "../bindings/ProjectView";
import { asEngineError, type LibraryHost } from "../host/host";
import { Posters } from "../queue/posters.svelte";
import { Videos } from "./videos.svelte";

/** What somebody sees of the team's library; it outlives the screen, which comes back where it was. */
export class Library {
  readonly #host: LibraryHost;
  readonly videos: Videos;
  /** Of one team server: another one has other videos. */
  posters: Posters;
  #view = $state.raw<LibraryView | null>(null);
  #problem = $state.raw<EngineError | null>(null);
  #project = $state<string | null>(null);
  #server = "";
  search = $state("");
  /** The video that the keyboard is on, and its number; without an id until its page is there. */
  chosen = $state.raw<{ id: string | null; index: number } | null>(null);
  scrollTop = 0;

  constructor(host: LibraryHost) {
    this.#host = host;
    this.videos = new Videos(host);
    this.posters = new Posters((id) => host.poster(id));
  }

  get view(): LibraryView | null {
    return this.#view;
  }

  get problem(): EngineError | null {
    return this.#problem;
  }

  get projects(): readonly ProjectView[] {
    return this.#view?.kind === "projects" ? this.#view.projects : [];
  }

  /** The project whose videos are shown. */
  get project(): ProjectView | null {
    return this.projects.find(({ id }) => id === this.#project) ?? null;
  }

  /** Asks what there is at a team server; of one that was looked at before, the same project stays. */
  async open(server: string, usual: string | null): Promise<void> {
    if (server !== this.#server) {
      this.#server = server;
      this.#view = null;
      this.#project = null;
      this.search = "";
      this.posters = new Posters((id) => this.#host.poster(id));
    }
    try {
      const view = await this.#host.library();
      if (server !== this.#server) return;
      this.#view = view;
      this.#problem = null;
      const known = (id: string | null): boolean => this.projects.some((project) => project.id === id);
      if (!known(this.#project)) {
        const first = known(usual) ? usual : (this.projects[0]?.id ?? null);
        if (first !== null) this.choose(first);
      }
    } catch (error) {
      if (server === this.#server) this.#problem = asEngineError(error);
    }
  }

  choose(project: string): void {
    if (project === this.#project) return;
    this.#project = project;
    this.search = "";
    this.chosen = null;
    this.scrollTop = 0;
  }

  /** The videos of the project, from the newest on. */
  async load(): Promise<void> {
    if (this.#project !== null) await this.videos.begin(this.#project, this.search);
  }
}
