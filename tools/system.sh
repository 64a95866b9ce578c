#!/bin/sh
# Installs what the tests use beside Python: PostgreSQL, Chromium, and Java with Maven and npm for HL7's
# reference validator. Does nothing where all is there; says what is missing where it may not install.
set -eu

missing=""
[ -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null || true)" ] || missing="$missing postgresql"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v java >/dev/null 2>&1 || missing="$missing openjdk-17-jdk-headless"
command -v mvn >/dev/null 2>&1 || missing="$missing maven"
command -v npm >/dev/null 2>&1 || missing="$missing npm"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed here:$missing. Tests that need them are skipped and say so." >&2
    exit 0
fi
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
