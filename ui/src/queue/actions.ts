import type { Hold } from "../bindings/Hold";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";
import type { Host } from "../host/host";
import type { PlainKey } from "../words/words";
import { isMovable } from "./line";

/** What can be done with an upload, in the order and the sections of its menu. */
export const SECTIONS = [
  ["play", "pause", "resume", "retry", "send_anyway"],
  ["next", "not_next", "move_top", "move_up", "move_down", "move_end"],
  ["copy_link", "details", "play_local", "show_in_folder"],
  ["cancel", "remove"],
] as const;
export type Action = (typeof SECTIONS)[number][number];

/** So many rows further up (negative) or down. */
export const MOVES = { move_top: -Infinity, move_up: -1, move_down: 1, move_end: Infinity } as const;
export type Move = keyof typeof MOVES;

export function isMove(action: Action): action is Move {
  return Object.hasOwn(MOVES, action);
}

export const ACTION_WORDS: Record<Action, PlainKey> = {
  play: "do.play",
  pause: "do.pause",
  resume: "do.resume",
  retry: "do.retry",
  send_anyway: "do.send_anyway",
  next: "do.next",
  not_next: "do.not_next",
  move_top: "do.move_top",
  move_up: "do.move_up",
  move_down: "do.move_down",
  move_end: "do.move_end",
  copy_link: "do.copy_link",
  details: "do.details",
  play_local: "do.play_local",
  show_in_folder: "do.show_in_folder",
  cancel: "do.cancel",
  remove: "do.remove",
};

/** Makes sense for many at once; the others are about one video. */
const FOR_MANY: ReadonlySet<Action> = new Set([
  "pause",
  "resume",
  "retry",
  "send_anyway",
  "next",
  "not_next",
  "move_top",
  "move_up",
  "move_down",
  "move_end",
  "copy_link",
  "cancel",
  "remove",
]);

/** Whether the upload is in a state in which the engine takes this. */
export function allows(upload: UploadView, action: Action): boolean {
  const { phase, hold, videoId, active, first } = upload;
  const sending = phase === "queued" || phase === "beginning" || phase === "uploading";
  const arrived = phase === "processing" || phase === "ready";
  const ended = hold.kind === "cancelled" || hold.kind === "failed";
  switch (action) {
    case "play":
      return phase === "ready";
    case "play_local":
      return phase !== "ready" && hold.kind !== "source_missing";
    case "pause":
      return sending && (hold.kind === "none" || hold.kind === "backoff" || hold.kind === "offline");
    case "resume":
      return hold.kind === "paused";
    case "send_anyway":
      return isDuplicate(hold);
    case "retry":
      // Looked at again, it would be found again.
      if (isDuplicate(hold)) return false;
      return phase !== "ready" && hold.kind !== "none" && hold.kind !== "paused" && hold.kind !== "cancelled";
    case "next":
      return sending && !active && !first && !HELD.has(hold.kind);
    case "not_next":
      return sending && first && !ended;
    case "move_top":
    case "move_up":
    case "move_down":
    case "move_end":
      return isMovable(upload);
    case "copy_link":
      return arrived && videoId !== null;
    case "details":
    case "show_in_folder":
      return true;
    case "cancel":
      return !arrived && !ended;
    case "remove":
      return ended || phase === "ready";
  }
}

/** Somebody has to do something before it goes on at all. */
const HELD: ReadonlySet<Hold["kind"]> = new Set([
  "paused",
  "needs_user",
  "source_missing",
  "cancelled",
  "failed",
]);

function isDuplicate(hold: Hold): boolean {
  return hold.kind === "needs_user" && hold.code === "duplicate";
}

export function actionsFor(uploads: readonly UploadView[]): Action[] {
  return SECTIONS.flat().filter(
    (action) =>
      (uploads.length === 1 || FOR_MANY.has(action)) && uploads.some((upload) => allows(upload, action)),
  );
}

/** The action that Enter and a double click mean. */
export function mainAction(upload: UploadView): Action | null {
  return (
    (["play", "resume", "retry", "send_anyway", "pause"] as const).find((action) => allows(upload, action)) ??
    null
  );
}

/** What the shell does; playing and showing are the page's own, and the order is a matter of `Order`. */
export type HostAction = Exclude<Action, "play" | "play_local" | "details" | "next" | "not_next" | Move>;

export function perform(host: Host, action: HostAction, ids: UploadId[]): Promise<void> {
  const [first] = ids;
  switch (action) {
    case "pause":
    case "resume":
    case "cancel":
    case "retry":
    case "remove":
      return host[action](ids);
    case "send_anyway":
      return host.sendAnyway(ids);
    case "show_in_folder":
      return first === undefined ? Promise.resolve() : host.showInFolder(first);
    case "copy_link":
      return host.copyLinks(ids);
  }
}
