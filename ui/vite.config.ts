import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  // The shell's configuration names this port: another one would show an empty window.
  server: { port: 1420, strictPort: true },
  preview: { port: 1421, strictPort: true },
  build: {
    outDir: mode === "browser" ? "../target/ui-browser" : "dist",
    emptyOutDir: true,
    chunkSizeWarningLimit: 600,
    target: ["es2022", "safari16.4"],
    // Assets stay files: the page's content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts", "tests/*.test.mjs"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    // A computer that does other things besides takes its time, and finds the same in the end.
    testTimeout: 30_000,
  },
}));
