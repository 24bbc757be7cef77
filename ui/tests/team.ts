import type { ConnectionView } from "../src/bindings/ConnectionView";
import type { DestinationView } from "../src/bindings/DestinationView";
import type { ShellView } from "../src/bindings/ShellView";
import { UNTOLD } from "../src/shell/untold";

/** The team server that the tests' uploads go to, the project there, and the shell that knows it. */
export const TEAM = "https://team.example/";

export const RUSHES: DestinationView = { projectId: "p", project: "Spring / Rushes", team: "North Studio" };

export const CONNECTED: ConnectionView = {
  kind: "connected",
  url: TEAM,
  protocol: "video_actions",
  reachable: true,
  destination: RUSHES,
};

export const SHELL: ShellView = {
  ...UNTOLD,
  teams: [{ url: TEAM, openedBy: "kept_key" }],
  startsAtLogin: false,
  update: { version: "0.1.0", state: { kind: "none", lookedAt: null } },
};
