/** Drawn above and below what is seen, so that a quick scroll meets no gap, in pixels. */
export const MARGIN = 240;

/** This near to the end the next page is asked for, in pixels. */
export const AHEAD = 1_500;

/** What a view scrolls by, in pixels. */
export interface View {
  readonly scrollTop: number;
  readonly clientHeight: number;
}

/** Where to scroll so that all between two heights is seen, moving as little as can be; its top goes first. */
export function reveal({ scrollTop, clientHeight }: View, top: number, bottom: number): number {
  return Math.max(0, Math.min(top, Math.max(bottom - clientHeight, scrollTop)));
}
