import type { DragView } from "../bindings/DragView";
import type { EngineError } from "../bindings/EngineError";
import type { FolderView } from "../bindings/FolderView";
import type { OpenedBy } from "../bindings/OpenedBy";
import type { PlaybackView } from "../bindings/PlaybackView";
import type { RulesView } from "../bindings/RulesView";
import type { ShellView } from "../bindings/ShellView";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";
import {
  connected,
  HERE,
  scenario,
  SCENARIOS,
  type ScenarioName,
  TARGETS,
  upload,
} from "./browser/scenarios";
import { folder, previewOf } from "./browser/folders";
import { browserLibrary } from "./browser/library";
import { historyOf, partsOf, Past, receiptOfUpload } from "./browser/past";
import { Simulation, urlOf } from "./browser/simulation";
import harbour from "./browser/posters/harbour.svg?url";
import interview from "./browser/posters/interview.svg?url";
import sunset from "./browser/posters/sunset.svg?url";
import type { Host } from "./host";

const POSTERS = [interview, sunset, harbour];
const SESSION_LIVES = 10 * 60_000;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function refusal(code: EngineError["code"], message: string): EngineError {
  return { code, message };
}

/**
 * The same interface without a shell, for a plain browser: a scripted queue by `?scenario=`, a session on
 * `?video=`. Never part of the product.
 */
