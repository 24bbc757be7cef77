import type { AllowanceView } from "../../bindings/AllowanceView";
import type { Code } from "../../bindings/Code";
import type { ConnectionView } from "../../bindings/ConnectionView";
import type { DestinationView } from "../../bindings/DestinationView";
import type { DragView } from "../../bindings/DragView";
import type { EngineError } from "../../bindings/EngineError";
import type { FolderView } from "../../bindings/FolderView";
import type { RebuiltView } from "../../bindings/RebuiltView";
import type { ShellView } from "../../bindings/ShellView";
import type { UpdateState } from "../../bindings/UpdateState";
import type { UploadView } from "../../bindings/UploadView";
import { UNTOLD } from "../../shell/untold";
import { someFolders } from "./folders";

export interface Scenario {
  uploads: UploadView[];
  /** The one that new files go to first. */
  connections: ConnectionView[];
  allowance: AllowanceView;
  /** Of the week, one rule each. */
  schedule: string[];
  shell: ShellView;
  drag: DragView | null;
  rebuilt: RebuiltView | null;
  folders: FolderView[];
  /** The queue cannot be opened. */
  problem: EngineError | null;
}

const GB = 1e9;
const MINUTE = 60_000;

export const TARGETS: DestinationView[] = [
  { projectId: "rushes", project: "Spring campaign / Rushes", team: "North Studio" },
  { projectId: "grades", project: "Spring campaign / Grades", team: "North Studio" },
  { projectId: "harbour", project: "Harbour film", team: "North Studio" },
  { projectId: "archive", project: "Archive", team: "Kollektiv 8" },
];

const RUSHES = TARGETS[0] as DestinationView;
const ARCHIVE = TARGETS[3] as DestinationView;
export const HERE = "http://127.0.0.1:4310/";

export const NORTH = "https://api.north-studio.example/";
export const KOLLEKTIV = "https://dailies.kollektiv-8.example/";

export function connected(url: string, more: { reachable?: boolean } = {}): ConnectionView {
  const destination = url === KOLLEKTIV ? ARCHIVE : RUSHES;
  const protocol = url === KOLLEKTIV ? "chunked_sessions" : "video_actions";
  return { kind: "connected", url, protocol, reachable: true, destination, ...more };
}

/** Between two places, so that others fit between. */
export const STEP = 2 ** 32;

let count = 0;

export function upload(title: string, totalBytes: number, more: Partial<UploadView> = {}): UploadView {
  const id = String(++count).padStart(26, "0");
  const done = more.phase === "ready" || more.phase === "processing";
  return {
    id,
    title,
    server: NORTH,
    path: `/Volumes/Footage/${title}`,
    destination: RUSHES,
    phase: "queued",
    hold: { kind: "none" },
    active: false,
    place: count * STEP,
    first: false,
    progress: {
      totalBytes,
      confirmedBytes: done ? totalBytes : 0,
      inFlightBytes: 0,
      bytesPerSecond: 0,
      secondsLeft: null,
    },
    addedAt: Date.now() - 50 * MINUTE,
    uploadedAt: null,
    videoId: done ? `v-${id}` : null,
    duration: null,
    reason: null,
    ...more,
  };
}

function sending(
  title: string,
  totalBytes: number,
  share: number,
  more: Partial<UploadView> = {},
): UploadView {
  const begun = upload(title, totalBytes, {
    phase: "uploading",
    active: true,
    videoId: `v-${title}`,
    ...more,
  });
  return { ...begun, progress: { ...begun.progress, confirmedBytes: Math.floor(totalBytes * share) } };
}

function ready(title: string, totalBytes: number, minutesAgo: number, duration: number): UploadView {
  return upload(title, totalBytes, {
    phase: "ready",
    uploadedAt: Date.now() - minutesAgo * MINUTE,
    duration,
  });
}

