import { createSubscriber } from "svelte/reactivity";

const everySecond = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => {
    clearInterval(timer);
  };
});

/** The time, to the second; ticks only while something on the screen reads it. */
export function now(): number {
  everySecond();
  return Date.now();
}
