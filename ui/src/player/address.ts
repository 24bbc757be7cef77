/**
 * The address with the new session's signature in place of the old one's.
 *
 * Only where the session signs by a parameter that the address has too, and only at the session's own
 * origin: a signature is told to nobody else.
 */
export function withSignatureOf(address: string, session: string): string {
  const url = new URL(address);
  const fresh = new URL(session);
  if (url.origin !== fresh.origin) return address;
  let changed = false;
  for (const [name, value] of fresh.searchParams) {
    if (!url.searchParams.has(name) || url.searchParams.get(name) === value) continue;
    url.searchParams.set(name, value);
    changed = true;
  }
  return changed ? url.href : address;
}