function needing(title: string, totalBytes: number, code: Code, reason: string | null = null): UploadView {
  const hold = { kind: reason === null ? "needs_user" : "failed", code } as const;
  return upload(title, totalBytes, { hold, reason });
}

function busy(): UploadView[] {
  return [
    sending("A003_C012_0418_interview_wide.mov", 60.2 * GB, 0.58, { duration: 1122 }),
    sending("reel-04 grade v2.mp4", 2.4 * GB, 0.16, { duration: 128 }),
    sending("2026-11-20 14-02-11.mkv", 4.1 * GB, 0.62),
    upload("trailer_v9_stereo.mov", 0.9 * GB, { phase: "processing", uploadedAt: Date.now(), duration: 94 }),
    needing("drone_pass_07.mp4", 6.8 * GB, "quota_exceeded"),
    upload("A003_C013_0418_interview_tight.mov", 48.9 * GB),
    upload("broll_harbour_014.mp4", 1.2 * GB),
    sending("broll_harbour_015.mp4", 3.3 * GB, 0.42, { active: false, hold: { kind: "paused" } }),
    upload("مقابلة الميناء ٠٣.mp4", 812e6),
    ...Array.from({ length: 6 }, (_, index) =>
      upload(`broll_harbour_0${20 + index}.mp4`, (0.7 + index * 0.31) * GB),
    ),
    ready("reel-04 grade v1.mp4", 2.3 * GB, 24, 128),
    ready("A003_C011_0418_walk_and_talk.mov", 31.6 * GB, 55, 612),
    ready("slate_test.mov", 184e6, 80, 12),
    upload("wrong_take.mp4", 1.1 * GB, { hold: { kind: "cancelled" }, addedAt: Date.now() - 95 * MINUTE }),
    ready("A002_C031_0417_sunset.mov", 22.4 * GB, 60 * 26, 344),
    ready("A002_C030_0417_sunset.mov", 18.2 * GB, 60 * 27, 301),
  ];
}

function needs(): UploadView[] {
  return [
    sending("A003_C012_0418_interview_wide.mov", 60.2 * GB, 0.58),
    needing("drone_pass_07.mp4", 6.8 * GB, "quota_exceeded"),
    upload("A003_C014_0418_cutaways.mov", 12.2 * GB, {
      phase: "uploading",
      hold: { kind: "source_missing" },
    }),
    needing("export_final_FINAL_2.mov", 9.4 * GB, "source_changed"),
    needing(
      "old camera.avi",
      1.4 * GB,
      "processing_failed",
      "moov atom not found: the recording was not closed",
    ),
    needing("keynote.mov", 3.1 * GB, "signed_out"),
    needing("take_12.mp4", 0.6 * GB, "refused", "the project is closed for new videos"),
  ];
}

function offline(): UploadView[] {
  const until = Date.now() + 23_000;
  return [
    sending("A003_C012_0418_interview_wide.mov", 60.2 * GB, 0.58, { hold: { kind: "backoff", until } }),
    sending("reel-04 grade v2.mp4", 2.4 * GB, 0.16, { hold: { kind: "offline", until }, active: false }),
    upload("A003_C013_0418_interview_tight.mov", 48.9 * GB, { hold: { kind: "offline", until } }),
    upload("broll_harbour_014.mp4", 1.2 * GB, { hold: { kind: "paused" } }),
    ready("reel-04 grade v1.mp4", 2.3 * GB, 24, 128),
  ];
}

function metered(): UploadView[] {
  return [
    sending("A003_C012_0418_interview_wide.mov", 60.2 * GB, 0.58, { active: false }),
    upload("A003_C013_0418_interview_tight.mov", 48.9 * GB),
    ready("reel-04 grade v1.mp4", 2.3 * GB, 24, 128),
  ];
}

