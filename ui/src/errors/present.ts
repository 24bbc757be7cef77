import type { Code } from "../bindings/Code";
import { type PlainKey, t } from "../words/words";

/** What the button beside an error does. */
export type Remedy = "retry" | "send_anyway" | "remove" | "connect";

export interface Presentation {
  /** What happened. */
  what: PlainKey;
  /** What it means for the file. */
  means: PlainKey;
  /** What to do. */
  todo: PlainKey;
  /** The button for it; none where nothing in this window helps. */
  remedy: Remedy | null;
}

export const REMEDY_WORDS: Record<Remedy, PlainKey> = {
  retry: "do.retry",
  send_anyway: "do.send_anyway",
  remove: "do.remove",
  connect: "do.connect_again",
};

/** From every code to its words: a code that the engine gains is a type error here. */
const PRESENTATIONS: Record<Code, Presentation> = {
  not_connected: {
    what: "error.not_connected.what",
    means: "error.not_connected.means",
    todo: "error.not_connected.todo",
    remedy: "connect",
  },
  signed_out: {
    what: "error.signed_out.what",
    means: "error.signed_out.means",
    todo: "error.signed_out.todo",
    remedy: "connect",
  },
  forbidden: {
    what: "error.forbidden.what",
    means: "error.forbidden.means",
    todo: "error.forbidden.todo",
    remedy: "retry",
  },
  unreachable: {
    what: "error.unreachable.what",
    means: "error.unreachable.means",
    todo: "error.unreachable.todo",
    remedy: "retry",
  },
  not_a_team_server: {
    what: "error.not_a_team_server.what",
    means: "error.not_a_team_server.means",
    todo: "error.not_a_team_server.todo",
    remedy: "connect",
  },
  unexpected_answer: {
    what: "error.unexpected_answer.what",
    means: "error.unexpected_answer.means",
    todo: "error.unexpected_answer.todo",
    remedy: "retry",
  },
  server_fault: {
    what: "error.server_fault.what",
    means: "error.server_fault.means",
    todo: "error.server_fault.todo",
    remedy: "retry",
  },
  quota_exceeded: {
    what: "error.quota_exceeded.what",
    means: "error.quota_exceeded.means",
    todo: "error.quota_exceeded.todo",
    remedy: "retry",
  },
  file_too_large: {
    what: "error.file_too_large.what",
    means: "error.file_too_large.means",
    todo: "error.file_too_large.todo",
    remedy: "remove",
  },
  unsupported_type: {
    what: "error.unsupported_type.what",
    means: "error.unsupported_type.means",
    todo: "error.unsupported_type.todo",
    remedy: "remove",
  },
  refused: {
    what: "error.refused.what",
    means: "error.refused.means",
    todo: "error.refused.todo",
    remedy: "retry",
  },
  storage_refused: {
    what: "error.storage_refused.what",
    means: "error.storage_refused.means",
    todo: "error.storage_refused.todo",
    remedy: "retry",
  },
  damaged: {
    what: "error.damaged.what",
    means: "error.damaged.means",
    todo: "error.damaged.todo",
    remedy: "retry",
  },
  source_changed: {
    what: "error.source_changed.what",
    means: "error.source_changed.means",
    todo: "error.source_changed.todo",
    remedy: "retry",
  },
  source_unreadable: {
    what: "error.source_unreadable.what",
    means: "error.source_unreadable.means",
    todo: "error.source_unreadable.todo",
    remedy: "retry",
  },
  source_missing: {
    what: "error.source_missing.what",
    means: "error.source_missing.means",
    todo: "error.source_missing.todo",
    remedy: "retry",
  },
  duplicate: {
    what: "error.duplicate.what",
    means: "error.duplicate.means",
    todo: "error.duplicate.todo",
    remedy: "send_anyway",
  },
  not_a_file: {
    what: "error.not_a_file.what",
    means: "error.not_a_file.means",
    todo: "error.not_a_file.todo",
    remedy: "remove",
  },
  empty_file: {
    what: "error.empty_file.what",
    means: "error.empty_file.means",
    todo: "error.empty_file.todo",
    remedy: "remove",
  },
  no_videos: {
    what: "error.no_videos.what",
    means: "error.no_videos.means",
    todo: "error.no_videos.todo",
    remedy: "remove",
  },
  processing_failed: {
    what: "error.processing_failed.what",
    means: "error.processing_failed.means",
    todo: "error.processing_failed.todo",
    remedy: "retry",
  },
  not_found: {
    what: "error.not_found.what",
    means: "error.not_found.means",
    todo: "error.not_found.todo",
    remedy: "remove",
  },
  wrong_state: {
    what: "error.wrong_state.what",
    means: "error.wrong_state.means",
    todo: "error.wrong_state.todo",
    remedy: null,
  },
  profile_in_use: {
    what: "error.profile_in_use.what",
    means: "error.profile_in_use.means",
    todo: "error.profile_in_use.todo",
    remedy: null,
  },
  profile_too_new: {
    what: "error.profile_too_new.what",
    means: "error.profile_too_new.means",
    todo: "error.profile_too_new.todo",
    remedy: null,
  },
  profile_damaged: {
    what: "error.profile_damaged.what",
    means: "error.profile_damaged.means",
    todo: "error.profile_damaged.todo",
    remedy: null,
  },
  local_storage: {
    what: "error.local_storage.what",
    means: "error.local_storage.means",
    todo: "error.local_storage.todo",
    remedy: "retry",
  },
  folder_missing: {
    what: "error.folder_missing.what",
    means: "error.folder_missing.means",
    todo: "error.folder_missing.todo",
    remedy: "retry",
  },
  desktop_refused: {
    what: "error.desktop_refused.what",
    means: "error.desktop_refused.means",
    todo: "error.desktop_refused.todo",
    remedy: null,
  },
  stopped: {
    what: "error.stopped.what",
    means: "error.stopped.means",
    todo: "error.stopped.todo",
    remedy: null,
  },
};

