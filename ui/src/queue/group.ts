import type { UploadView } from "../bindings/UploadView";

/** The parts of the queue, in the order in which they are shown. */
export const GROUPS = ["uploading", "needs", "waiting", "today", "earlier"] as const;
export type Group = (typeof GROUPS)[number];

/** Bytes can still move by somebody's doing or by themselves. */
export function isUnsent({ phase, hold }: UploadView): boolean {
  return phase !== "processing" && phase !== "ready" && hold.kind !== "cancelled" && hold.kind !== "failed";
}

/** When it ended, as far as the queue knows. */
export function endedAt(upload: UploadView): number {
  return upload.uploadedAt ?? upload.addedAt;
}

/**
 * Which group an upload is in; `today` is the day's first millisecond. What is with the team is done, while
 * it is processed too: nobody waits for that here, and it may be thousands that are.
 */
export function groupOf(upload: UploadView, today: number): Group {
  const { phase, hold, active } = upload;
  const done = endedAt(upload) >= today ? "today" : "earlier";
  switch (hold.kind) {
    case "needs_user":
    case "failed":
    case "source_missing":
      return "needs";
    case "cancelled":
      return done;
    case "paused":
    case "offline":
      return isUnsent(upload) ? "waiting" : done;
    case "backoff":
      if (!isUnsent(upload)) return done;
      // A hiccup of some seconds must not make the row jump to another group and back.
      return phase === "queued" ? "waiting" : "uploading";
    case "none":
      if (!isUnsent(upload)) return done;
      return active || phase === "finishing" ? "uploading" : "waiting";
  }
}
