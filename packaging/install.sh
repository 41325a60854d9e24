#!/bin/sh
# Installs `improve` for this user: downloads the archive for this system and its SHA-256, compares them, and puts the program into
# ~/.local/bin. It asks for no rights and changes nothing else; to undo it, remove that one file.
#
#   IMPROVE_VERSION        a released version, such as 0.1.0; the newest where it is not set
#   IMPROVE_INSTALL_DIR    where the program goes; ~/.local/bin where it is not set
#   IMPROVE_DOWNLOAD_BASE  where the archives are, instead of the project's releases
set -eu

# The release workflow writes here who publishes.
REPOSITORY=OWNER/improve

main() {
  target="$(target)"
  folder="${IMPROVE_INSTALL_DIR:-${HOME:?HOME is not set: set IMPROVE_INSTALL_DIR}/.local/bin}"
  base="$(base)"
  for tool in tar mktemp sed; do
    command -v "$tool" > /dev/null || fail "\`$tool\` is needed and not there"
  done

  temporary="$(mktemp -d)"
  trap 'rm -rf "$temporary" "$folder/.improve.$$"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  archive="improve-$target.tar.gz"
  say "downloading $base/$archive"
  download "$base/$archive" "$temporary/$archive"
  download "$base/$archive.sha256" "$temporary/$archive.sha256"
  verify "$temporary/$archive"
  tar -xzf "$temporary/$archive" -C "$temporary" "improve-$target/improve" || fail "$archive: it holds no program"
  program="$temporary/improve-$target/improve"
  version="$("$program" --version)" || fail "the program does not run on this system: build it from source with \`cargo install\`"

  mkdir -p "$folder"
  # Beside its place, then renamed: one that runs meanwhile stays whole.
  cp "$program" "$folder/.improve.$$"
  chmod 755 "$folder/.improve.$$"
  mv -f "$folder/.improve.$$" "$folder/improve"
  say "installed $version as $folder/improve"
  case ":${PATH:-}:" in
    *":$folder:"*) ;;
    *) say "it is not on your PATH: add $folder to it" ;;
  esac
  say "to undo this: rm '$folder/improve'"
}

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  say "improve: $*"
  exit 1
}

# The name of this system, as Rust has it.
target() {
  system="$(uname -s)"
  processor="$(uname -m)"
  # A terminal that Apple's processors run in translation says it is Intel's.
  if [ "$system $processor" = "Darwin x86_64" ] && [ "$(sysctl -n sysctl.proc_translated 2> /dev/null || true)" = 1 ]; then
    processor=arm64
  fi
  case "$system $processor" in
    "Linux x86_64" | "Linux amd64") echo x86_64-unknown-linux-musl ;;
    "Linux aarch64" | "Linux arm64") echo aarch64-unknown-linux-musl ;;
    "Darwin x86_64") echo x86_64-apple-darwin ;;
    "Darwin arm64") echo aarch64-apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*) fail "this is for Linux and macOS: on Windows use npm, pipx or the .zip of the release" ;;
    *) fail "there is no program for $system on $processor: build it from source with \`cargo install\`" ;;
  esac
}

base() {
  if [ -n "${IMPROVE_DOWNLOAD_BASE:-}" ]; then
    case "$IMPROVE_DOWNLOAD_BASE" in
      # Whoever is between could give both the archive and its SHA-256.
      https://* | http://127.0.0.1[:/]* | http://localhost[:/]*) printf '%s\n' "${IMPROVE_DOWNLOAD_BASE%/}" ;;
      *) fail "IMPROVE_DOWNLOAD_BASE: $IMPROVE_DOWNLOAD_BASE: it must be https" ;;
    esac
  elif [ "${REPOSITORY%%/*}" = OWNER ]; then
    fail "this copy of the installer belongs to no release: use the one of a release, or build the program with \`cargo install --path .\`"
  elif [ -n "${IMPROVE_VERSION:-}" ]; then
    echo "https://github.com/$REPOSITORY/releases/download/v${IMPROVE_VERSION#v}"
  else
    echo "https://github.com/$REPOSITORY/releases/latest/download"
  fi
}

# download URL FILE
download() {
  if command -v curl > /dev/null; then
    curl --fail --silent --show-error --location --proto-redir '=https' --retry 2 --max-time 600 --output "$2" "$1" \
      || fail "$1: could not be downloaded"
  elif command -v wget > /dev/null; then
    wget -q -O "$2" "$1" || fail "$1: could not be downloaded"
  else
    fail "\`curl\` or \`wget\` is needed and neither is there"
  fi
}

# verify FILE: against FILE.sha256
verify() {
  expected="$(sed -n '1s/^\([0-9a-f]\{64\}\) .*$/\1/p' "$1.sha256")"
  [ -n "$expected" ] || fail "$(basename "$1").sha256: there is no SHA-256 in it"
  if command -v sha256sum > /dev/null; then
    found="$(sha256sum "$1")"
  elif command -v shasum > /dev/null; then
    found="$(shasum -a 256 "$1")"
  else
    found="$(openssl dgst -sha256 -r "$1")" || fail "\`sha256sum\`, \`shasum\` or \`openssl\` is needed and none is there"
  fi
  [ "${found%% *}" = "$expected" ] || fail "$(basename "$1"): its SHA-256 is ${found%% *} and should be $expected: nothing was installed"
}

# Last: of a script that was cut on its way nothing runs.
main
