#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now rathausnetz.service || true
  systemctl stop 'rathausnetz@*.service' || true
fi