/** A code of a newer engine than this page is shown as what it is: an answer that nobody here knows. */
export function present(code: Code): Presentation {
  return Object.hasOwn(PRESENTATIONS, code) ? PRESENTATIONS[code] : PRESENTATIONS.unexpected_answer;
}

/** What is otherwise where a team's library is looked at: there is no file here that waits. */
const IN_LIBRARY: Partial<Record<Code, Omit<Presentation, "remedy">>> = {
  forbidden: {
    what: "library_error.forbidden.what",
    means: "library_error.forbidden.means",
    todo: "library_error.forbidden.todo",
  },
  refused: {
    what: "library_error.refused.what",
    means: "library_error.refused.means",
    todo: "library_error.refused.todo",
  },
  storage_refused: {
    what: "library_error.storage_refused.what",
    means: "library_error.storage_refused.means",
    todo: "library_error.storage_refused.todo",
  },
  damaged: {
    what: "library_error.damaged.what",
    means: "library_error.damaged.means",
    todo: "library_error.damaged.todo",
  },
  not_found: {
    what: "library_error.not_found.what",
    means: "library_error.not_found.means",
    todo: "library_error.not_found.todo",
  },
  wrong_state: {
    what: "library_error.wrong_state.what",
    means: "library_error.wrong_state.means",
    todo: "library_error.wrong_state.todo",
  },
  not_connected: {
    what: "library_error.not_connected.what",
    means: "library_error.not_connected.means",
    todo: "library_error.not_connected.todo",
  },
  local_storage: {
    what: "library_error.local_storage.what",
    means: "library_error.local_storage.means",
    todo: "library_error.local_storage.todo",
  },
  folder_missing: {
    what: "library_error.folder_missing.what",
    means: "library_error.folder_missing.means",
    todo: "library_error.folder_missing.todo",
  },
  unreachable: {
    what: "library_error.unreachable.what",
    means: "library_error.unreachable.means",
    todo: "library_error.unreachable.todo",
  },
  unexpected_answer: {
    what: "library_error.unexpected_answer.what",
    means: "library_error.unexpected_answer.means",
    todo: "library_error.unexpected_answer.todo",
  },
  server_fault: {
    what: "library_error.server_fault.what",
    means: "library_error.server_fault.means",
    todo: "library_error.server_fault.todo",
  },
  signed_out: {
    what: "library_error.signed_out.what",
    means: "library_error.signed_out.means",
    todo: "library_error.signed_out.todo",
  },
};

/** The same for what somebody does in the library. */
export function presentInLibrary(code: Code): Presentation {
  return { ...present(code), ...(Object.hasOwn(IN_LIBRARY, code) ? IN_LIBRARY[code] : {}) };
}

/** A server's own words, as a sentence of ours. */
export function says(reason: string): string {
  return t("row.says", { reason: reason.replace(/\.$/, "") });
}

export const PRESENTED_CODES = Object.keys(PRESENTATIONS) as Code[];
