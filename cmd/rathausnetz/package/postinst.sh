#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers rathausnetz.conf
  fi
  install -d -m 0750 -o root -g rathausnetz /etc/rathausnetz
  install -d -m 0700 -o rathausnetz -g rathausnetz /var/lib/rathausnetz
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # A new version serves at once; a node that was not running stays so.
    systemctl try-restart rathausnetz.service 'rathausnetz@*.service'
  fi
fi
