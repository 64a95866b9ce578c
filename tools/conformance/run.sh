#!/bin/sh
# Starts the reference validator (see Main.java for its arguments) in one JVM, built first if it is not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -f "$here/target/built" ] || "$here/build.sh"
exec java -Xmx1500m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss8m \
    -cp "$here/target/conformance-1.jar:$here/target/lib/*" conformance.Main "$@"
