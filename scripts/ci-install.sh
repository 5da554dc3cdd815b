#!/usr/bin/env bash
# The browser that the console's test drives, from Debian. Redis and MongoDB are not here: `npm
# test` and `npm start` bring them themselves.
set -euo pipefail

for browser in "${CHROMIUM_BINARY:-}" chromium chromium-browser google-chrome; do
  if [[ -n "$browser" ]] && command -v "$browser" >/dev/null; then
    echo "browser: $(command -v "$browser")"
    exit 0
  fi
done

if [[ "$(id -u)" != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "no browser found; install Chromium, or set CHROMIUM_BINARY" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=120 update
apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends chromium
