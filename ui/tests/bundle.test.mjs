import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { beforeAll, describe, expect, it, vi } from "vitest";

/** What the window reads before it shows anything, at the most: UX.md's promise of a quick start. */
const MOST = 150_000;

describe("the product's page", () => {
  const files = new Map();

  beforeAll(async () => {
    // As a test's own, it would be built for development.
    vi.stubEnv("NODE_ENV", "production");
    const root = join(import.meta.dirname, "..");
    const built = await build({ root, mode: "production", logLevel: "error", build: { write: false } });
    vi.unstubAllEnvs();
    for (const { output } of [built].flat()) {
      for (const file of output) files.set(file.fileName, file);
    }
  }, 120_000);

  /** What is loaded before the page runs: the entry, what it imports, and every style. */
  function first() {
    const wanted = [...files.values()].filter((file) => file.type === "chunk" && file.isEntry);
    for (const file of wanted) {
      const imports = file.type === "chunk" ? file.imports : [];
      for (const name of imports) {
        const imported = files.get(name);
        if (imported && !wanted.includes(imported)) wanted.push(imported);
      }
    }
    const styles = [...files.values()].filter(({ fileName }) => fileName.endsWith(".css"));
    return ["index.html", ...[...wanted, ...styles].map(({ fileName }) => fileName)];
  }

  it(`has at most ${MOST / 1000} kB, packed, before its first paint`, () => {
    const sizes = first().map((name) => {
      const file = files.get(name);
      if (!file) throw new Error(`no ${name} was built`);
      return gzipSync(file.type === "chunk" ? file.code : file.source).length;
    });
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MOST);
  });

  it("loads the player of streams only when one is played", () => {
    const player = [...files.values()].find(
      (file) => file.type === "chunk" && file.moduleIds.some((id) => id.includes("/hls.js/")),
    );
    expect(player?.type === "chunk" && player.isDynamicEntry).toBe(true);
    expect(first()).not.toContain(player?.fileName);
  });
});
