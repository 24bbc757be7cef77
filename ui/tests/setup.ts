import { configure } from "@testing-library/svelte";

// What has to come is waited for longer than a busy computer takes for it.
configure({ asyncUtilTimeout: 10_000 });

// jsdom draws nothing and so has none of these.
HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement): void {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement): void {
  this.open = false;
};
HTMLMediaElement.prototype.play = () => Promise.resolve();
HTMLMediaElement.prototype.pause = () => undefined;
Element.prototype.scrollIntoView = () => undefined;

class StillObserver implements ResizeObserver {
  observe(): void {
    // Nothing changes its size.
  }
  unobserve(): void {
    // As above.
  }
  disconnect(): void {
    // As above.
  }
}
globalThis.ResizeObserver = StillObserver;
