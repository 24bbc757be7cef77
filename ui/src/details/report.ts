import type { Episode } from "../bindings/Episode";
import type { PartsView } from "../bindings/PartsView";
import type { ReceiptView } from "../bindings/ReceiptView";
import { t } from "../words/words";
import { eventWords } from "./happened";
import type { Subject } from "./subject";

interface Known {
  readonly parts: PartsView | null;
  readonly episodes: readonly Episode[];
  readonly receipt: ReceiptView | null;
}

/** For whoever helps: in the reader's words, but for times and sizes, which are exact. */
export function report(subject: Subject, { parts, episodes, receipt }: Known): string {
  const { upload, destination } = subject;
  const lines: [string, string | number | null | undefined][] = [
    [t("details.upload_id"), subject.id],
    [t("details.file"), subject.path],
    [t("details.size"), bytes(subject.size)],
    [t("details.destination"), `${destination.team} / ${destination.project}`],
    [t("details.server"), subject.server],
    [t("details.state"), upload && state(upload)],
    [t("details.confirmed"), upload && bytes(upload.progress.confirmedBytes)],
    [
      t("details.parts"),
      parts && `${String(parts.confirmed)} / ${String(parts.count)} × ${bytes(parts.partSize)}`,
    ],
    [t("details.checksum"), receipt && `${receipt.algorithm} ${receipt.checksum} (${receipt.proof})`],
    [t("details.key"), receipt?.key],
    [t("details.video"), receipt?.videoId ?? upload?.videoId],
    [t("details.retries"), receipt?.retries],
  ];
  const facts = lines
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => `${name}: ${String(value)}`);
  const happened = episodes.map(
    ({ at, lastAt, times, event }) =>
      `${time(at)}  ${eventWords(event)}${times > 1 ? ` (× ${String(times)}, ${time(lastAt)})` : ""}`,
  );
  return [subject.title, ...facts, ...(happened.length > 0 ? ["", ...happened] : []), ""].join("\n");
}

function state({ phase, hold, reason }: NonNullable<Subject["upload"]>): string {
  const code = "code" in hold ? ` (${hold.code})` : "";
  const held = hold.kind === "none" ? "" : `, ${hold.kind}${code}`;
  return `${phase}${held}${reason === null ? "" : `: ${reason}`}`;
}

function bytes(count: number): string {
  return `${String(count)} B`;
}

/** A report is read elsewhere: the time is that of the world. */
function time(at: number): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}
