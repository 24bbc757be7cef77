// What both pages play with: the stage, its words, a session that is renewed before it ends.

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

export const element = (id) => document.getElementById(id);
const [stage, video, headline, detail, again] =
  ["stage", "video", "headline", "detail", "again"].map(element);
const opened = Date.now();

/** Of the page: `ask` answers a session or null, `absent` says why there is none. */
let ask = null;
let absent = null;

let hls = null;
let session = null;
/** Plays the original until there is a session. */
let original = false;
let timer = 0;
let refusals = 0;
let stalled = false;

/** Calls a function of the team API; throws where the server cannot be reached, or refuses. */
export async function call(kind, path, args) {
  const answer = await fetch(`/api/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ path, args, format: "json" }),
    signal: AbortSignal.timeout(TIMEOUT),
    cache: "no-store",
  });
  const body = await answer.json();
  if (body.status !== "success") throw new Error(body.errorData?.code ?? "the server refused");
  if (typeof body.value?.expiresAt === "number") {
    // The end is told by the server's clock; this computer's may be wrong by hours.
    const now = Date.parse(answer.headers.get("date") ?? "") || Date.now();
    body.value.life = body.value.expiresAt - now;
    body.value.since = Date.now();
  }
  return body.value;
}

/** Plays what `ask` answers, now and whenever it has something. */
export function start(page) {
  ({ ask, absent } = page);
  return open();
}

export async function open() {
  try {
    const found = await ask();
    if (found?.url) await play(found);
    else await absent();
  } catch {
    unreachable();
  }
}

/** Says something in the player's place. */
export function say(state, words, more) {
  stage.dataset.state = state;
  stage.setAttribute("aria-busy", String(state === "loading" || state === "waiting"));
  element("message").hidden = false;
  again.hidden = true;
  // A live region is read aloud whenever it is written, so only when it says something new.
  if (headline.textContent !== words) headline.textContent = words;
  if (detail.textContent !== more) detail.textContent = more;
}

/** What is read below the player; what is not said stays. */
export function describe({ title, description, duration }) {
  if (title !== undefined) {
    document.title = title ? `${title} · Dailies` : "Dailies";
    // A page always has a heading; one without a name is for those who do not see the page.
    element("title").textContent = title || element("title").dataset.unnamed;
    element("title").classList.toggle("unnamed", !title);
  }
  if (description !== undefined) element("description").textContent = description;
  if (duration !== undefined) element("duration").textContent = inWords(duration);
}

export function lookAgain() {
  later(Date.now() - opened < PATIENT_AFTER ? LOOK_AGAIN : LOOK_AGAIN_LATER, open);
}

/** Plays a file as it is, until `ask` has something better. */
export function playOriginal(url) {
  original = true;
  video.src = url;
  show();
}

export const playsOriginal = () => original;

/** Ends playing, and looking. */
export function stop() {
  clearTimeout(timer);
  hls?.destroy();
  hls = null;
  session = null;
  original = false;
  stalled = false;
  video.removeAttribute("src");
  video.load();
  video.hidden = true;
}

function later(milliseconds, work) {
  clearTimeout(timer);
  timer = setTimeout(work, Math.min(milliseconds, LONGEST_TIMER));
}

/** The player's script comes last: nothing that is read waits for it. */
async function playerScript() {
  const script = element("hls");
  if (window.Hls || script.dataset.failed !== undefined) return;
  await new Promise((resolve) => {
    script.addEventListener("load", resolve, { once: true });
    script.addEventListener("error", () => { script.dataset.failed = ""; resolve(); }, { once: true });
    // It may have come between the question and the listeners.
    if (window.Hls) resolve();
    setTimeout(resolve, TIMEOUT);
  });
}

async function play(found) {
  await playerScript();
  // What is watched goes on where it was.
  const { currentTime, paused } = video;
  const goesOn = original && currentTime > 0;
  original = false;
  session = found;
  describe(found);
  if (found.posterUrl) video.poster = found.posterUrl;
  // With Media Source the session can be renewed without a break, so it goes first.
  if (window.Hls?.isSupported()) {
    playByScript(goesOn ? currentTime : -1);
    if (goesOn && !paused) video.play().catch(() => {});
  } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
    if (goesOn) resumeNatively(found);
    else video.src = found.url;
  } else {
    session = null;
    return say("failed", "This browser cannot play the video",
      "Try a current version of Chrome, Edge, Firefox or Safari.");
  }
  show();
  renewInTime();
}

function show() {
  stage.dataset.state = "playing";
  stage.setAttribute("aria-busy", "false");
  element("message").hidden = true;
  video.hidden = false;
}

function playByScript(position) {
  hls = new window.Hls({
    // Without a worker the page's policy need not allow scripts from blobs.
    enableWorker: false,
    startPosition: position,
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
  later(Math.max((session.life ?? 60_000) * RENEW_AT, SHORTEST_RENEWAL), renew);
}

async function renew() {
  try {
    const found = await ask();
    if (!found?.url) {
      stop();
      return await absent();
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

function unreachable() {
  if (!original) say("waiting", "The server cannot be reached", "This page tries again by itself.");
  later(LOOK_AGAIN, open);
}

function broken() {
  stop();
  say("failed", "The video stopped playing", "Check your connection, then try again.");
  again.hidden = false;
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
  if (original) {
    // No browser plays every original; what comes of it will be.
    stop();
    video.dataset.unplayable = "";
    open();
  } else if (!hls && session && refusals++ < 10) renew();
  else if (!hls && session) broken();
});
// Timers stand still while a computer sleeps; a session may have ended meanwhile.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && session && Date.now() - session.since > session.life * RENEW_AT) renew();
});
