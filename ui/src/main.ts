import { mount } from "svelte";
import "./app.css";
import App from "./App.svelte";
import type { Host } from "./host/host";
import { tauriHost } from "./host/tauri";
import { speak } from "./words/words";

async function chooseHost(): Promise<Host> {
  // The product is built without the scripted host: this branch is no code there.
  if (import.meta.env.MODE !== "production" && !("__TAURI_INTERNALS__" in window)) {
    const { browserHost } = await import("./host/browser");
    return browserHost(new URLSearchParams(location.search));
  }
  return tauriHost;
}

const host = await chooseHost();
try {
  speak((await host.shell()).preferences.language);
} catch {
  // The page tells of what is wrong with the shell, in the system's language.
  speak("system");
}
const target = document.getElementById("app");
if (target) mount(App, { target, props: { host } });
