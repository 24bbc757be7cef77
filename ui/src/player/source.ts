import type HlsPlayer from "hls.js";
import type { PlaybackView } from "../bindings/PlaybackView";
import { withSignatureOf } from "./address";
import type { PlaybackSession } from "./session";
import { endStandstills } from "./standstill";

export type SourceProblem = "codec" | "network";

export interface Quality {
  index: number;
  height: number;
}

/** A video element that has been given a session's stream. */
export interface Source {
  /** When it may be told to play. */
  ready: Promise<void>;
  /** The session has a new signature. */
  renewed(url: string): void;
  choose(quality: number): void;
  stop(): void;
}

export interface SourceEvents {
  onqualities(qualities: Quality[]): void;
  onproblem(problem: SourceProblem): void;
  /** It was asked for anew and is not to be had. */
  onrefused(error: unknown): void;
}

const NATIVE = "application/vnd.apple.mpegurl";
/** Refused twice within this: a new session does not help either. */
const AGAIN = 10_000;

export async function attach(
  video: HTMLVideoElement,
  session: PlaybackSession,
  { url, form }: PlaybackView,
  events: SourceEvents,
): Promise<Source> {
  if (form !== "stream") return attachOriginal(video, session, url, events);
  const { Hls, workerUrl } = await import("./hls");
  if (Hls.isSupported()) return attachHls(Hls, workerUrl, video, session, url, events);
  if (video.canPlayType(NATIVE) !== "") return attachNative(video, url, events);
  events.onproblem("codec");
  return { ready: Promise.resolve(), renewed: ignore, choose: ignore, stop: ignore };
}

function ignore(): void {
  // Nothing to do.
}

function attachHls(
  Hls: typeof HlsPlayer,
  workerUrl: string,
  video: HTMLVideoElement,
  session: PlaybackSession,
  url: string,
  events: SourceEvents,
): Source {
  let mended = false;
  let refusedAt = -Infinity;
  const hls = new Hls({
    workerPath: workerUrl,
    maxBufferLength: 30,
    backBufferLength: 60,
    xhrSetup: (xhr, address) => {
      xhr.open("GET", withCurrentSignature(address), true);
    },
  });

  function withCurrentSignature(address: string): string {
    return session.view ? withSignatureOf(address, session.view.url) : address;
  }

  function reload(fresh: string): void {
    const { currentTime } = video;
    hls.stopLoad();
    hls.loadSource(fresh);
    hls.startLoad(currentTime);
  }

  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    events.onqualities(
      levels.map(({ height }, index) => ({ index, height })).filter(({ height }) => height > 0),
    );
  });
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    const status = data.response?.code;
    if (status === 401 || status === 403) {
      if (performance.now() - refusedAt < AGAIN) {
        events.onproblem("network");
        return;
      }
      refusedAt = performance.now();
      session.renew().then(
        (view) => {
          reload(view.url);
        },
        () => {
          events.onproblem("network");
        },
      );
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR && !mended) {
      mended = true;
      hls.recoverMediaError();
    } else {
      events.onproblem(data.type === Hls.ErrorTypes.MEDIA_ERROR ? "codec" : "network");
    }
  });
  hls.loadSource(url);
  hls.attachMedia(video);

  return {
    ready: Promise.resolve(),
    // Requests take the signature as they are made, so what plays is not disturbed.
    renewed: ignore,
    choose: (quality) => {
      hls.nextLevel = quality;
    },
    stop: () => {
      hls.destroy();
    },
  };
}

/** The same place of another source. */
function goOn(video: HTMLVideoElement, url: string): void {
  const { currentTime, paused, playbackRate } = video;
  video.src = url;
  video.addEventListener(
    "loadedmetadata",
    () => {
      video.currentTime = currentTime;
      video.playbackRate = playbackRate;
      if (!paused) void video.play().catch(ignore);
    },
    { once: true },
  );
}

/** For webviews that play HLS themselves: a new signature means a new source at the same place. */
function attachNative(video: HTMLVideoElement, url: string, events: SourceEvents): Source {
  return attachFile(video, url, () => {
    events.onproblem(video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED ? "codec" : "network");
  });
}

/**
 * The file itself, at the team or here. Its address ends while it plays, or what it leads to, which is noticed
 * only when more of it is asked for: a webview does not tell that from a file that it cannot play, so what has
 * played once is asked for anew.
 */
function attachOriginal(
  video: HTMLVideoElement,
  session: PlaybackSession,
  url: string,
  events: SourceEvents,
): Source {
  let failedAt = -Infinity;
  return attachFile(video, url, () => {
    const played = video.currentTime > 0 || video.played.length > 0;
    if (!played || performance.now() - failedAt < AGAIN) {
      events.onproblem(played || video.error?.code === MediaError.MEDIA_ERR_NETWORK ? "network" : "codec");
      return;
    }
    failedAt = performance.now();
    session.renew().catch(events.onrefused);
  });
}

function attachFile(video: HTMLVideoElement, url: string, onerror: () => void): Source {
  const ready = new Promise<void>((known) => {
    video.addEventListener(
      "loadedmetadata",
      () => {
        known();
      },
      { once: true },
    );
  });
  video.addEventListener("error", onerror);
  // What is told to play before it is known how long it is, WebKitGTK copies to /var/tmp, whole and at once,
  // and sometimes it waits for the end of that forever.
  video.preload = "metadata";
  video.src = url;
  const forget = endStandstills(video);
  return {
    ready,
    renewed: (fresh) => {
      goOn(video, fresh);
    },
    choose: ignore,
    stop: () => {
      forget();
      video.removeEventListener("error", onerror);
      video.removeAttribute("src");
      video.load();
    },
  };
}
