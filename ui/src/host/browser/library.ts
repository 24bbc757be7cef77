import type { DownloadView } from "../../bindings/DownloadView";
import type { EngineError } from "../../bindings/EngineError";
import type { PlaybackView } from "../../bindings/PlaybackView";
import type { ProjectView } from "../../bindings/ProjectView";
import type { ShareLinkView } from "../../bindings/ShareLinkView";
import type { VideoView } from "../../bindings/VideoView";
import type { LibraryHost } from "../host";

const PAGE = 100;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const TICK = 250;

const KINDS = ["mixed", "many", "empty", "no-projects", "unlisted", "failed", "slow", "viewer"] as const;
type Kind = (typeof KINDS)[number];

function project(id: string, path: string, team: string, mayShare: boolean): ProjectView {
  const steps = path.split(" / ");
  return { id, name: steps.at(-1) ?? path, path, depth: steps.length - 1, team, mayShare };
}

function projectsOf(kind: Kind): ProjectView[] {
  const member = kind !== "viewer";
  return [
    project("harbour", "Harbour film", "North Studio", member),
    project("spring", "Spring campaign", "North Studio", member),
    project("grades", "Spring campaign / Grades", "North Studio", member),
    project("rushes", "Spring campaign / Rushes", "North Studio", member),
    project("rushes-1", "Spring campaign / Rushes / Day 1 – harbour and ferry", "North Studio", member),
    project("archive", "Archive", "Kollektiv 8", false),
  ];
}

const TITLES = [
  "reel-{n} grade",
  "A003_C0{n}_0418_interview_wide",
  "broll_harbour_0{n}",
  "مقابلة الميناء {n}",
  "Überfahrt {n}, erste Fassung mit Ton und Untertiteln",
  "drone_pass_{n}",
];
const PEOPLE = ["Mia Lund", "Tariq Osei", "Jo"];

function videoOf(project: string, index: number, now: number): VideoView {
  const number = String(index % 97).padStart(2, "0");
  const state = index === 0 ? "uploading" : index === 1 ? "processing" : index === 7 ? "failed" : "ready";
  return {
    id: `${project}-${String(index)}`,
    title: (TITLES[index % TITLES.length] ?? "").replace("{n}", number),
    uploader: PEOPLE[index % PEOPLE.length] ?? "",
    createdAt: now - index * 97 * MINUTE - 12 * MINUTE,
    state,
    reason: state === "failed" ? "moov atom not found: the recording was not closed" : null,
    size: (0.3 + ((index * 37) % 61)) * 1e9,
    contentType: index % 3 === 0 ? "video/quicktime" : "video/mp4",
    duration: state === "ready" ? 24 + ((index * 131) % 4_000) : null,
    version: index % 5 === 2 ? 3 : 1,
  };
}

