#!/usr/bin/env bash
# The packages as a computer gets them: tests/packages/run.sh FOLDER [--debug], with one .deb
# and one .rpm in it; --debug, if they were built for that.
#
# Each is installed over this system in a root of its own, of which nothing is left; so what they depend on
# has to be installed here. Only root may do that.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."

folder=$(cd "$1" && pwd)
deb=$(echo "$folder"/*.deb) rpm=$(echo "$folder"/*.rpm)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
ok() { printf 'ok      %s\n' "$*"; }
for tool in lintian rpm desktop-file-validate appstreamcli objdump ffmpeg; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install lintian rpm desktop-file-utils appstream binutils ffmpeg"
done

# What is in them, which is the same in both.
rpm -qlp "$rpm" | sort > "$work/rpm"
dpkg-deb --fsys-tarfile "$deb" > "$work/deb.tar"
tar -tvf "$work/deb.tar" | awk '$1 !~ /^d/ { sub(/^[.]?[/]/, "", $6); print "/" $6 }' | sort > "$work/deb"
diff "$work/deb" "$work/rpm" || fail "the .deb (<) and the .rpm (>) hold other files"
diff tests/packages/files "$work/deb" || fail "not the files (<) that belong into a package"
ok "both hold the $(wc -l < "$work/deb") files of tests/packages/files"

for wanted in ffmpeg gstreamer1.0-libav gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
  libayatana-appindicator3-1 libgtk-3-0 libwebkit2gtk-4.1-0; do
  dpkg-deb -f "$deb" Depends | tr ',' '\n' | grep -qx " *$wanted" || fail "the .deb does not depend on $wanted"
done
for wanted in /usr/bin/ffmpeg gstreamer1-plugin-libav gstreamer1-plugins-base gstreamer1-plugins-good \
  'libayatana-appindicator3.so.1()(64bit)' 'libgtk-3.so.0()(64bit)' 'libwebkit2gtk-4.1.so.0()(64bit)'; do
  rpm -qRp "$rpm" | grep -qxF "$wanted" || fail "the .rpm does not require $wanted"
done
dpkg-deb -x "$deb" "$work/unpacked"
newest=$(objdump -T "$work"/unpacked/usr/bin/* | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
floor=$(dpkg-deb -f "$deb" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
printf '%s\n' "${newest#GLIBC_}" "$floor" | sort -VC || fail "a program wants $newest, the .deb libc6 $floor"
rpm -qRp "$rpm" | grep -qxF "libc.so.6(GLIBC_$floor)(64bit)" || fail "the .rpm wants another C library"
ok "they depend on what they need, and on a C library of $floor"

desktop-file-validate "$work"/unpacked/usr/share/applications/*.desktop
appstreamcli validate --no-net "$work"/unpacked/usr/share/metainfo/*.xml > "$work/log" || { cat "$work/log" >&2; fail "the metainfo"; }
# There is no address to write to, and the changelog is that of the project.
ignored=malformed-contact,maintainer-script-calls-systemctl,no-manual-page,syntax-error-in-debian-changelog
[ "${2:-}" != --debug ] || ignored+=,unstripped-binary-or-object
lintian --allow-root --no-cfg --fail-on error,warning --suppress-tags "$ignored" "$deb" || fail "lintian found something"
rpm -K --nosignature "$rpm" >/dev/null || fail "the .rpm is damaged"
ok "desktop entry, metainfo and .deb are as the systems want them"

root=()
[ "$(id -u)" = 0 ] || root=(sudo)
mkdir "$work/root" "$work/changes"
for package in "$deb" "$rpm"; do
  "${root[@]}" unshare --mount tests/packages/in_root.sh "$work" "$package"
done
