import type { Episode } from "../bindings/Episode";
import type { Event } from "../bindings/Event";
import type { HoldKind } from "../bindings/HoldKind";
import type { Why } from "../bindings/Why";
import { present, says } from "../errors/present";
import { type PlainKey, t } from "../words/words";

const THEN: Record<HoldKind, PlainKey> = {
  none: "then.none",
  paused: "then.paused",
  backoff: "then.backoff",
  offline: "then.offline",
  source_missing: "then.source_missing",
  needs_user: "then.needs_user",
  cancelled: "then.cancelled",
  failed: "then.failed",
};

/** What happened, in a sentence. */
export function eventWords(event: Event): string {
  switch (event.kind) {
    case "added":
      return t("event.added");
    case "started_again":
      return t("event.started_again");
    case "begun":
      return t("event.begun");
    case "registered":
      return t("event.registered");
    case "opened":
      return t("event.opened");
    case "session_replaced":
      return t("event.session_replaced");
    case "parts_sent_again":
      return t("event.parts_sent_again");
    case "settled":
      return t("event.settled");
    case "rewritten":
      return t("event.rewritten");
    case "sent":
      return t("event.sent");
    case "sent_again":
      return t("event.sent_again");
    case "finished":
      return t("event.finished");
    case "became_playable":
      return t("event.became_playable");
    case "processing_failed":
      return event.reason === null
        ? t("event.processing_failed")
        : `${t("event.processing_failed")} ${says(event.reason)}`;
    case "failed":
      return `${whyWords(event.why)} ${t(THEN[event.then])}`;
    case "source_back":
      return t("event.source_back");
    case "connected":
      return t("event.connected");
    case "paused":
      return t("event.paused");
    case "resumed":
      return t("event.resumed");
    case "retried":
      return t("event.retried");
    case "sent_anyway":
      return t("event.sent_anyway");
    case "cancelled":
      return t("event.cancelled");
    case "cleaned_up":
      return t("event.cleaned_up");
    case "omitted":
      return t("event.omitted", { count: event.events });
  }
}

function whyWords(why: Why): string {
  switch (why.kind) {
    case "transport":
      return t("why.transport", { detail: why.detail });
    case "portal":
      return t("why.portal");
    case "busy":
      return t("why.busy");
    case "server_fault":
      return t("why.server_fault", { status: String(why.status) });
    case "url_expired":
      return t("why.url_expired");
    case "session_gone":
      return t("why.session_gone");
    case "part_damaged":
      return t("why.part_damaged");
    case "unexpected_answer":
      return t("why.unexpected_answer", { detail: why.detail });
    case "source_missing":
      return t(present("source_missing").what);
    case "source_changed":
      return t(present("source_changed").what);
    case "duplicate":
      return t(present("duplicate").what);
    case "source_unreadable":
      return t("why.source_unreadable", { detail: why.detail });
    case "local_storage":
      return t("why.local_storage", { detail: why.detail });
    case "refused":
      return `${t(present(why.code).what)} ${says(why.reason)}`;
  }
}

/** How many failed tries an episode stands for. */
function retriesOf({ event, times }: Episode): number {
  if (event.kind === "failed" || event.kind === "parts_sent_again") return times;
  return event.kind === "omitted" ? event.retries : 0;
}

export function retries(episodes: readonly Episode[]): number {
  return episodes.reduce((sum, episode) => sum + retriesOf(episode), 0);
}

/** Whether somebody should notice it among what goes well. */
export function isSetback({ event }: Episode): boolean {
  switch (event.kind) {
    case "failed":
    case "parts_sent_again":
    case "processing_failed":
    case "rewritten":
    case "sent_again":
    case "session_replaced":
      return true;
    default:
      return false;
  }
}

/** When something happened for the last time. */
export function lastTime(episodes: readonly Episode[], kind: Event["kind"]): number | null {
  return episodes.findLast(({ event }) => event.kind === kind)?.lastAt ?? null;
}
