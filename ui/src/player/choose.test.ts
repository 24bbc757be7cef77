import { describe, expect, it } from "vitest";
import type { Code } from "../bindings/Code";
import type { Phase } from "../bindings/Phase";
import type { PlaybackForm } from "../bindings/PlaybackForm";
import type { PlaybackView } from "../bindings/PlaybackView";
import { playbackOf } from "./choose";

const PHASES: readonly Phase[] = ["queued", "beginning", "uploading", "finishing", "processing", "ready"];

async function view(form: PlaybackForm): Promise<PlaybackView> {
  return { url: form, form, posterUrl: null, storyboardUrl: null, duration: null, expiresAt: null };
}

/** What plays in a phase: a form, or why nothing does. `refusal` is of the file on this computer. */
async function plays(phase: Phase, refusal?: Code): Promise<PlaybackForm | Code> {
  const host = {
    playback: async () => {
      if (phase === "ready") return view("stream");
      if (phase === "processing") return view("original");
      throw { code: "wrong_state", message: "" };
    },
    localPlayback: async () => {
      if (refusal) throw { code: refusal, message: "" };
      return view("local");
    },
  };
  return playbackOf(host, { id: "01", phase }).then(
    ({ form }) => form,
    ({ code }: { code: Code }) => code,
  );
}

describe("what of an upload is played", () => {
  it("is the file here until the team's version is ready", async () => {
    const forms = await Promise.all(PHASES.map((phase) => plays(phase)));
    expect(forms).toEqual(["local", "local", "local", "local", "local", "stream"]);
  });

  it.each(["source_missing", "source_changed", "source_unreadable"] as const)(
    "with a file that is gone (%s) is the team's original, once all of it is there",
    async (code) => {
      const forms = await Promise.all(PHASES.map((phase) => plays(phase, code)));
      expect(forms).toEqual([code, code, code, code, "original", "stream"]);
    },
  );

  it("is nothing where the engine has stopped", async () => {
    expect(await plays("processing", "stopped")).toBe("stopped");
  });
});
