import type { ShellView } from "../bindings/ShellView";

/** What the shell is taken for until it has told. */
export const UNTOLD: ShellView = {
  engine: "works",
  server: { kind: "off" },
  teams: [],
  preferences: {
    theme: "system",
    language: "system",
    notifyReady: true,
    notifyNeeds: true,
    notifySent: true,
    detailedLog: false,
    checkUpdates: true,
  },
  startsAtLogin: null,
  update: { version: "", state: { kind: "off" } },
};
