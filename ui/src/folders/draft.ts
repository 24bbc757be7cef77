import type { Afterwards } from "../bindings/Afterwards";
import type { Existing } from "../bindings/Existing";
import type { Rules } from "../bindings/Rules";

const MEGABYTE = 1e6;

/** Rules as a form holds them. */
export interface Draft {
  projectId: string;
  /** One pattern a line. */
  include: string;
  exclude: string;
  /** Megabytes; nothing for any size. */
  smallest: number | null | undefined;
  existing: Existing;
  title: string;
  afterwards: Afterwards;
  /** What lies in a subfolder goes to the project of its name. */
  perSubfolder: boolean;
  /** A file with the title of a video becomes its next version. */
  versions: boolean;
  visibility: "usual" | "public" | "private";
  /** Before all others of the queue. */
  first: boolean;
}

export const NEW_RULES: Rules = {
  include: [],
  exclude: [],
  smallest: 0,
  existing: "leave",
  title: "{name}",
  afterwards: "nothing",
  projects: "one",
  visibility: null,
  first: false,
  namesakes: "another",
  paused: false,
};

export function draftOf(rules: Rules, projectId: string): Draft {
  const { include, exclude, smallest, existing, title, afterwards } = rules;
  return {
    projectId,
    include: include.join("\n"),
    exclude: exclude.join("\n"),
    smallest: smallest > 0 ? smallest / MEGABYTE : null,
    existing,
    title,
    afterwards,
    perSubfolder: rules.projects === "per_subfolder",
    versions: rules.namesakes === "version",
    visibility: rules.visibility ?? "usual",
    first: rules.first,
  };
}

/** What the form says, and of `before` what it has no field for. */
export function rulesOf(draft: Draft, before: Rules): Rules {
  const { existing, title, afterwards, visibility, first } = draft;
  return {
    ...before,
    include: lines(draft.include),
    exclude: lines(draft.exclude),
    smallest: Math.round((draft.smallest ?? 0) * MEGABYTE),
    existing,
    title,
    afterwards,
    projects: draft.perSubfolder ? "per_subfolder" : "one",
    namesakes: draft.versions ? "version" : "another",
    visibility: visibility === "usual" ? null : visibility,
    first,
  };
}

/** What an engine could not even read as a size. */
export function isSize(smallest: Draft["smallest"]): boolean {
  const bytes = (smallest ?? 0) * MEGABYTE;
  return bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER;
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
