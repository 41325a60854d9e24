#!/usr/bin/env bash
# Puts the receipts of several jobs together: one page, for the summary and the comment.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

folder="${INPUT_RECEIPTS:-receipts}"
cd "${GITHUB_WORKSPACE:?}"
page="$improve_folder/receipts.md"
if [[ -d "$folder" ]]; then
  bash "$(dirname "${BASH_SOURCE[0]}")/receipts.sh" "$folder" > "$page"
else
  mkdir -p "$improve_folder/none"
  bash "$(dirname "${BASH_SOURCE[0]}")/receipts.sh" "$improve_folder/none" > "$page"
fi
if is_true "${INPUT_SUMMARY:-true}"; then head -c 900000 -- "$page" >> "${GITHUB_STEP_SUMMARY:?}"; fi
output receipts-count "$(grep -c '^| ' "$page" | awk '{ print ($1 > 1 ? $1 - 1 : 0) }' || true)"
output markdown-file "$page"
output conclusion success
