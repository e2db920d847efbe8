# Finds the JDK that Carousel is built with and runs on; sourced by mvnw and by the launcher, POSIX sh.
#
#   home=$(find_jdk) || exit 1     prints the JDK's folder, or says on stderr what to install
#
# Order: JAVA_HOME, the java on PATH, then the newest among the usual places. A JDK is asked nothing:
# its `release` file tells the version, which costs no start of a JVM.

# Where there is no HOME (env -i, cron), that of the user's entry: Java asks for it there, too.
if [ -z "${HOME-}" ]; then
  HOME=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || HOME=
  export HOME="${HOME:-/}"
fi

JDK_FEATURE=25
# 25.0.0 to 25.0.2 can corrupt memory under G1 when an array is pinned (JDK-8377811).
JDK_LEAST=25.0.3

# jdk_version HOME: prints 25.0.3 from HOME/release, nothing when HOME is no JDK.
jdk_version() {
  [ -r "$1/release" ] || return 0
  [ -x "$1/bin/javac" ] || [ -x "$1/bin/javac.exe" ] || return 0
  sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9.]*\).*/\1/p' "$1/release" | head -n 1
}

# jdk_rank VERSION: prints a whole number that grows with the version; 25.0.3 is 25000003.
jdk_rank() {
  printf '%s\n' "$1" | awk -F. '{ printf "%d\n", $1 * 1000000 + $2 * 1000 + $3 }'
}

# jdk_fits VERSION: whether Carousel takes this version.
jdk_fits() {
  [ "${1%%.*}" = "$JDK_FEATURE" ] && [ "$(jdk_rank "$1")" -ge "$(jdk_rank "$JDK_LEAST")" ]
}

# The JDK that the java on PATH belongs to.
jdk_on_path() {
  jdk_java=$(command -v java) || return 0
  jdk_java=$(readlink -f "$jdk_java" 2>/dev/null) || return 0
  printf '%s\n' "${jdk_java%/bin/java*}"
}

# Where package managers, version managers and IDEs put JDKs, one folder per line.
jdk_places() {
  (
    set +f # mvnw runs with globbing off
    env | sed -n 's/^JAVA_HOME_'"$JDK_FEATURE"'[A-Za-z0-9_]*=//p' # set by hosted CI runners
    for jdk_home in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/java/* /opt/* /opt/java/* \
      "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.gradle/jdks/* "$HOME"/.jabba/jdk/* \
      "$HOME"/.asdf/installs/java/* "$HOME"/.local/share/mise/installs/java/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home \
      "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
      /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
      /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
      "/c/Program Files/Eclipse Adoptium"/* "/c/Program Files/Java"/* "/c/Program Files/Microsoft"/*; do
      [ ! -d "$jdk_home" ] || printf '%s\n' "$jdk_home"
    done
  )
}

# find_jdk: prints the folder of a JDK that fits; without one, explains and returns 1.
find_jdk() {
  for jdk_home in "${JAVA_HOME-}" "$(jdk_on_path)"; do
    [ -n "$jdk_home" ] || continue
    if jdk_fits "$(jdk_version "$jdk_home")"; then
      printf '%s\n' "$jdk_home"
      return 0
    fi
  done
  jdk_best=$(
    jdk_places | while IFS= read -r jdk_home; do
      jdk_found=$(jdk_version "$jdk_home")
      ! jdk_fits "$jdk_found" || printf '%s %s\n' "$(jdk_rank "$jdk_found")" "$jdk_home"
    done | sort -k1,1nr -k2 | head -n 1
  )
  if [ -n "$jdk_best" ]; then
    printf '%s\n' "${jdk_best#* }"
    return 0
  fi
  jdk_explain >&2
  return 1
}

jdk_explain() {
  cat <<END
Carousel needs a JDK $JDK_FEATURE, at least $JDK_LEAST, and found none. Install one, for example:

  Debian, Ubuntu   apt-get install temurin-$JDK_FEATURE-jdk    (packages.adoptium.net), or openjdk-$JDK_FEATURE-jdk
  Fedora           dnf install java-$JDK_FEATURE-openjdk-devel
  macOS            brew install --cask temurin@$JDK_FEATURE
  Windows          winget install EclipseAdoptium.Temurin.$JDK_FEATURE.JDK
  SDKMAN!          sdk install java $JDK_LEAST-tem
  by hand          https://adoptium.net/temurin/releases/?version=$JDK_FEATURE

or, if there is one in an unusual place, set JAVA_HOME to it. These JDKs are here, and do not fit:

END
  {
    printf '%s\n' "${JAVA_HOME-}"
    jdk_on_path
    jdk_places
  } | sort -u | while IFS= read -r jdk_home; do
    [ -n "$jdk_home" ] || continue
    jdk_found=$(jdk_version "$jdk_home")
    [ -z "$jdk_found" ] || printf '  %-10s %s\n' "$jdk_found" "$jdk_home"
  done
  [ -z "${JAVA_HOME-}" ] || [ -n "$(jdk_version "$JAVA_HOME")" ] ||
    printf '  JAVA_HOME is set to %s, which is no JDK\n' "$JAVA_HOME"
  cat <<END

(25.0.0 to 25.0.2 are not taken: they can corrupt memory under G1, JDK-8377811.)
END
}
