/** Speed limits that are offered, in bytes a second. */
export const LIMITS: readonly number[] = [1, 2, 5, 10, 20, 50, 100].map((megabytes) => megabytes * 1e6);

/** Bytes a second of what somebody typed as megabytes; `null` for what is no rate. */
export function readMegabytes(text: string): number | null {
  const number = Number(text.trim().replace(",", "."));
  const bytes = Math.round(number * 1e6);
  return text.trim() !== "" && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

export function writeMegabytes(bytesPerSecond: number): string {
  return String(bytesPerSecond / 1e6);
}
