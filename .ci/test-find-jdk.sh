# Tests .mvn/find-jdk.sh on made-up JDKs: which one it takes, and what it says when there is none.
set -eu
. "$(dirname "$0")/../.mvn/find-jdk.sh"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# jdk NAME VERSION: a folder that looks like a JDK.
jdk() {
  mkdir -p "$root/$1/bin"
  echo "IMPLEMENTOR=\"Nobody\"
JAVA_VERSION=\"$2\"
JAVA_VERSION_DATE=\"2026-01-20\"" >"$root/$1/release"
  for tool in java javac; do
    echo '#!/bin/sh' >"$root/$1/bin/$tool"
    chmod +x "$root/$1/bin/$tool"
  done
}

export JAVA_HOME on_path

# On this machine there are only the made-up ones.
jdk_places() { for jdk_home in "$root"/places/*; do printf '%s\n' "$jdk_home"; done; }
jdk_on_path() { printf '%s\n' "${on_path-}"; }

# expect WHAT EXPECTED ACTUAL
expect() {
  if [ "$2" != "$3" ]; then
    printf 'find-jdk: %s\n  expected %s\n  but got  %s\n' "$1" "$2" "$3" >&2
    exit 1
  fi
  echo "ok: $1"
}

jdk 'java home' 25.0.4
jdk path 25.0.3
jdk old 25.0.2
jdk first 25
jdk next 26.0.1
jdk places/a 17.0.15
jdk places/b 25.0.3
jdk 'places/with a space' 25.0.10
jdk places/d 25.0.1
mkdir -p "$root/places/jre/bin"
cp "$root/path/release" "$root/places/jre/"

JAVA_HOME=$root/java\ home on_path=$root/path
expect "JAVA_HOME comes first" "$root/java home" "$(find_jdk)"
JAVA_HOME=$root/old
expect "one with the G1 bug is passed over, for the one on PATH" "$root/path" "$(find_jdk)"
JAVA_HOME=$root/first on_path=$root/next
expect "neither 25 nor 26 will do: the newest of the usual places" "$root/places/with a space" "$(find_jdk)"
unset JAVA_HOME
on_path=
expect "nothing set: the newest of the usual places" "$root/places/with a space" "$(find_jdk)"
rm -r "$root/places/with a space"
expect "10 is more than 3, and 3 is enough" "$root/places/b" "$(find_jdk)"

rm -r "$root/places/b"
said=$(JAVA_HOME=/no/such/folder find_jdk 2>&1 1>"$root/out") && status=0 || status=$?
expect "without one it fails" 1 "$status"
expect "and prints no folder" "" "$(cat "$root/out")"
for part in 'apt-get install' 'at least 25.0.3' "17.0.15    $root/places/a" "25.0.1     $root/places/d" \
  'JAVA_HOME is set to /no/such/folder' JDK-8377811; do
  case $said in
    *"$part"*) echo "ok: it says $part" ;;
    *) expect "it says $part" "$part" "$said" ;;
  esac
done
