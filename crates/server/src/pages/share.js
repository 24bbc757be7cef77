// The share page: asks for the link's password if it has one, and plays what the link opens.
import {
  call, describe, element, lookAgain, open, playOriginal, playsOriginal, say, start, stop,
} from "./player.js";

const token = decodeURIComponent(location.pathname.split("/").pop());
/** This tab's own: a reload asks for no password, another visitor of this browser is asked. */
const KEPT = `grant ${token}`;
/** How often to ask whether the link still holds, while something plays. */
const STILL_SHARED = 30_000;

const [gate, password, problem, enter, download, note] =
  ["gate", "password", "problem", "enter", "download", "note"].map(element);
let grantToken = sessionStorage.getItem(KEPT);
let downloadable = false;

/** What the grant opens, or null. */
const shared = () => call("query", "videos:getByShareGrant", { grantToken });

async function ask() {
  if (!grantToken) return null;
  const session = await call("action", "videoActions:getSharedPlaybackSession", { grantToken });
  if (session) show(await shared());
  return session;
}

/** No session: because there is no grant, none any more, or nothing to play yet. */
async function absent() {
  const found = grantToken ? await shared() : null;
  if (!found) return knock();
  show(found);
  const { video } = found;
  if (video.status === "uploading") {
    say("waiting", "This video is still being uploaded", "It plays here as soon as it can be played.");
  } else if (video.status === "failed") {
    stop();
    return say("failed", "This video could not be prepared",
      found.allowDownload ? "You can still download the original."
        : "Whoever shared it has to look after it.");
  } else if (!playsOriginal()) {
    await playUnprepared(video);
  }
  lookAgain();
}

/** The original, where this browser can play it, while there is nothing else. */
async function playUnprepared(video) {
  const playable = element("video").dataset.unplayable === undefined
    && element("video").canPlayType(video.contentType ?? "");
  if (playable) {
    const args = { videoId: video._id, grantToken };
    playOriginal((await call("action", "videoActions:getOriginalPlaybackUrl", args)).url);
    note.textContent = "This is the original. Other qualities are being prepared.";
  } else {
    say("waiting", "This video is being prepared", "It plays here as soon as it can be played.");
  }
}

/** Finds out how the link opens, and opens it if it asks for nothing. */
async function knock() {
  forget();
  const { status } = await call("query", "shareLinks:getByToken", { token });
  if (status === "ok") return enterWith({});
  if (status === "requiresPassword") return showGate();
  stop();
  if (status === "expired") {
    say("closed", "This link has expired", "Ask whoever sent it to you for a new one.");
  } else {
    say("closed", "This link does not open anything",
      "It may have been taken back, or a part of it is missing. Ask whoever sent it to you.");
  }
}

async function enterWith(args) {
  const issued = await call("mutation", "shareLinks:issueAccessGrant", { token, ...args });
  if (issued.ok) {
    grantToken = issued.grantToken;
    sessionStorage.setItem(KEPT, grantToken);
    gate.hidden = true;
    problem.textContent = "";
    password.value = "";
    say("loading", "Opening the video…", "");
    return open();
  }
  if (issued.reason === "wrongPassword") refuse("This password is not right. Try again.");
  else if (issued.reason === "locked") refuse(`Too many wrong passwords. Try again ${inWords(issued.retryAfter)}.`);
  else if (issued.reason === "busy") refuse("Too many people are asking right now. Try again in a moment.");
  // Gone since it was looked at.
  else if (args.password !== undefined) await knock();
  else say("closed", "This link does not open anything", "Ask whoever sent it to you for a new one.");
}

function showGate() {
  stop();
  say("gate", "This video has a password", "Whoever sent you the link knows it.");
  gate.hidden = false;
  password.focus();
}

function refuse(words) {
  // Emptied first, so that the same words are read aloud again.
  problem.textContent = "";
  problem.textContent = words;
  password.setAttribute("aria-invalid", "true");
  password.select();
}

function show(found) {
  if (!found) return;
  describe({ description: "", ...found.video });
  if (found.video.status === "ready") note.textContent = "";
  downloadable = found.allowDownload && found.video.status !== "uploading";
  download.hidden = !downloadable;
  if (found.video.fileSize) element("size").textContent = inBytes(found.video.fileSize);
}

function forget() {
  grantToken = null;
  sessionStorage.removeItem(KEPT);
  download.hidden = true;
  note.textContent = "";
  describe({ title: "", description: "", duration: 0 });
}

/** Milliseconds → "in 15 minutes" */
function inWords(milliseconds) {
  const minutes = Math.ceil((milliseconds ?? 0) / 60_000);
  return minutes > 1 ? `in ${minutes} minutes` : "in a minute";
}

/** 1500000 → "1.5 MB" */
function inBytes(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

gate.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!password.value || enter.disabled) return;
  enter.disabled = true;
  password.removeAttribute("aria-invalid");
  try {
    await enterWith({ password: password.value });
  } catch {
    refuse("The server cannot be reached. Try again.");
  } finally {
    enter.disabled = false;
  }
});

download.addEventListener("click", async () => {
  try {
    const { url } = await call("action", "videoActions:getSharedDownloadUrl", { grantToken });
    note.textContent = "";
    location.assign(url);
  } catch {
    note.textContent = "The download did not start. The link may have been changed; try again.";
    setTimeout(stillShared);
  }
});

/** A link that is taken back ends what plays, also before the session does. */
async function stillShared() {
  if (!grantToken || document.hidden) return;
  try {
    const found = await shared();
    if (found) return show(found);
    stop();
    await knock();
  } catch {
    // Not reachable is not revoked.
  }
}

setInterval(stillShared, STILL_SHARED);
document.addEventListener("visibilitychange", stillShared);
start({ ask, absent });
