/** With its port, or without. */
const HERE = /^(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i;

/** Whether only this computer has a server under that address. */
export function isHere(server: string): boolean {
  return URL.canParse(server) && HERE.test(new URL(server).host);
}

/**
 * The address of a team server that somebody has typed; null if it can be none. Without a scheme it is a
 * secure one, as teams name theirs; on this computer a plain one.
 */
export function addressOf(typed: string): string | null {
  const text = typed.trim();
  const address = text.includes("://") ? text : `${HERE.test(text) ? "http" : "https"}://${text}`;
  if (!URL.canParse(address)) return null;
  const { protocol, username, password } = new URL(address);
  return /^https?:$/.test(protocol) && username + password === "" ? address : null;
}
