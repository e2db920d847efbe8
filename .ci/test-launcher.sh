#!/usr/bin/env bash
# Tests ./carousel in surroundings that are none: no HOME, no locale, CDPATH set, a checkout that cannot be written and
# is older than its sources, a folder with a colon in its name, a full disk, a closed pipe. What is built must be there.
set -euo pipefail
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./carousel --version >/dev/null || { echo "./carousel does not run here" >&2; exit 1; }

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# A checkout that was built, elsewhere, which cannot be written.
home=$work/checkout
mkdir -p "$home/zoo/target"
cp -p carousel "$home/"
cp -pr .mvn pom.xml "$home/"
for module in tensor-core autograd cuda-kernels nn zoo; do
  mkdir -p "$home/$module/src/main" "$home/$module/target"
  cp -p "$module/pom.xml" "$home/$module/"
done
cp -p zoo/target/carousel-zoo-*.jar "$home/zoo/target/"
cp -pr zoo/target/lib "$home/zoo/target/"
[ ! -d cuda-kernels/target/jcuda ] || cp -pr cuda-kernels/target/jcuda "$home/cuda-kernels/target/"
sleep 1
touch "$home/zoo/target/built-by-launcher"
chmod -R a-w "$home"

# What binds an ordinary user does not bind root, who gives up what sets it apart.
user=()
if [ -w "$home/zoo/target" ]; then user=(setpriv --bounding-set=-dac_override,-dac_read_search); fi

# A JDK that only JAVA_HOME names, as on hosted runners, is told.
given=("PATH=/usr/bin:/bin")
find='. .mvn/find-jdk.sh; find_jdk'
env -i "${given[@]}" sh -c "$find" >/dev/null 2>&1 || given+=("JAVA_HOME=$(sh -c "$find")")

# bare COMMAND...: in an environment of a container that sets nothing.
bare() { ${user[@]+"${user[@]}"} env -i "${given[@]}" "$@"; }

# expect WHAT TEXT FILE: whether a file holds a text.
expect() {
  if ! grep -qF -- "$2" "$3"; then
    printf 'launcher: %s\n  expected: %s\n  but got:\n' "$1" "$2" >&2
    cat "$3" >&2
    exit 1
  fi
  echo "ok: $1"
}

# refuses WHAT TEXT FILE
refuses() {
  if grep -qF -- "$2" "$3"; then
    printf 'launcher: %s\n  there is: %s\n' "$1" "$2" >&2
    cat "$3" >&2
    exit 1
  fi
  echo "ok: $1"
}

# fails WHAT COMMAND...: ends with 1, and with nothing else; its errors go to $work/err.
fails() {
  local what=$1 code=0
  shift
  "$@" 2>"$work/err" || code=$?
  [ "$code" = 1 ] || { echo "launcher: $what: ended with $code" >&2; cat "$work/err" >&2; exit 1; }
  echo "ok: $what"
}

cd "$work"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
  printf 'é saß über dem Fluß 😀\nthe cat sat on the mat and slept\nüber the mat sat é and slept\n'
done >bücher.txt

bare "$home/carousel" train --data bücher.txt --level char --epochs 1 --hidden 8 --batch 2 --steps 8 --out läufe >out 2>err
expect "it trains without HOME, locale, and room in the checkout" "epoch 1/1" out
expect "a name beyond ASCII is what it is" "bücher.txt" out
refuses "and is no question mark" "?" out
bare "$home/carousel" eval läufe --data bücher.txt >out 2>err
expect "it measures" "text    perplexity" out
bare "$home/carousel" sample läufe --prompt 'é 😀' --length 5 >out 2>err
expect "a prompt beyond ASCII is read" 'é 😀' out
refuses "and known" "not in the vocabulary" err
bare "$home/carousel" export läufe modell-ü.onnx >out 2>err
[ -s modell-ü.onnx ] || { echo "launcher: nothing was exported" >&2; exit 1; }
expect "it exports" "modell-ü.onnx" out

# On a terminal the line that Java prints before the program begins is removed, and no other.
if command -v script >/dev/null; then
  TERM=xterm script -qc "'$home/carousel' --version" /dev/null </dev/null | tr -d '\r' | tr '\033\n' '^~' >out
  expect "what Java warns of is removed from a terminal" "jdk.incubator.vector~^[1A^[2KCarousel " out
fi

mkdir -p elsewhere/bin
ln -s "$home/carousel" elsewhere/bin/carousel
(cd elsewhere && CDPATH=/ bare CDPATH=/:/usr sh -c 'exec bin/carousel --version') >out 2>err
expect "a link to it is followed, CDPATH or not" "Java 25" out

# Older than its sources.
chmod u+w "$home/zoo/src/main"
touch "$home/zoo/src/main"
chmod u-w "$home/zoo/src/main"
bare "$home/carousel" --version >out 2>err
expect "a stale checkout that cannot be written runs what was built" "Java 25" out
expect "and says so" "the sources are newer than what was built" err

mkdir "with:colon"
mv "$home" "with:colon/checkout"
home="$work/with:colon/checkout"
if [ -d /proc/self/fd ]; then
  bare "$home/carousel" --version >out 2>err
  expect "a colon in the path is none of Java's" "Java 25" out
fi

fails "a full disk" bare sh -c 'exec "$0" --help >/dev/full' "$home/carousel"
expect "is named" "the output cannot be written: No space left on device" "$work/err"
fails "a closed pipe" bare bash -c 'exec > >(exec true); sleep 1; exec "$@"' bash "$home/carousel" sample läufe --length 100000
expect "is named, and ends a long text at once" "the output cannot be written" "$work/err"

all=
for option in memory=8x memory=abc threads=0 threads=abc threads=100000 vector=maybe fused=no thread=1; do
  all="$all -Dcarousel.$option"
  code=0
  bare CAROUSEL_OPTS="-Dcarousel.$option" "$home/carousel" eval läufe >out 2>err || code=$?
  [ "$code" = 2 ] || { echo "launcher: -Dcarousel.$option ended with $code" >&2; exit 1; }
  expect "-Dcarousel.$option is refused" "-Dcarousel.${option%%=*}" err
  refuses "in words" "Exception" err
done
bare CAROUSEL_OPTS="$all" "$home/carousel" doctor >out 2>err
expect "doctor says so" "✗ settings" out
for name in memory threads vector fused thread:; do
  expect "of -Dcarousel.${name%:}, too" "-Dcarousel.$name" out
done
