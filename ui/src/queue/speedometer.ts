const KEPT = 60;
/** Seconds over which the speed is averaged for the time left, and of movement before there is one. */
const AVERAGED = 12;
const NEEDED = 4;

/** The total speed of the last minute, one sample a second. */
export class Speedometer {
  #samples: number[] = [];

  sample(bytesPerSecond: number): void {
    this.#samples.push(bytesPerSecond);
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  samples(): readonly number[] {
    return [...this.#samples];
  }

  /** How long so many bytes take at the present speed, or `null` while that would be a guess. */
  secondsFor(bytes: number): number | null {
    const moving = this.#samples.slice(-AVERAGED).filter((speed) => speed > 0);
    if (bytes <= 0 || moving.length < NEEDED || this.#samples.at(-1) === 0) return null;
    return bytes / (moving.reduce((sum, speed) => sum + speed, 0) / moving.length);
  }
}
