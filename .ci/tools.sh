# Where `.ci/validate`, `.ci/packages` and `.ci/cross` keep their tools, and how they come by them. To be sourced in the root.
# shellcheck shell=bash

target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target/validators"
target="$(cd "$target" && pwd -P)"
tools="$target/validators"
program="$target/debug/improve"

# Node knows certificates of its own and not those of the system, among which a mirror's may be.
if [[ -z "${NODE_EXTRA_CA_CERTS:-}" && -f /etc/ssl/certs/ca-certificates.crt ]]; then
  export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi

# fetched COMMAND...: runs what fetches a tool. A registry that does not answer is no fault of the change: that is said, and the rest is left out.
fetched() {
  if ! timeout 300 "$@"; then
    echo "skipped: the tools could not be fetched" >&2
    exit 0
  fi
}

# Tools from PyPI, pinned.
if [[ ! -x "$tools/python/bin/python" ]]; then fetched python3 -m venv "$tools/python"; fi
fetched "$tools/python/bin/python" -m pip install --quiet --disable-pip-version-check -r .ci/validators.txt
bin="$tools/python/bin"
