# Shared by the scripts here: where things are, and words. Sourced, never run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# Whether a program is there.
has() { command -v "$1" >/dev/null 2>&1; }

# A Rust that rustup has just installed is not in this shell's path yet.
if ! has cargo && [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