export function browserHost(query: URLSearchParams): Host {
  const wanted = query.get("scenario") ?? "busy";
  const name: ScenarioName = SCENARIOS.find((one) => one === wanted) ?? "busy";
  const {
    uploads,
    connections,
    allowance,
    schedule,
    shell: firstShell,
    drag,
    problem,
    rebuilt,
    folders: kept,
  } = scenario(name);
  const simulation = new Simulation(uploads, connections, allowance);
  const past = new Past(name === "empty" || name === "first-run" ? 0 : name === "many" ? 100_000 : 340);
  const shellListeners = new Set<(shell: ShellView) => void>();
  let shell = firstShell;
  let additions = 0;
  let endSignIn: (done: boolean) => void = () => undefined;
  let folders = kept;
  let rules: RulesView = {
    limit: allowance.kind === "limit" ? allowance.bytesPerSecond : null,
    schedule,
    uploads: 3,
    pauseOnMetered: true,
    pauseOnBattery: false,
    keepAwake: true,
  };
  simulation.run();

  function setShell(next: ShellView): void {
    shell = next;
    for (const listener of shellListeners) listener(next);
  }

  function signedIn(url: string, openedBy: OpenedBy): void {
    const address = new URL(url).href;
    const others = shell.teams.filter((team) => team.url !== address);
    setShell({ ...shell, teams: [...others, { url: address, openedBy }] });
    simulation.connect(connected(address));
  }

  function setFolders(next: FolderView[]): void {
    folders = next;
    simulation.tellFolders();
  }

  function known(id: UploadId): UploadView {
    const upload = simulation.get(id);
    if (!upload) throw refusal("not_found", "no such upload");
    return upload;
  }

  /** A disk that is slow, or full, by `?order=`. */
  async function refuseOrder(): Promise<void> {
    const how = query.get("order");
    if (how !== null) await pause(600);
    if (how === "refused") throw refusal("local_storage", "the disk is full");
  }

  function session(posterUrl: string | null, duration: number | null): PlaybackView {
    const url = new URL(query.get("video") ?? "/fixture/index.m3u8", location.href);
    url.searchParams.set("token", String(Date.now()));
    return {
      url: url.href,
      form: "stream",
      posterUrl,
      storyboardUrl: new URL(`storyboard.json${url.search}`, url).href,
      duration,
      expiresAt: Date.now() + Number(query.get("lives") ?? SESSION_LIVES),
    };
  }

  return {
    ...browserLibrary(query, (poster) => session(poster, null), POSTERS),
    everything: async () => {
      if (problem) throw problem;
      return { ...simulation.everything(), rebuilt };
    },
    subscribe: async (onChange) => simulation.subscribe(onChange),
    shell: async () => shell,
    onShell: async (onShell) => {
      shellListeners.add(onShell);
      return () => shellListeners.delete(onShell);
    },
    pasteFiles: async () => {
      simulation.add([upload(`pasted_${String(++additions)}.mp4`, 2.1e9)]);
    },
    chooseFiles: async () => {
      const added = upload(`picked_${String(++additions)}.mp4`, 6.4e9);
      simulation.add([added]);
      return {
        uploads: [added],
        already: 0,
        beside: 0,
        refused: [{ path: "/Volumes/Footage/notes.txt", code: "unsupported_type" }],
      };
    },
    onAdded: async () => () => undefined,
    onDrag: async (onDrag: (view: DragView | null) => void) => {
      onDrag(drag);
      return () => undefined;
    },
    pause: async (ids) => {
      simulation.update(ids, ({ progress }) => ({
        hold: { kind: "paused" },
        active: false,
        progress: { ...progress, inFlightBytes: 0, bytesPerSecond: 0, secondsLeft: null },
      }));
    },
    resume: async (ids) => {
      simulation.update(ids, () => ({ hold: { kind: "none" } }));
    },
    retry: async (ids) => {
      simulation.update(ids, () => ({ hold: { kind: "none" }, reason: null }));
    },
    sendAnyway: async (ids) => {
      simulation.update(ids, () => ({ hold: { kind: "none" }, reason: null }));
    },
    cancel: async (ids) => {
      simulation.update(ids, () => ({ hold: { kind: "cancelled" }, active: false, addedAt: Date.now() }));
    },
    remove: async (ids) => {
      simulation.remove(ids);
    },
    put: async (ids, spot) => {
      await refuseOrder();
      const before = spot === "front" || spot === "end" ? null : known(spot.before);
      if (before && (before.phase === "ready" || before.hold.kind === "cancelled")) {
        throw refusal("wrong_state", "what they are to stand before has ended");
      }
      simulation.put(ids, spot);
    },
    setFirst: async (ids, first) => {
      await refuseOrder();
      simulation.setFirst(ids, first);
    },
    pauseAll: async () => {
      const open = simulation
        .all()
        .filter(({ phase, hold }) => hold.kind === "none" && /queued|uploading/.test(phase));
      simulation.update(
        open.map(({ id }) => id),
        ({ progress }) => ({
          hold: { kind: "paused" },
          active: false,
          progress: { ...progress, bytesPerSecond: 0, inFlightBytes: 0 },
        }),
      );
    },
    resumeAll: async () => {
      const paused = simulation.all().filter(({ hold }) => hold.kind === "paused");
      simulation.update(
        paused.map(({ id }) => id),
        () => ({ hold: { kind: "none" } }),
      );
    },
    sendHere: async () => {
      simulation.allow({ kind: "full" });
    },
    rules: async () => rules,
    turn: async (what, on) => {
      const names = {
        pause_on_metered: "pauseOnMetered",
        pause_on_battery: "pauseOnBattery",
        keep_awake: "keepAwake",
      } as const;
      rules = { ...rules, [names[what]]: on };
    },
    setLimit: async (limit) => {
      rules = { ...rules, limit };
      simulation.allow(limit === null ? { kind: "full" } : { kind: "limit", bytesPerSecond: limit });
    },
    setSchedule: async (wanted) => {
      rules = { ...rules, schedule: wanted };
    },
    setUploads: async (wanted) => {
      rules = { ...rules, uploads: wanted };
    },
    folders: async () => folders,
    chooseFolder: async () => ({ path: "/media/mia/CARD_A004/DCIM", id: null }),
    addFolder: async (projectId, wanted) => {
      const destination = TARGETS.find((target) => target.projectId === projectId);
      const now = simulation.connection;
      const added = folder("/media/mia/CARD_A004/DCIM", now.kind === "none" ? "" : now.url, wanted);
      setFolders([...folders, { ...added, destination: destination ?? added.destination }]);
      return added;
    },
    changeFolder: async (id, projectId, wanted) => {
      const before = folders.find((one) => one.id === id);
      if (!before) throw refusal("not_found", "no such folder");
      const destination = TARGETS.find((target) => target.projectId === projectId) ?? before.destination;
      const changed = { ...before, destination, rules: wanted };
      setFolders(folders.map((one) => (one.id === id ? changed : one)));
      return changed;
    },
    removeFolder: async (id) => {
      setFolders(folders.filter((one) => one.id !== id));
    },
    preview: async (id, wanted) => {
      await pause(250);
      return previewOf(wanted, id);
    },
    ruleFaults: async (patterns, title) => ({
      patterns: patterns.filter((pattern) => /\[[^\]]*$/.test(pattern)),
      title: !/\{(name|date|folder)\}/.test(title),
    }),
    useThisComputer: async () => {
      setShell({ ...shell, server: { kind: "starting" } });
      await pause(900);
      setShell({ ...shell, server: { kind: "running", url: HERE } });
      simulation.connect(connected(HERE));
    },
    connect: async (url, apiKey) => {
      await pause(500);
      if (apiKey.length < 8) throw refusal("signed_out", "the key is not known");
      signedIn(url, "key_in_memory");
    },
    signIn: async (url) => {
      if (url.includes("127.0.0.1")) throw refusal("refused", "it offers no sign-in by browser");
      const done = await new Promise<boolean>((resolve) => {
        endSignIn = resolve;
        setTimeout(resolve, 60_000, true);
      });
      if (done) signedIn(url, "browser");
      return done;
    },
    cancelSignIn: async () => {
      endSignIn(false);
    },
    copySignInPage: async () => undefined,
    forget: async (url) => {
      setShell({ ...shell, teams: shell.teams.filter((team) => team.url !== url) });
      simulation.setConnections(simulation.connections.filter((one) => urlOf(one) !== url));
    },
    chooseTeam: async (url) => {
      const wanted = simulation.connections.find((one) => urlOf(one) === url);
      if (!wanted) throw refusal("not_connected", "no such connection");
      simulation.setConnections(simulation.connections, wanted);
    },
    turnOffServer: async () => {
      setShell({ ...shell, server: { kind: "off" } });
      simulation.setConnections(simulation.connections.filter((one) => urlOf(one) !== HERE));
    },
    serverFolder: async () => ({
      path: "/home/mia/.local/share/dev.dailies.desktop/server",
      bytes: shell.server.kind === "off" ? 0 : 48.3e9,
    }),
    prefer: async (preference) => {
      setShell({ ...shell, preferences: { ...shell.preferences, ...preference } });
    },
    startAtLogin: async (on) => {
      setShell({ ...shell, startsAtLogin: on });
    },
    openFolder: async () => undefined,
    copyDiagnosis: async () => undefined,
    opening: async () => null,
    onOpening: async () => () => undefined,
    restart: async () => {
      location.reload();
    },
    quit: async () => {
      window.close();
    },
    lookForUpdate: async () => {
      const { update } = shell;
      setShell({ ...shell, update: { ...update, state: { kind: "looking" } } });
      await pause(900);
      setShell({ ...shell, update: { ...update, state: { kind: "none", lookedAt: Date.now() } } });
    },
    installUpdate: async (interrupt) => {
      if (!interrupt && simulation.all().some(({ active }) => active)) return false;
      location.reload();
      return true;
    },
    targets: async () => {
      await pause(200);
      return TARGETS;
    },
    setDestination: async (projectId) => {
      const destination = TARGETS.find((target) => target.projectId === projectId) ?? null;
      const now = simulation.connection;
      if (now.kind === "connected") simulation.connect({ ...now, destination });
    },
    playback: async (id) => {
      const { duration } = known(id);
      return session(POSTERS[Number(id) % POSTERS.length] ?? null, duration);
    },
    localPlayback: async (id) => {
      const { title, hold, duration } = known(id);
      if (hold.kind === "source_missing") throw refusal("source_missing", "the file is not there");
      // Nothing plays the other one.
      const file = title.endsWith(".mkv") ? "/fixture/storyboard.json" : "/fixture/original.mp4";
      const url = new URL(`${file}?token=local`, location.href).href;
      return { url, form: "local", posterUrl: null, storyboardUrl: null, duration, expiresAt: null };
    },
    showInFolder: async (id) => {
      known(id);
    },
    copyLinks: async (ids) => {
      ids.forEach(known);
    },
    parts: async (id) => partsOf(known(id)),
    history: async (id) => historyOf(known(id)),
    receipt: async (id) => {
      const receipt = past.get(id)?.receipt ?? receiptOfUpload(known(id));
      if (!receipt) throw refusal("wrong_state", "the upload is not finished: there is no receipt yet");
      return receipt;
    },
    copyReport: async () => undefined,
    activity: async (search, before) => {
      await pause(60);
      return past.page(search, before);
    },
    exportActivity: async (search) => {
      await pause(400);
      return past.count(search);
    },
  };
}
