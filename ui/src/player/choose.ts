import type { Code } from "../bindings/Code";
import type { PlaybackView } from "../bindings/PlaybackView";
import type { UploadView } from "../bindings/UploadView";
import { asEngineError, type Host } from "../host/host";

/** The file is not on this computer any more as it was. */
const GONE: ReadonlySet<Code> = new Set(["source_missing", "source_changed", "source_unreadable"]);

/**
 * What of an upload is played as it stands now: what its team has made of it; until then the file on this
 * computer; and if that is gone, the original at the team, once all of it is there.
 */
export async function playbackOf(
  host: Pick<Host, "playback" | "localPlayback">,
  { id, phase }: Pick<UploadView, "id" | "phase">,
): Promise<PlaybackView> {
  if (phase === "ready") return host.playback(id);
  try {
    return await host.localPlayback(id);
  } catch (error) {
    if (phase !== "processing" || !GONE.has(asEngineError(error).code)) throw error;
    return host.playback(id);
  }
}
