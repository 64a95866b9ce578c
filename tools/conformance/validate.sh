#!/bin/sh
# Prints HL7's errors and warnings for FHIR files (JSON or XML), with this checkout's content loaded.
# Exit: 0 no errors, 1 errors, 2 could not check.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || { echo "usage: $0 [--load DIR|FILE|TGZ] [--profile URL] FILE..." >&2; exit 2; }
"$here/build.sh"
for path in "$root/../shared/ukcore" "$root/../shared/crmi"; do
    [ -d "$path" ] && set -- --load "$path" "$@"
done
for path in "$here"/target/packages/*.tgz; do
    set -- --load "$path" "$@"
done
exec "$here/run.sh" --readable --load "$root/profiles" --load "$root/mappings" "$@"
