#!/bin/sh
# Builds the reference validator and fetches the FHIR packages it loads. Quiet; does nothing where nothing changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target
for tool in java mvn npm; do
    command -v "$tool" >/dev/null || { echo "conformance: $tool is not installed" >&2; exit 2; }
done

mkdir -p "$target/packages"
exec 9>"$target/lock"
flock 9 # two test processes may ask at once

# What the content rests on: SDC; the extension pack and the terminology that SDC names as dependencies; and HL7's
# tables of other versions' elements, which UK Core and SDC carry as extensions.
for package in hl7.fhir.uv.sdc@4.0.0-ballot hl7.fhir.uv.extensions.r4@5.3.0-ballot-tc1 hl7.terminology.r4@7.0.1 \
    hl7.fhir.xver-extensions@0.1.0; do
    file=$target/packages/$(echo "$package" | tr '@' '-').tgz
    [ -s "$file" ] || (cd "$target/packages" && npm pack --silent "$package" >/dev/null 2>"$target/build.log") ||
        { echo "conformance: cannot fetch $package" >&2; cat "$target/build.log" >&2; exit 2; }
done

libraries=$(sha256sum <"$here/pom.xml")
stamp=$(cat "$here/pom.xml" "$here"/src/main/java/conformance/*.java | sha256sum)
if [ "$(cat "$target/built" 2>/dev/null)" != "$stamp" ]; then
    [ "$(cat "$target/libraries" 2>/dev/null)" = "$libraries" ] || rm -rf "$target/lib"
    rm -rf "$target/built" "$target/classes" "$target/maven-status"
    (cd "$here" && mvn -q -B package >"$target/build.log" 2>&1) || { cat "$target/build.log" >&2; exit 2; }
    echo "$libraries" >"$target/libraries"
    echo "$stamp" >"$target/built"
fi
