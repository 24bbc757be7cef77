import type { AllowanceView } from "../bindings/AllowanceView";
import type { Code } from "../bindings/Code";
import type { UploadView } from "../bindings/UploadView";
import type { PlainKey } from "../words/words";

export type Tone = "plain" | "success" | "attention" | "danger";

/** A row's state, before it is put into a language. */
export type RowState =
  | { kind: "word"; word: PlainKey; tone: Tone }
  | { kind: "until"; until: number }
  | { kind: "problem"; code: Code; failed: boolean };

/** What became of one that failed: whether its bytes are with the team. */
export function failedWord(code: Code): PlainKey {
  return code === "processing_failed" ? "state.not_playable" : "state.failed";
}

/** Whether the team may know of it: of one that is not loaded nobody can say. */
export function mayBeWithTeam(upload: UploadView | undefined): boolean {
  return upload === undefined || upload.videoId !== null || upload.progress.confirmedBytes > 0;
}

const word = (key: PlainKey, tone: Tone = "plain"): RowState => ({ kind: "word", word: key, tone });

const PAUSES: Record<AllowanceView["kind"], PlainKey> = {
  full: "state.waiting",
  limit: "state.waiting",
  schedule: "state.schedule",
  metered: "state.metered",
  battery: "state.battery",
};

/**
 * The state in words, by UX's list: the hold says why it does not move, else the phase how far it is. What is
 * halfway up and stands still says why; of what has not begun, the banner above the list says it once.
 */
export function rowState(
  { phase, hold, active, growing, progress }: UploadView,
  allowance: AllowanceView = { kind: "full" },
): RowState {
  switch (hold.kind) {
    case "cancelled":
      return word("state.cancelled");
    case "failed":
      return { kind: "problem", code: hold.code, failed: true };
    case "needs_user":
      return { kind: "problem", code: hold.code, failed: false };
    case "source_missing":
      return { kind: "problem", code: "source_missing", failed: false };
    case "paused":
      return word("state.paused");
    case "offline":
      return word("state.offline", "attention");
    case "backoff":
      return { kind: "until", until: hold.until };
    case "none":
      break;
  }
  switch (phase) {
    case "ready":
      return word("state.ready", "success");
    case "processing":
      return word("state.processing");
    case "finishing":
      return word("state.finishing");
    case "queued":
      return word(active ? "state.preparing" : "state.waiting");
    case "beginning":
      return word(active ? "state.preparing" : "state.waiting");
    case "uploading":
      if (!active) return word(PAUSES[allowance.kind]);
      if (!growing) return word("state.uploading");
      return word(
        progress.bytesPerSecond > 0 || progress.inFlightBytes > 0 ? "state.recording" : "state.writing",
      );
  }
}

/** Confirmed and in-flight shares of the whole. Full only when the server has said that all is there. */
export function shares({ phase, progress }: UploadView): { confirmed: number; inFlight: number } {
  if (phase === "processing" || phase === "ready") return { confirmed: 1, inFlight: 0 };
  if (progress.totalBytes <= 0) return { confirmed: 0, inFlight: 0 };
  const confirmed = Math.min(0.99, progress.confirmedBytes / progress.totalBytes);
  return { confirmed, inFlight: Math.min(1 - confirmed, progress.inFlightBytes / progress.totalBytes) };
}

/** `MOV`, for the place of a poster that does not exist yet. */
export function fileType(path: string): string {
  const name = path.split(/[\\/]/).pop() ?? "";
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 ? name.slice(dot + 1) : "";
  return /^[a-z0-9]{2,4}$/i.test(ending) ? ending.toUpperCase() : "";
}
