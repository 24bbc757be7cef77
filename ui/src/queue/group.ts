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

/** Which group an upload is in; `today` is the day's first millisecond. */
export function groupOf(upload: UploadView, today: number): Group {
  const { phase, hold, active } = upload;
  switch (hold.kind) {
    case "needs_user":
    case "failed":
    case "source_missing":
      return "needs";
    case "cancelled":
      return endedAt(upload) >= today ? "today" : "earlier";
    case "paused":
    case "offline":
      return phase === "ready" ? "today" : "waiting";
    case "backoff":
      // A hiccup of some seconds must not make the row jump to another group and back.
      return phase === "queued" ? "waiting" : "uploading";
    case "none":
      if (phase === "ready") return endedAt(upload) >= today ? "today" : "earlier";
      if (phase === "processing" || phase === "finishing") return "uploading";
      return active ? "uploading" : "waiting";
  }
}
