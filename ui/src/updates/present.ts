import type { UpdateFault } from "../bindings/UpdateFault";
import type { UpdateState } from "../bindings/UpdateState";
import { format, type PlainKey, t } from "../words/words";

interface Presentation {
  /** What happened. What it means is always the same: nothing was changed. */
  what: PlainKey;
  /** What to do. */
  todo: PlainKey;
  /** Somebody should know who did not look at the settings. */
  urgent: boolean;
}

/** From every fault to its words: one that the shell gains is a type error here. */
const FAULTS: Record<UpdateFault, Presentation> = {
  unreachable: {
    what: "update_fault.unreachable.what",
    todo: "update_fault.unreachable.todo",
    urgent: false,
  },
  insecure: {
    what: "update_fault.insecure.what",
    todo: "update_fault.insecure.todo",
    urgent: true,
  },
  unintelligible: {
    what: "update_fault.unintelligible.what",
    todo: "update_fault.unintelligible.todo",
    urgent: false,
  },
  cut_off: {
    what: "update_fault.cut_off.what",
    todo: "update_fault.cut_off.todo",
    urgent: false,
  },
  not_genuine: {
    what: "update_fault.not_genuine.what",
    todo: "update_fault.not_genuine.todo",
    urgent: true,
  },
  not_kept: {
    what: "update_fault.not_kept.what",
    todo: "update_fault.not_kept.todo",
    urgent: false,
  },
  not_installed: {
    what: "update_fault.not_installed.what",
    todo: "update_fault.not_installed.todo",
    urgent: true,
  },
};

/** What happened, what it means and what to do. */
export function faultWords(fault: UpdateFault): string {
  const { what, todo } = FAULTS[fault];
  return [t(what), t("update.stays"), t(todo)].join(" ");
}

/** How it stands, in the settings. */
export function stateWords(state: UpdateState, now: number): string {
  switch (state.kind) {
    case "off":
      return t("update.off");
    case "none":
      return state.lookedAt === null
        ? t("update.not_yet")
        : t("update.none", { time: format.moment(state.lookedAt, now) });
    case "looking":
      return t("update.looking");
    case "out":
      return t(state.packaged ? "update.packaged" : "update.unpacked", { version: state.version });
    case "downloading":
      return state.percent === null
        ? t("update.downloading", { version: state.version })
        : t("update.arriving", { version: state.version, percent: format.percent(state.percent / 100) });
    case "ready":
      return t("update.ready", { version: state.version });
    case "failed":
      return faultWords(state.fault);
  }
}

/** What is said on every screen, and whether pressing it restarts; `null` while there is nothing to say. */
export function noticeOf(state: UpdateState): { words: string; restarts: boolean } | null {
  switch (state.kind) {
    case "ready":
      return { words: t("update.ready", { version: state.version }), restarts: true };
    case "out":
      return { words: t("update.out", { version: state.version }), restarts: false };
    case "failed":
      return FAULTS[state.fault].urgent ? { words: t("update.refused"), restarts: false } : null;
    case "off":
    case "none":
    case "looking":
    case "downloading":
      return null;
  }
}
