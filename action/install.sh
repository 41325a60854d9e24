#!/usr/bin/env bash
# Builds the program from the action's own files, unless it is there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tool="${IMPROVE_TOOL:?}"
program="$tool/improve"
if [[ "${RUNNER_OS:-}" == Windows ]]; then program="$program.exe"; fi
if [[ ! -x "$program" ]]; then
  if ! command -v cargo > /dev/null; then
    note error 'Rust is not on this runner: add a step that installs it before this action'
    exit 2
  fi
  export CARGO_TARGET_DIR="$RUNNER_TEMP/improve-build" CARGO_TERM_COLOR=never
  # The repository must have no say in how it is built: cargo reads .cargo/config.toml of the folder it runs in.
  (cd "${GITHUB_ACTION_PATH:?}" && cargo build --release --locked --bin improve)
  mkdir -p "$tool"
  # Another job of the same machine may be at it: what stands there is whole.
  cp "$CARGO_TARGET_DIR/release/$(basename "$program")" "$program.$$"
  mv "$program.$$" "$program"
fi
output program "$program"
