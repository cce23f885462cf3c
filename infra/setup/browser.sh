#!/bin/sh
# Chromium and Chinese fonts for tests/browser, from the system's own packages (Debian, Ubuntu).
set -eu

if [ -x /usr/bin/chromium ]; then
    exit 0
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

as_root apt-get update
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends chromium fonts-noto-cjk
