import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Host, Stop } from "./host";

function on<Payload>(event: string, callback: (payload: Payload) => void): Promise<Stop> {
  return listen<Payload>(event, ({ payload }) => {
    callback(payload);
  });
}

/** The shell, by its commands and events. The only place that names either. */
export const tauriHost: Host = {
  snapshot: () => invoke("snapshot"),
  subscribe: (onChange) => on("change", onChange),

  shell: () => invoke("shell"),
  onShell: (onShell) => on("shell", onShell),

  chooseFiles: () => invoke("choose_files"),
  onAdded: (onAdded) => on("added", onAdded),
  onDrag: (onDrag) => on("drag", onDrag),

  pause: (ids) => invoke("pause", { ids }),
  resume: (ids) => invoke("resume", { ids }),
  cancel: (ids) => invoke("cancel", { ids }),
  retry: (ids) => invoke("retry", { ids }),
  remove: (ids) => invoke("remove", { ids }),
  pauseAll: () => invoke("pause_all"),
  resumeAll: () => invoke("resume_all"),

  useThisComputer: () => invoke("use_this_computer"),
  connect: (url, apiKey) => invoke("connect", { url, apiKey }),
  disconnect: () => invoke("disconnect"),
  targets: () => invoke("targets"),
  setDestination: (projectId) => invoke("set_destination", { projectId }),

  playback: (id) => invoke("playback", { id }),
  showInFolder: (id) => invoke("show_in_folder", { id }),
  copyLink: (id) => invoke("copy_link", { id }),
};
