#!/usr/bin/env bash
# Installs the tools that `run.py` measures into a folder of their own. Nothing is installed globally.
#
# usage: install.sh FOLDER        (a folder outside this checkout; about 1.4 GB)
#
# Needs node 20 or newer with npm, and python 3.10 to 3.12. universal-ctags and rust-analyzer come from the system:
#   apt-get install universal-ctags;  rustup component add rust-analyzer
set -euo pipefail
folder=${1:?usage: install.sh FOLDER}
mkdir -p "$folder/home"
folder=$(cd "$folder" && pwd)

# Both projects named codegraph install a program of that name, so `run.py` calls them by their package folder.
npm install --prefix "$folder/npm" --no-audit --no-fund \
  @ast-grep/cli@0.51.1 \
  @optave/codegraph@3.11.2 \
  @colbymchenry/codegraph@1.6.1 \
  @sourcegraph/scip-typescript@0.4.0

python3 -m venv "$folder/aider"
"$folder/aider/bin/pip" install --quiet aider-chat==0.86.2
