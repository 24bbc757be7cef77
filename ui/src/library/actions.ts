import type { ProjectView } from "../bindings/ProjectView";
import type { VideoView } from "../bindings/VideoView";
import type { PlainKey } from "../words/words";

/** What can be done with a video of the team's, in the order of its menu. */
const ACTIONS = ["play", "share", "download"] as const;
export type VideoAction = (typeof ACTIONS)[number];

export const VIDEO_ACTION_WORDS: Record<VideoAction, PlainKey> = {
  play: "do.play",
  share: "do.share",
  download: "do.download",
};

export function videoActions({ state }: VideoView, project: ProjectView | null): VideoAction[] {
  const allowed: Record<VideoAction, boolean> = {
    // The original plays until there is something else.
    play: state !== "uploading",
    share: project?.mayShare === true,
    // What failed may be no video at all.
    download: state === "processing" || state === "ready",
  };
  return ACTIONS.filter((action) => allowed[action]);
}
