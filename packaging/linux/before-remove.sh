#!/bin/sh
# For dpkg, which says `remove`, and for rpm, which says how many versions are left. What people have
# stays where it is: queues and settings in their homes, the team's videos in /var/lib/dailies-server.
set -e
case "$1" in
  remove | 0) ;;
  *) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
# A server that does not want to end is no reason to keep the package.
systemctl disable --now dailies-server.service || true
