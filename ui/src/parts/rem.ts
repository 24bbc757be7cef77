/** What systems and webviews give text as long as nobody asks for another size. */
const USUAL = 16;

/** One rem in pixels. */
export function rem(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || USUAL;
}

/** How many times its usual size text has. */
export function textScale(): number {
  return rem() / USUAL;
}
