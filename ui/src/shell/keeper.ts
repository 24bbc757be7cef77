import type { Stop } from "../host/host";

/** What the keyboard comes to by itself. */
const STOPS =
  ":is(a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, [tabindex='0'])" +
  ":not([tabindex='-1'])";

/**
 * Gives the keyboard another place when what had it is taken away: else it would begin again at the top of
 * the window. That is the nearest that is left around it; where the whole screen went, what the new one is
 * about (`data-start`), or else the link that leads to it.
 *
 * Whoever points instead loses nothing by it and is left alone.
 */
export function keepKeyboard(root: HTMLElement): Stop {
  /** What is around the place of the keyboard, from the inside. */
  let around: Element[] = [];
  let frame = 0;

  const onfocusin = ({ target }: FocusEvent): void => {
    around = [];
    for (let one = target as Element | null; one && one !== root; one = one.parentElement) around.push(one);
  };
  const onpointerdown = (): void => {
    around = [];
  };
  const mend = (): void => {
    if (document.activeElement !== document.body || around.length === 0) return;
    for (const one of [...around.filter((element) => element.isConnected), root]) {
      if (comeTo(one)) return;
    }
  };
  const observer = new MutationObserver(() => {
    if (around.length === 0 || document.activeElement !== document.body) return;
    cancelAnimationFrame(frame);
    // Who took it away may be about to say itself where the keyboard goes.
    frame = requestAnimationFrame(mend);
  });

  root.addEventListener("focusin", onfocusin);
  root.addEventListener("pointerdown", onpointerdown, true);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    root.removeEventListener("focusin", onfocusin);
    root.removeEventListener("pointerdown", onpointerdown, true);
  };
}

/** Whether the keyboard could go to an element, or to what in it should have it first. */
function comeTo(element: Element): boolean {
  const places = [
    ...(element.matches(STOPS) ? [element] : []),
    ...element.querySelectorAll("[data-start]"),
    ...element.querySelectorAll("[aria-current='page']"),
    ...element.querySelectorAll(STOPS),
  ];
  return places.some((place) => {
    // One that is hidden, or behind a dialog, does not take it.
    (place as HTMLElement).focus({ preventScroll: true });
    return document.activeElement === place;
  });
}
