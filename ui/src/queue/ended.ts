import type { UploadView } from "../bindings/UploadView";

/** What people who cannot see the list are told: that something ended, or stopped for them. */
export type Ending = { kind: "ready" | "needs" | "failed" | "cancelled"; title: string };

/** What happened to an upload between two views of it, if it is worth telling. */
export function ending(before: UploadView | undefined, after: UploadView): Ending | null {
  if (before === undefined) return null;
  if (after.phase === "ready" && before.phase !== "ready") return { kind: "ready", title: after.title };
  if (after.hold.kind === before.hold.kind) return null;
  if (after.hold.kind === "cancelled") return { kind: "cancelled", title: after.title };
  if (after.hold.kind === "failed") return { kind: "failed", title: after.title };
  if (after.hold.kind === "needs_user" || after.hold.kind === "source_missing")
    return { kind: "needs", title: after.title };
  return null;
}
