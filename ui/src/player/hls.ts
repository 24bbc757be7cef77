/** Loaded with the first video: the player's library and its worker, from this page's own origin. */
export { default as Hls } from "hls.js";
export { default as workerUrl } from "hls.js/dist/hls.worker.js?url";
