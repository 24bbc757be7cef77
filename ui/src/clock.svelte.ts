import { createSubscriber } from "svelte/reactivity";

const everySecond = createSubscriber((update) => {
  const tick = (): void => {
    if (!document.hidden) update();
  };
  const timer = setInterval(tick, 1_000);
  document.addEventListener("visibilitychange", tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
});

/** The time, to the second; ticks only while something on the screen reads it, and the screen is seen. */
export function now(): number {
  everySecond();
  return Date.now();
}
