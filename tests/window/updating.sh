#!/usr/bin/env bash
# Builds the app that the tests of updates begin with, into target/updating: an earlier version, with a key
# and an address of the tests' own, given to it as every build gets its own. The usual build, which is to be
# made after this one, is what it is updated to. Needs Node in the path.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=target/updating
mkdir -p "$folder"
for key in key strangers-key; do
  [ -f "$folder/$key" ] || ui/node_modules/.bin/tauri signer generate --ci -p '' -w "$folder/$key" >/dev/null
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
  -keyout "$folder/tls.key" -out "$folder/tls.pem" 2>/dev/null

config=$(node -e '
  const { createServer } = require("node:net");
  const [folder] = process.argv.slice(1);
  const pubkey = require("node:fs").readFileSync(`${folder}/key.pub`, "utf8").trim();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const endpoints = [`https://localhost:${server.address().port}/latest.json`];
    console.log(JSON.stringify({ version: "0.0.9", plugins: { updater: { endpoints, pubkey } } }));
    server.close();
  });' "$folder")
TAURI_CONFIG=$config cargo build --locked -p dailies-desktop --features custom-protocol
cp "${CARGO_TARGET_DIR:-target}/debug/dailies-desktop" "$folder/"
printf '%s' "$config" > "$folder/config.json"
