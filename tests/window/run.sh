#!/usr/bin/env bash
# The app in a real window, on a display of its own: tests/window/run.sh [name of a test]...
# or, for measuring, tests/window/run.sh --cold-start COUNT, --at-work or --long-queue; or, for the guide's pictures,
# --guide [PICTURES].
# Needs target/debug/dailies-desktop (with its page: --features custom-protocol) and, beside it,
# target/debug/dailies-server; DAILIES_WINDOW_BUILD names another folder of them. Keeps screenshots in target/window.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
display=''
cleanup() {
  [ -z "$display" ] || { kill "$display" 2>/dev/null && wait "$display" 2>/dev/null; } || true
  rm -rf "$work"
}
trap cleanup EXIT

Xvfb -displayfd 3 -screen 0 1920x1080x24 -nolisten tcp 3>"$work/display" 2>"$work/xvfb.log" &
display=$!
for _ in $(seq 100); do
  [ -s "$work/display" ] && break
  kill -0 "$display" 2>/dev/null || { echo "Xvfb did not start:" >&2; cat "$work/xvfb.log" >&2; exit 1; }
  sleep 0.1
done
[ -s "$work/display" ] || { echo "Xvfb did not get ready" >&2; exit 1; }

# The distribution's own Python: it is the one that has GTK.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
script=main.py
case "${1:-}" in
  --cold-start) script=cold_start.py; shift ;;
  --at-work) script=at_work.py; shift ;;
  --long-queue) script=long_queue.py; shift ;;
  --guide) script=guide.py; shift ;;
esac
DISPLAY=":$(cat "$work/display")" TMPDIR="$work" "$python" -B "tests/window/$script" "$@"
