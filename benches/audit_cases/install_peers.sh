#!/usr/bin/env bash
# Installs the tools that `peers.py` runs into a folder of their own. Nothing is installed globally.
#
# usage: install_peers.sh FOLDER SEMGREP_RULES        (a folder outside this checkout; a clone of semgrep/semgrep-rules)
#
# Needs node 20 or newer with npm, and python 3.10 or newer.
set -euo pipefail
folder=${1:?usage: install_peers.sh FOLDER SEMGREP_RULES}
rules=${2:?usage: install_peers.sh FOLDER SEMGREP_RULES}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

npm install --prefix "$folder/npm" --no-audit --no-fund oxlint@1.94.0 oxlint-tsgolint@7.0.2008 @biomejs/biome@2.6.8
python3 -m venv "$folder/semgrep"
"$folder/semgrep/bin/pip" install --quiet semgrep==1.182.0
mkdir -p "$folder/semgrep-rules"
git -C "$rules" archive HEAD javascript typescript rust | tar -x -C "$folder/semgrep-rules"
# Files that show what a rule finds lie beside the rules; semgrep would take test configurations for rules.
find "$folder/semgrep-rules" -type f ! -name '*.yaml' ! -name '*.yml' -delete
find "$folder/semgrep-rules" -type f -name '*.test.yaml' -delete

echo '{}' > "$folder/oxlint.json"
