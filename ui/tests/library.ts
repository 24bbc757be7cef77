import type { DownloadView } from "../src/bindings/DownloadView";
import type { PlaybackView } from "../src/bindings/PlaybackView";
import type { ProjectView } from "../src/bindings/ProjectView";
import type { ShareLinkView } from "../src/bindings/ShareLinkView";
import type { VideoView } from "../src/bindings/VideoView";
import { NOW } from "./uploads";

export function aProject(given: Partial<ProjectView> = {}): ProjectView {
  return {
    id: "p",
    name: "Rushes",
    path: "Spring / Rushes",
    depth: 1,
    team: "North Studio",
    mayShare: true,
    ...given,
  };
}

export function aVideo(given: Partial<VideoView> = {}): VideoView {
  return {
    id: "v",
    title: "reel",
    uploader: "Mia Lund",
    createdAt: NOW - 3_600_000,
    state: "ready",
    reason: null,
    size: 1_200_000_000,
    contentType: "video/mp4",
    duration: 84,
    version: 1,
    ...given,
  };
}

export function aLink(given: Partial<ShareLinkView> = {}): ShareLinkView {
  return {
    id: "l",
    createdAt: NOW - 3_600_000,
    createdBy: "Mia Lund",
    expiresAt: null,
    isExpired: false,
    allowDownload: false,
    hasPassword: false,
    views: 0,
    ...given,
  };
}

export function aDownload(given: Partial<DownloadView> = {}): DownloadView {
  return {
    id: 1,
    videoId: "v",
    title: "reel",
    state: { kind: "downloading" },
    arrivedBytes: 300_000_000,
    totalBytes: 1_200_000_000,
    bytesPerSecond: 60_000_000,
    secondsLeft: 900,
    ...given,
  };
}

export function aSession(given: Partial<PlaybackView> = {}): PlaybackView {
  return {
    url: "https://m.example/v.m3u8",
    form: "stream",
    posterUrl: null,
    storyboardUrl: null,
    duration: 1,
    expiresAt: null,
    ...given,
  };
}
