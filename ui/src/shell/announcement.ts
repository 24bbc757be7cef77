import type { Ending } from "../queue/ended";
import { t } from "../words/words";

/** One sentence each while there are few; then how many. */
export function announcement(endings: readonly Ending[]): string {
  const ready = endings.filter(({ kind }) => kind === "ready");
  const stuck = endings.filter(({ kind }) => kind === "needs" || kind === "failed");
  const cancelled = endings.filter(({ kind }) => kind === "cancelled");
  const sentences: string[] = [];
  const [one] = ready;
  if (ready.length === 1 && one) sentences.push(t("announce.ready", { title: one.title }));
  else if (ready.length > 1) sentences.push(t("announce.many_ready", { count: ready.length }));
  const [other] = stuck;
  if (stuck.length === 1 && other) {
    sentences.push(t(other.kind === "failed" ? "announce.failed" : "announce.needs", { title: other.title }));
  } else if (stuck.length > 1) sentences.push(t("announce.many_needs", { count: stuck.length }));
  const [given] = cancelled;
  if (cancelled.length === 1 && given) sentences.push(t("announce.cancelled", { title: given.title }));
  else if (cancelled.length > 1) sentences.push(t("announce.many_cancelled", { count: cancelled.length }));
  return sentences.join(" ");
}
