import type { UploadId } from "../bindings/UploadId";

/** A press becomes a drag after so many pixels. */
const SLACK = 5;
/** How near to an edge the list begins to scroll, in pixels. */
const EDGE = 44;
/** How fast it scrolls at the edge itself, in pixels per second; outside of it up to three times as fast. */
const SPEED = 900;

/** Where the pointer is: below the list's upper edge, and in the window. */
interface Hand {
  readonly offset: number;
  readonly x: number;
  readonly y: number;
}

interface Press {
  readonly ids: () => readonly UploadId[];
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
}

/**
 * Carries rows over a list that scrolls, by pointer. Not by the browser's own drag and drop: that is for
 * files, which the system drags over the window.
 */
export class Carry {
  readonly #view: () => HTMLElement;
  readonly #ondrop: (ids: readonly UploadId[]) => void;
  #press: Press | null = null;
  #ids = $state.raw<readonly UploadId[] | null>(null);
  #hand = $state.raw<Hand>({ offset: 0, x: 0, y: 0 });
  #frame = 0;
  #last = 0;

  constructor(view: () => HTMLElement, ondrop: (ids: readonly UploadId[]) => void) {
    this.#view = view;
    this.#ondrop = ondrop;
  }

  /** What is carried. */
  get ids(): readonly UploadId[] | null {
    return this.#ids;
  }

  /** What carries it. */
  get hand(): Hand {
    return this.#hand;
  }

  /** A pointer is down on a row; `ids` says what it would carry, once it does. */
  press({ pointerId, pointerType, button, clientX, clientY }: PointerEvent, ids: Press["ids"]): void {
    // A finger scrolls the list.
    if (button !== 0 || pointerType === "touch") return;
    this.#press = { ids, pointer: pointerId, x: clientX, y: clientY };
  }

  move({ pointerId, clientX: x, clientY: y }: PointerEvent): void {
    const press = this.#press;
    if (press?.pointer !== pointerId) return;
    if (this.#ids === null) {
      if (Math.hypot(x - press.x, y - press.y) < SLACK) return;
      const ids = press.ids();
      if (ids.length === 0) {
        this.#press = null;
        return;
      }
      this.#view().setPointerCapture(pointerId);
      this.#ids = ids;
      this.#last = performance.now();
      this.#frame = requestAnimationFrame(this.#scroll);
    }
    this.#hand = { offset: y - this.#view().getBoundingClientRect().top, x, y };
  }

  /** The pointer is up: what it carries is dropped. */
  release({ pointerId }: PointerEvent): void {
    if (this.#press?.pointer !== pointerId) return;
    if (this.#ids) this.#ondrop(this.#ids);
    this.end();
  }

  /** Leaves everything where it was. */
  end(): void {
    const press = this.#press;
    const view = this.#view();
    this.#press = null;
    this.#ids = null;
    cancelAnimationFrame(this.#frame);
    if (press && view.hasPointerCapture(press.pointer)) view.releasePointerCapture(press.pointer);
  }

  readonly #scroll = (now: number): void => {
    if (this.#ids === null) return;
    const view = this.#view();
    const { offset } = this.#hand;
    const beyond = offset < EDGE ? offset - EDGE : Math.max(0, offset - (view.clientHeight - EDGE));
    const share = Math.max(-3, Math.min(3, beyond / EDGE));
    const passed = Math.min(100, Math.max(0, now - this.#last));
    this.#last = now;
    if (share !== 0) view.scrollTop += (share * SPEED * passed) / 1_000;
    this.#frame = requestAnimationFrame(this.#scroll);
  };
}