/** A team's library without a team, by `?library=`. Never part of the product. */
export function browserLibrary(
  query: URLSearchParams,
  session: (poster: string | null) => PlaybackView,
  posters: readonly string[],
): LibraryHost {
  const wanted = query.get("library");
  const kind: Kind = KINDS.find((one) => one === wanted) ?? "mixed";
  const projects = kind === "no-projects" ? [] : projectsOf(kind);
  const counts: Record<string, number> = { grades: 3, "rushes-1": 0, archive: 6 };
  const listeners = new Set<(all: DownloadView[]) => void>();
  const now = Date.now();
  let links: ShareLinkView[] = [
    aLink("l2", now - 2 * DAY, now + 5 * DAY, { hasPassword: true, allowDownload: true, views: 3 }),
    aLink("l1", now - 40 * DAY, now - 10 * DAY, { createdBy: "Tariq Osei", views: 1 }),
  ];
  let downloads: DownloadView[] = [];
  let made = 0;

  function aLink(id: string, createdAt: number, expiresAt: number | null, more: Partial<ShareLinkView>) {
    return {
      id,
      createdAt,
      createdBy: "Mia Lund",
      expiresAt,
      isExpired: expiresAt !== null && expiresAt < Date.now(),
      allowDownload: false,
      hasPassword: false,
      views: 0,
      ...more,
    };
  }

  function refuse(code: EngineError["code"]): never {
    throw { code, message: "refused by the script" } satisfies EngineError;
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  }

  function numberOf(videoId: string): number {
    return Number(videoId.split("-").at(-1));
  }

  function set(next: DownloadView[]): void {
    downloads = next;
    for (const listener of listeners) listener(downloads);
  }

  function change(id: number, how: (view: DownloadView) => Partial<DownloadView>): void {
    set(downloads.map((view) => (view.id === id ? { ...view, ...how(view) } : view)));
  }

  setInterval(() => {
    for (const { id, state, totalBytes, arrivedBytes } of downloads) {
      if (state.kind !== "downloading" || totalBytes === null) continue;
      const arrived = Math.min(totalBytes, arrivedBytes + 61e6 / (1_000 / TICK));
      const done = arrived === totalBytes;
      change(id, () => ({
        arrivedBytes: arrived,
        bytesPerSecond: done ? 0 : 61e6,
        secondsLeft: done ? null : Math.ceil((totalBytes - arrived) / 61e6),
        state: done ? { kind: "done", verified: true } : state,
      }));
    }
  }, TICK);

  return {
    library: async () => {
      await pause(kind === "slow" ? 60_000 : 80);
      if (kind === "failed") refuse("unreachable");
      return kind === "unlisted" ? { kind: "unlisted" } : { kind: "projects", projects };
    },
    videos: async (projectId, search, cursor) => {
      await pause(60);
      const count = kind === "empty" ? 0 : kind === "many" ? 5_000 : (counts[projectId] ?? 40);
      const words = search.toLowerCase().split(/\s+/);
      const found: VideoView[] = [];
      let index = cursor === null ? 0 : Number(cursor);
      for (; index < count && found.length < PAGE; index++) {
        const video = videoOf(projectId, index, now);
        const text = `${video.title}\n${video.uploader}`.toLowerCase();
        if (words.every((word) => text.includes(word))) found.push(video);
      }
      return { videos: found, next: index < count ? String(index) : null };
    },
    playVideo: async (videoId) => {
      const view = session(posters[numberOf(videoId) % posters.length] ?? null);
      if (numberOf(videoId) !== 1) return view;
      const url = new URL("/fixture/original.mp4", view.url);
      url.searchParams.set("token", "original");
      return { ...view, form: "original", url: url.href, posterUrl: null, storyboardUrl: null };
    },
    poster: async (videoId) => {
      await pause(30);
      return posters[numberOf(videoId) % posters.length] ?? null;
    },
    shareLinks: async () => {
      await pause(80);
      return links;
    },
    share: async (_, { expiresInDays, allowDownload, password }) => {
      await pause(200);
      const ends = expiresInDays === null ? null : Date.now() + expiresInDays * DAY;
      const link = aLink(`n${String(++made)}`, Date.now(), ends, {
        allowDownload,
        hasPassword: password !== null,
      });
      links = [link, ...links];
    },
    copyShareLink: async () => undefined,
    revoke: async (linkId) => {
      links = links.filter(({ id }) => id !== linkId);
    },
    download: async (videoId) => {
      const id = (downloads.at(-1)?.id ?? 0) + 1;
      const video = videoOf(videoId.split("-").slice(0, -1).join("-"), numberOf(videoId), now);
      const view: DownloadView = {
        id,
        videoId,
        title: video.title,
        state: id % 3 === 2 ? { kind: "failed", code: "local_storage" } : { kind: "downloading" },
        arrivedBytes: 0,
        totalBytes: id % 3 === 0 ? 90e6 : video.size,
        bytesPerSecond: 0,
        secondsLeft: null,
      };
      set([...downloads, view]);
      return id;
    },
    downloads: async () => downloads,
    onDownloads: async (onDownloads) => {
      listeners.add(onDownloads);
      return () => listeners.delete(onDownloads);
    },
    downloadAgain: async (id) => {
      change(id, () => ({ state: { kind: "downloading" } }));
    },
    removeDownload: async (id) => {
      set(downloads.filter((view) => view.id !== id));
    },
    showDownload: async () => undefined,
  };
}
