import type { ConnectionView } from "../bindings/ConnectionView";
import type { DestinationView } from "../bindings/DestinationView";
import type { OpenedBy } from "../bindings/OpenedBy";
import type { ProtocolKind } from "../bindings/ProtocolKind";
import type { ServerView } from "../bindings/ServerView";
import type { ShellView } from "../bindings/ShellView";
import { present } from "../errors/present";
import type { PlainKey } from "../words/words";

/** A team server that this computer belongs to. */
export interface Team {
  url: string;
  /** The one on this computer, which nobody signs in to. */
  here: boolean;
  openedBy: OpenedBy | null;
  /** New files go to it. */
  current: boolean;
  connection: ConnectionView | null;
}

export interface Health {
  tone: "good" | "quiet" | "attention";
  words: PlainKey;
  hint: PlainKey | null;
  /** Somebody has to sign in again. */
  signIn: boolean;
}

export const OPENED_BY: Record<OpenedBy, PlainKey> = {
  kept_key: "team.kept_key",
  key_in_memory: "team.key_in_memory",
  browser: "team.browser",
};

export const PROTOCOLS: Record<ProtocolKind, PlainKey> = {
  video_actions: "team.video_actions",
  chunked_sessions: "team.chunked_sessions",
  mux_direct: "team.mux_direct",
  uploads_api: "team.uploads_api",
};

function urlOf(connection: ConnectionView): string | null {
  return connection.kind === "none" ? null : connection.url;
}

/** Whether an address is that of the team server on this computer, which runs or is about to. */
function isHere(url: string, server: ServerView): boolean {
  switch (server.kind) {
    case "off":
      return false;
    case "running":
      return url === server.url;
    case "starting":
    case "failed":
      return hostOf(url).startsWith("127.0.0.1:");
  }
}

/** The one on this computer, which nobody signs in to, and then those that somebody did sign in to. */
export function teamsOf(
  { teams, server }: Pick<ShellView, "teams" | "server">,
  connections: readonly ConnectionView[],
  current: ConnectionView,
): Team[] {
  const chosen = urlOf(current);
  const found = (url: string): ConnectionView | null =>
    connections.find((connection) => urlOf(connection) === url) ?? null;
  const here = connections.flatMap((connection) => {
    const url = urlOf(connection);
    const signedIn = teams.some((team) => team.url === url);
    return url !== null && !signedIn && isHere(url, server) ? [url] : [];
  });
  return [
    ...here.map((url) => ({ url, here: true, openedBy: null })),
    ...teams.map(({ url, openedBy }) => ({ url, here: false, openedBy })),
  ].map((team) => ({ ...team, current: team.url === chosen, connection: found(team.url) }));
}

export function healthOf({ connection, here }: Team): Health {
  const healthy = { hint: null, signIn: false };
  if (connection === null || connection.kind === "none") {
    return { ...healthy, tone: "quiet", words: "team.connecting" };
  }
  if (connection.kind === "connected") {
    if (connection.reachable) return { ...healthy, tone: "good", words: "team.connected" };
    // The one on this computer is on its way: nobody else is to be waited for.
    if (here) return { ...healthy, tone: "quiet", words: "team.connecting" };
    return { tone: "attention", words: "team.away", hint: "team.away_hint", signIn: false };
  }
  switch (connection.code) {
    case "not_connected":
      return { ...healthy, tone: "quiet", words: "team.connecting" };
    case "signed_out":
      return { tone: "attention", words: "team.signed_out", hint: "team.signed_out_hint", signIn: !here };
    default: {
      const { what, todo } = present(connection.code);
      return { tone: "attention", words: what, hint: todo, signIn: false };
    }
  }
}

/** Where its files go, while that is known. */
export function destinationOf({ connection }: Team): DestinationView | null {
  return connection?.kind === "connected" ? connection.destination : null;
}

/** What people know the server by: `team.example`, with its port if that is not the usual one. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
