import type { EndedView } from "../src/bindings/EndedView";
import type { ProgressView } from "../src/bindings/ProgressView";
import type { UploadView } from "../src/bindings/UploadView";
import { RUSHES, TEAM } from "./team";

/** 20 November 2026, 15:00, where the tests run. */
export const NOW = new Date(2026, 10, 20, 15).getTime();

type Given = Omit<Partial<UploadView>, "progress"> & { progress?: Partial<ProgressView> };

export function anUpload({ progress, ...given }: Given = {}): UploadView {
  return {
    id: "01",
    title: "reel.mov",
    server: TEAM,
    path: "/footage/reel.mov",
    destination: RUSHES,
    phase: "queued",
    hold: { kind: "none" },
    active: false,
    place: 0,
    first: false,
    progress: {
      totalBytes: 1000,
      confirmedBytes: 0,
      inFlightBytes: 0,
      bytesPerSecond: 0,
      secondsLeft: null,
      ...progress,
    },
    addedAt: NOW - 3_600_000,
    uploadedAt: null,
    videoId: null,
    duration: null,
    reason: null,
    ...given,
  };
}

export function anEnded(given: Partial<EndedView> = {}): EndedView {
  return {
    uploadId: "01",
    title: "reel.mov",
    path: "/footage/reel.mov",
    server: TEAM,
    destination: RUSHES,
    size: 1000,
    ending: { kind: "uploaded" },
    addedAt: NOW,
    endedAt: NOW,
    listed: false,
    receipt: null,
    ...given,
  };
}
