import type { FolderView } from "../bindings/FolderView";
import { t } from "../words/words";

/** How a watched folder is, in words. */
export interface Health {
  /** `attention`: somebody has to do something. */
  tone: "good" | "quiet" | "attention";
  words: string;
  /** What it means, and what to do. */
  hint: string | null;
}

/** What needs somebody comes first: only that is said. */
export function health(
  { rules, standing, server, destination }: FolderView,
  connected: readonly string[],
): Health {
  const { sight, unreadable, unreadableFirst } = standing;
  if (rules.paused) return { tone: "quiet", words: t("health.paused"), hint: t("health.paused_hint") };
  if (sight?.kind === "not_there") {
    return { tone: "attention", words: t("health.not_there"), hint: t("health.not_there_hint") };
  }
  if (!connected.some((other) => sameServer(server, other))) {
    return {
      tone: "attention",
      words: t("health.no_team", { team: destination.team }),
      hint: t("health.no_team_hint"),
    };
  }
  if (unreadable > 0) {
    return {
      tone: "attention",
      words: t("health.unreadable", { count: unreadable }),
      hint: unreadableFirst === null ? null : t("health.unreadable_hint", { place: unreadableFirst }),
    };
  }
  switch (sight?.kind) {
    case undefined:
    case "starting":
      return { tone: "quiet", words: t("health.starting"), hint: null };
    case "watching":
      return { tone: "good", words: t("health.watching"), hint: null };
    case "polling":
      switch (sight.why) {
        case "drive":
          return { tone: "good", words: t("health.polling_drive"), hint: t("health.polling_hint") };
        case "refused":
          return { tone: "good", words: t("health.polling_refused"), hint: t("health.polling_hint") };
        case "too_many_folders":
          return {
            tone: "attention",
            words: t("health.polling_many"),
            hint: t("health.polling_many_hint"),
          };
      }
  }
}

/** Addresses of one server may differ in a slash at their end. */
function sameServer(one: string, other: string): boolean {
  return one.replace(/\/$/, "") === other.replace(/\/$/, "");
}

/** The last part of a path, of either kind of system. */
export function folderName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}
