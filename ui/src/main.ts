import { mount } from "svelte";
import "./app.css";
import App from "./App.svelte";
import type { Host } from "./host/host";
import { tauriHost } from "./host/tauri";
import { language } from "./words/words";

async function chooseHost(): Promise<Host> {
  // The product is built without the scripted host: this branch is no code there.
  if (import.meta.env.MODE !== "production" && !("__TAURI_INTERNALS__" in window)) {
    const { browserHost } = await import("./host/browser");
    return browserHost(new URLSearchParams(location.search));
  }
  return tauriHost;
}

document.documentElement.lang = language;
const target = document.getElementById("app");
if (target) mount(App, { target, props: { host: await chooseHost() } });
