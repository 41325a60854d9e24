#!/usr/bin/env bash
# receipts.sh FOLDER: a table of every receipt below the folder, as Markdown. Receipts come from jobs in which commands of the repository
# ran: they are data, of which known words and cleaned text are taken.
set -euo pipefail

find "$1" -type f -name '*.json' -size -4096k -print0 | LC_ALL=C sort -z | xargs -0 -r cat -- | jq -r -n '
  def clean: tostring | .[:200] | gsub("[\\x00-\\x1f\\x7f\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]"; " ")
    | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;") | gsub("(?<c>[|`\\[\\]\\\\*_~$])"; "\\\(.c)")
    | gsub("(?<c>[@#]|://|www[.])"; "\(.c)\u200b");
  def word: if IN("verified", "partly-verified", "unverified", "blocked", "failed", "handed-over") then . else "unreadable" end;
  [inputs | if type == "array" then .[] else . end | objects | select(has("outcome") and has("plan"))] as $all |
  if $all == [] then "### Nothing was carried out\n"
  else
    ([$all[] | select(.outcome == "verified")] | length) as $verified |
    "### \($verified) of \($all | length) plans verified\n",
    "| Plan | Outcome | Files | Why not | Sandbox |", "|---|---|---|---|---|",
    ($all[:100][] | "| \(.plan.title? // .plan.path? // "" | clean) | \(.outcome | tostring | word) | \([.scope.changed[]?.path?] | .[:5] | map(clean) | join(", ")) | \(.reasons[0]? // "" | clean) | \(.sandbox.level? // "" | clean) |"),
    (if ($all | length) > 100 then "\nand \(($all | length) - 100) more.\n" else empty end),
    "\nThe work lies in the artifacts of this run as patches: `git apply --3way N.patch`. Nothing was merged.\n"
  end'
