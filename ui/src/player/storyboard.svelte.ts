import { readTiles, type Tile, type Tiles } from "./tiles";

/** Small pictures of what is where in a video: asked for when somebody first points at its time line. */
export class Storyboard {
  readonly #url: string;
  #tiles = $state.raw<Tiles>([]);
  #asked = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Loads it; a video without one plays as well. */
  async want(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const answer = await fetch(this.#url, { referrerPolicy: "no-referrer" });
      if (answer.ok) this.#tiles = readTiles(await answer.json(), this.#url);
    } catch {
      // The next session has another address; this one shows none.
    }
  }

  at(seconds: number): Tile | null {
    return this.#tiles.findLast(({ start }) => start <= seconds) ?? null;
  }
}
