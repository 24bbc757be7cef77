#!/usr/bin/env bash
# One package in a root of its own; see run.sh, which gives it namespaces: in_root.sh WORK PACKAGE.
set -euo pipefail

work=$1 package=$2
if [ "${3:-}" != inside ]; then
  mount -t tmpfs tmpfs "$work/changes"
  mkdir "$work/changes/upper" "$work/changes/work"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/changes/upper,workdir=$work/changes/work" "$work/root"
  mount --rbind /proc "$work/root/proc"
  mount --rbind /dev "$work/root/dev"
  mount -t tmpfs tmpfs "$work/root/run"
  mkdir -p "$work/root/$work"
  cp "$package" "$work/root/$work/"
  cp "$0" "$work/root/$work/"
  exec chroot "$work/root" /bin/bash "$work/$(basename "$0")" "$work" "$work/$(basename "$package")" inside
fi

fail() { printf 'FAILED: %s: %s\n' "${package##*/}" "$*" >&2; exit 1; }
ok() { printf 'ok      %s: %s\n' "${package##*/}" "$*"; }
wait_for() { for _ in $(seq 150); do "${@:2}" && return; sleep 0.2; done; fail "waited 30 s for $1"; }

# The .deb with what it depends on; the .rpm without, as the database of its kind knows of nothing here.
case "$package" in
  *.deb) install=(dpkg --install "$package") remove=(dpkg --purge dailies)
         list() { dpkg --listfiles dailies; } ;;
  *.rpm) rpm=(rpm --dbpath "$work/rpmdb") install=("${rpm[@]}" --install --nodeps "$package")
         remove=("${rpm[@]}" --erase dailies)
         list() { "${rpm[@]}" -ql dailies; } ;;
esac
cd /
export HOME=/home/editor LANG=C.UTF-8
mkdir -p "$HOME"
! command -v dailies >/dev/null || fail "this system has a dailies already"
"${install[@]}" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "it cannot be installed"; }
mapfile -t files < <(list | while read -r file; do [ -d "$file" ] || echo "$file"; done)
[ "${#files[@]}" -gt 10 ] || fail "it has only ${#files[@]} files"

version=$(dailies --version)
[ "$(dailies-server --version)" = "dailies-server ${version#dailies }" ] || fail "$(dailies-server --version) beside $version"
! ldd /usr/bin/dailies-desktop | grep 'not found' || fail "the app lacks libraries"
systemd-analyze verify --man=no /usr/lib/systemd/system/dailies-server.service || fail "the server's unit"
ok "installed: $version, and units that systemd takes"

# Somebody works with it: a video goes up to a server of theirs.
data=$HOME/.local/share/team
ffmpeg -v error -nostdin -f lavfi -i testsrc2=size=320x180:rate=30:duration=2 -pix_fmt yuv420p "$HOME/clip.mp4"
dailies-server serve --data "$data" --listen 127.0.0.1:0 > "$work/server" 2>&1 &
server=$!
wait_for "the server" test -s "$data/credentials.json"
dailies --credentials "$data/credentials.json" upload "$HOME/clip.mp4" --wait ready > "$work/log" 2>&1 \
  || { cat "$work/log" "$work/server" >&2; fail "the upload"; }
kill "$server" && wait "$server" || fail "the server did not end well"
ok "a video was uploaded and can be played"

mkdir -p /etc/dailies /var/lib/dailies-server
echo '# ours' > /etc/dailies/dailies-server.toml
echo 'ours' > /var/lib/dailies-server/media.db
theirs() { find "$HOME" /etc/dailies /var/lib/dailies-server -type f -exec sha256sum {} + | sort; }
theirs > "$work/before"
[ "$(wc -l < "$work/before")" -gt 5 ] || fail "there is too little to lose"
"${remove[@]}" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "it cannot be removed"; }
hash -r
for file in "${files[@]}"; do
  [ ! -e "$file" ] || fail "$file is left"
done
diff "$work/before" <(theirs) || fail "removing it changed files of its users"
ok "removed: nothing of its own is left, and all $(wc -l < "$work/before") files of its users are"
