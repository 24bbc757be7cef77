import type { FolderId } from "../../bindings/FolderId";
import type { FolderView } from "../../bindings/FolderView";
import type { Planned } from "../../bindings/Planned";
import type { Preview } from "../../bindings/Preview";
import type { Rules } from "../../bindings/Rules";
import type { Standing } from "../../bindings/Standing";
import { NEW_RULES } from "../../folders/draft";
import { TARGETS } from "./scenarios";

let count = 0;

export function folder(
  path: string,
  server: string,
  rules: Partial<Rules> = {},
  standing: Partial<Standing> = {},
): FolderView {
  return {
    id: `F${String(++count).padStart(25, "0")}`,
    path,
    server,
    destination: TARGETS[count % 3] ?? { projectId: "", project: "", team: "" },
    rules: { ...NEW_RULES, ...rules },
    standing: {
      sight: { kind: "watching" },
      unreadable: 0,
      unreadableFirst: null,
      unsettled: 0,
      ignored: 0,
      queued: 0,
      sent: 0,
      ...standing,
    },
  };
}

/** One in each kind of health. */
export function someFolders(server: string): FolderView[] {
  return [
    folder("/home/mia/Movies/OBS", server, {}, { unsettled: 1, queued: 2, sent: 148, ignored: 12 }),
    folder(
      "/home/mia/Premiere/Exports/2026 Spring campaign/Deliveries for the harbour film, graded",
      server,
      { exclude: ["proxies"], afterwards: "move" },
      { sent: 23 },
    ),
    folder("/media/mia/CARD_A003/DCIM", server, {}, { sight: { kind: "not_there" }, sent: 1204 }),
    folder(
      "/mnt/nas/rushes",
      server,
      {},
      { sight: { kind: "polling", why: "drive" }, sent: 310, ignored: 4 },
    ),
    folder(
      "/srv/archive",
      server,
      {},
      { sight: { kind: "polling", why: "too_many_folders" }, sent: 88, unsettled: 3 },
    ),
    folder(
      "/home/mia/Videos",
      server,
      {},
      { unreadable: 2, unreadableFirst: "/home/mia/Videos/private", sent: 3 },
    ),
    folder("/home/mia/Downloads", server, { paused: true }, { sight: null, sent: 9 }),
    folder("/home/mia/Kollektiv", "https://video.kollektiv-8.example/", {}, { queued: 4, sent: 41 }),
  ];
}

const FILES: readonly Planned[] = [
  ...Array.from({ length: 14 }, (_, index): Planned => {
    const name = `A003_C0${String(12 + index)}_0418.mov`;
    return { path: `day 1/${name}`, plan: "send", size: (3.1 + index * 1.7) * 1e9, byContent: false };
  }),
  { path: "day 1/.A003_C012_0418.mov", plan: "skip", why: "hidden" },
  { path: "day 1/A003_C026_0418.mov.part", plan: "skip", why: "in_progress" },
  { path: "day 1/sound.wav", plan: "skip", why: "no_video" },
  { path: "day 2/A003_C027_0419.mov", plan: "unfinished" },
  { path: "day 2/مقابلة الميناء ٠٣.mp4", plan: "sent" },
  { path: "proxies/A003_C012_0418_proxy.mov", plan: "skip", why: "too_small" },
];

/** What the rules would do, as far as it matters for a picture of it. */
export function previewOf(rules: Rules, id: FolderId | null): Preview {
  const files = FILES.map((file): Planned => {
    if (file.plan !== "send") return file;
    if (id === null && rules.existing === "leave") return { path: file.path, plan: "was_there" };
    const excluded = rules.exclude.some((pattern) => file.path.startsWith(pattern));
    return excluded ? { path: file.path, plan: "skip", why: "excluded" } : file;
  });
  const sizes = files.flatMap((file) => (file.plan === "send" ? [file.size] : []));
  return {
    goes: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    stays: files.length - sizes.length,
    files,
  };
}
