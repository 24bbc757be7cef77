// The watch page: asks the team API for a playback session, plays it, renews it before it ends.
"use strict";

(() => {
  /** How often to look again for a video that is not there (yet): quick at first, then patient. */
  const LOOK_AGAIN = 2_000;
  const LOOK_AGAIN_LATER = 10_000;
  const PATIENT_AFTER = 5 * 60_000;
  /** A session is renewed when this part of its life is over. */
  const RENEW_AT = 0.75;
  const SHORTEST_RENEWAL = 5_000;
  /** Longest wait for an answer. */
  const TIMEOUT = 15_000;
  /** setTimeout counts in 32 bits. */
  const LONGEST_TIMER = 2 ** 31 - 1;

  const element = (id) => document.getElementById(id);
  const [stage, video, headline, detail, again] =
    ["stage", "video", "headline", "detail", "again"].map(element);
  const publicId = decodeURIComponent(location.pathname.split("/").pop());
  const opened = Date.now();

  let hls = null;
  let session = null;
  let timer = 0;
  let refusals = 0;
  let stalled = false;

  const later = (milliseconds, work) => {
    clearTimeout(timer);
    timer = setTimeout(work, Math.min(milliseconds, LONGEST_TIMER));
  };

  /** Null: not public, or not ready. Throws where the server cannot be reached. */
  async function askForSession() {
    const answer = await fetch("/api/action", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        path: "videoActions:getPublicPlaybackSession",
        args: { publicId },
        format: "json",
      }),
      signal: AbortSignal.timeout(TIMEOUT),
      cache: "no-store",
    });
    const body = await answer.json();
    if (body.status !== "success") throw new Error("the server refused");
    if (!body.value?.url) return null;
    // The end is told by the server's clock; this computer's may be wrong by hours.
    const now = Date.parse(answer.headers.get("date") ?? "") || Date.now();
    return { ...body.value, life: (body.value.expiresAt ?? now + 60_000) - now, since: Date.now() };
  }

  async function open() {
    try {
      const found = await askForSession();
      if (found) play(found);
      else notHere();
    } catch {
      unreachable(open);
    }
  }

  function play(found) {
    session = found;
    document.title = found.title ? `${found.title} · Dailies` : "Dailies";
    element("title").textContent = found.title ?? "";
    element("duration").textContent = inWords(found.duration);
    if (found.posterUrl) video.poster = found.posterUrl;
    // With Media Source the session can be renewed without a break, so it goes first.
    if (window.Hls?.isSupported()) playByScript();
    else if (video.canPlayType("application/vnd.apple.mpegurl")) video.src = found.url;
    else {
      return say("failed", "This browser cannot play the video",
        "Try a current version of Chrome, Edge, Firefox or Safari.");
    }
    stage.dataset.state = "playing";
    stage.setAttribute("aria-busy", "false");
    element("message").hidden = true;
    video.hidden = false;
    renewInTime();
  }

  function playByScript() {
    hls = new window.Hls({
      // Without a worker the page's policy need not allow scripts from blobs.
      enableWorker: false,
      xhrSetup: (request, address) => request.open("GET", withToken(address), true),
    });
    hls.on(window.Hls.Events.ERROR, (_event, error) => {
      if (!error.fatal) return;
      if (error.type === window.Hls.ErrorTypes.MEDIA_ERROR && refusals++ < 3) {
        hls.recoverMediaError();
      } else if (error.type === window.Hls.ErrorTypes.NETWORK_ERROR && refusals++ < 10) {
        stalled = true;
        renew();
      } else {
        broken();
      }
    });
    hls.on(window.Hls.Events.FRAG_BUFFERED, () => { refusals = 0; });
    hls.loadSource(session.url);
    hls.attachMedia(video);
  }

  /** Addresses in a playlist carry the token it was fetched with; the current one takes its place. */
  function withToken(address) {
    const asked = new URL(address, location.href);
    const current = new URL(session.url, location.href);
    const token = current.searchParams.get("token");
    if (token && asked.origin === current.origin && asked.searchParams.has("token")) {
      asked.searchParams.set("token", token);
    }
    return asked.href;
  }

  function renewInTime() {
    later(Math.max(session.life * RENEW_AT, SHORTEST_RENEWAL), renew);
  }

  async function renew() {
    try {
      const found = await askForSession();
      if (!found) {
        stop();
        return notHere();
      }
      session = found;
      if (!hls) resumeNatively(found);
      else if (stalled) resumeByScript(found);
      renewInTime();
    } catch {
      // What is buffered plays on; there is still a quarter of the session's life.
      later(LOOK_AGAIN, renew);
    }
  }

  function resumeByScript(found) {
    stalled = false;
    if (hls.levels.length > 0) hls.startLoad();
    else hls.loadSource(found.url);
  }

  function resumeNatively(found) {
    const { currentTime, paused, playbackRate } = video;
    video.src = found.url;
    video.addEventListener("loadedmetadata", () => {
      video.currentTime = currentTime;
      video.playbackRate = playbackRate;
      if (!paused) video.play().catch(() => {});
    }, { once: true });
  }

  function stop() {
    hls?.destroy();
    hls = null;
    session = null;
    stalled = false;
    video.removeAttribute("src");
    video.hidden = true;
  }

  function notHere() {
    say("waiting", "This video is not ready to watch",
      "It may still be processing, or it is not shared any more. This page looks again by itself.");
    later(Date.now() - opened < PATIENT_AFTER ? LOOK_AGAIN : LOOK_AGAIN_LATER, open);
  }

  function unreachable(work) {
    say("waiting", "The server cannot be reached", "This page tries again by itself.");
    later(LOOK_AGAIN, work);
  }

  function broken() {
    clearTimeout(timer);
    stop();
    say("failed", "The video stopped playing", "Check your connection, then try again.");
    again.hidden = false;
  }

  function say(state, words, more) {
    stage.dataset.state = state;
    stage.setAttribute("aria-busy", String(state !== "failed"));
    element("message").hidden = false;
    again.hidden = true;
    // A live region is read aloud whenever it is written, so only when it says something new.
    if (headline.textContent !== words) headline.textContent = words;
    if (detail.textContent !== more) detail.textContent = more;
  }

  /** 3661 → "1:01:01" */
  function inWords(seconds) {
    if (!(seconds > 0)) return "";
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }

  again.addEventListener("click", () => {
    refusals = 0;
    say("loading", "Opening the video…", "");
    open();
  });
  video.addEventListener("error", () => {
    if (!hls && session && refusals++ < 10) renew();
    else if (!hls && session) broken();
  });
  // Timers stand still while a computer sleeps; a session may have ended meanwhile.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && session && Date.now() - session.since > session.life * RENEW_AT) renew();
  });
  open();
})();
