/**
 * Writes what the app asks for when it looks for newer versions, of the packages of one version and their
 * signatures: node packaging/update-manifest.mjs FOLDER VERSION ADDRESS, where ADDRESS is that of the packages.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * From the bundler's names to the updater's. The shorter name of a system is for those that know of a version
 * and do not install it themselves: what came as a package of the system's.
 */
const TARGETS = [
  [/_amd64\.AppImage$/, ["linux-x86_64-appimage", "linux-x86_64"]],
  [/_aarch64\.AppImage$/, ["linux-aarch64-appimage", "linux-aarch64"]],
  [/_x86_64\.app\.tar\.gz$/, ["darwin-x86_64-app"]],
  [/_aarch64\.app\.tar\.gz$/, ["darwin-aarch64-app"]],
  [/_x64-setup\.exe$/, ["windows-x86_64-nsis", "windows-x86_64"]],
  [/_x64_.*\.msi$/, ["windows-x86_64-msi"]],
];

const [folder, version, address] = process.argv.slice(2);
const platforms = {};
for (const name of readdirSync(folder)) {
  const targets = TARGETS.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  for (const target of targets) {
    platforms[target] = {
      url: `${address}/${encodeURIComponent(name)}`,
      signature: readFileSync(join(folder, `${name}.sig`), "utf8").trim(),
    };
  }
}
if (Object.keys(platforms).length === 0) throw new Error(`there is nothing in ${folder} that updates anything`);
console.log(JSON.stringify({ version, pub_date: new Date().toISOString(), platforms }, null, 2));