function many(): UploadView[] {
  const waiting = Array.from({ length: 99_900 }, (_, index) =>
    upload(
      `card_${String(Math.floor(index / 400)).padStart(3, "0")}/clip_${String(index).padStart(6, "0")}.mp4`,
      40e6 + (index % 97) * 3e6,
    ),
  );
  return [...busy(), ...waiting];
}

/** Slow at work, nothing at lunch, full at night. */
const SCHEDULE = ["daily 12:30-13:30 pause", "mon,tue,wed,thu,fri 09:00-18:00 5M", "daily 22:00-06:00 full"];

export const SCENARIOS = [
  "first-run",
  "empty",
  "busy",
  "needs",
  "offline",
  "metered",
  "many",
  "drag",
  "player",
  "refused",
  "server-failed",
  "folders",
  "problem",
  "teams",
  "limited",
  "broke",
  "rebuilt",
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

const QUEUES: Partial<Record<ScenarioName, () => UploadView[]>> = {
  busy,
  needs,
  offline,
  metered,
  many,
  drag: busy,
  player: busy,
  teams: busy,
  limited: busy,
  broke: busy,
  rebuilt: needs,
  refused: offline,
  folders: busy,
  "server-failed": offline,
};

const UPDATES: Partial<Record<ScenarioName, UpdateState>> = {
  teams: { kind: "ready", version: "0.2.0" },
  limited: { kind: "out", version: "0.2.0", packaged: true },
  offline: { kind: "failed", fault: "unreachable" },
  needs: { kind: "failed", fault: "not_genuine" },
  empty: { kind: "off" },
  metered: { kind: "downloading", version: "0.2.0", percent: 42 },
};

export function scenario(name: ScenarioName): Scenario {
  const here = name === "empty" || name === "server-failed";
  const connections: ConnectionView[] =
    name === "first-run"
      ? []
      : name === "refused"
        ? [{ kind: "refused", url: NORTH, code: "signed_out" }]
        : name === "teams"
          ? [
              connected(NORTH),
              connected(HERE),
              connected(KOLLEKTIV, { reachable: false }),
              { kind: "refused", url: "https://studio.example/", code: "signed_out" },
            ]
          : [connected(here ? HERE : NORTH)];
  return {
    uploads: QUEUES[name]?.() ?? [],
    connections,
    allowance:
      name === "metered"
        ? { kind: "metered" }
        : name === "limited"
          ? { kind: "limit", bytesPerSecond: 5e6 }
          : { kind: "full" },
    schedule: name === "teams" ? SCHEDULE : [],
    shell: {
      engine: name === "broke" ? "broke" : "works",
      server:
        name === "server-failed"
          ? { kind: "failed", message: "the server ended with code 101 three times in a minute" }
          : here || name === "teams"
            ? { kind: "running", url: HERE }
            : { kind: "off" },
      teams:
        name === "teams"
          ? [
              { url: NORTH, openedBy: "browser" },
              { url: KOLLEKTIV, openedBy: "kept_key" },
              { url: "https://studio.example/", openedBy: "browser" },
            ]
          : here || name === "first-run"
            ? []
            : [{ url: NORTH, openedBy: name === "needs" ? "key_in_memory" : "kept_key" }],
      preferences: { ...UNTOLD.preferences, notifySent: false },
      startsAtLogin: false,
      update: { version: "0.1.0", state: UPDATES[name] ?? { kind: "none", lookedAt: Date.now() } },
    },
    folders: name === "folders" ? someFolders(NORTH) : [],
    drag: name === "drag" ? { videos: 12, others: 5, names: ["A003.xml", "notes.txt", "slate.jpg"] } : null,
    rebuilt:
      name === "rebuilt"
        ? {
            kept: "/home/mia/.local/share/studio.dailies.app/dailies.damaged-1",
            uploads: 7,
            fromBackup: 2,
            someLost: true,
          }
        : null,
    problem:
      name === "problem"
        ? { code: "profile_in_use", message: "the profile is locked by process 4711" }
        : null,
  };
}
