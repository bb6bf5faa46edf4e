#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
# Keys and accounts are the operator's: even a purge leaves them where they are.
if [ "$1" = purge ]; then
  echo "rathausnetz: keys and data stay in /var/lib/rathausnetz and /etc/rathausnetz; remove them yourself if they are not needed any more." >&2
fi
