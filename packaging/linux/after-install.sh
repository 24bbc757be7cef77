#!/bin/sh
# For dpkg and for rpm. A team server that runs as a service goes on with what was just installed; nothing
# is started that was not running.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl try-restart dailies-server.service
