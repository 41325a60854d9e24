#!/usr/bin/env bash
# Keeps one comment on the pull request: written when there is something to say, written anew when that changes, else left alone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Characters of a comment, at most: GitHub takes 65,536.
most=65536
number="${IMPROVE_NUMBER:?}"
page="${IMPROVE_PAGE:?}"
author="${INPUT_COMMENT_AUTHOR:-github-actions[bot]}"
kind="${IMPROVE_COMMENT_KIND:-findings}"
if [[ ! "$number" =~ ^[0-9]+$ || ! "$kind" =~ ^[a-z]+$ ]]; then
  note error 'there is no pull request to comment on'
  exit 2
fi
mark="<!-- improve: $kind -->"
if [[ ! -s "$page" ]]; then exit 0; fi

jq -n --rawfile page "$page" --arg mark "$mark" --argjson most "$most" '
  def cut($room): if length <= $room then . else
    (.[:$room - 120] | rindex("\n") // 0) as $border | .[:$border] + "\n\nThe rest is left out: a comment holds no more.\n" end;
  {body: ($mark + "\n" + ($page | cut($most - ($mark | length) - 1)))}' > "$improve_folder/body.json"

here=''
path="/repos/$(repository)/issues"
for ((at = 1; at <= 30; at++)); do
  api GET "$path/$number/comments?per_page=100&page=$at"
  if [[ "$api_status" != 200 ]]; then
    note warning "the comments of the pull request could not be read ($(api_said)); the summary of the job has the findings"
    exit 0
  fi
  # Anybody can write the mark: only a comment of our own is ours.
  here="$(jq -c --arg mark "$mark" --arg author "$author" \
    '[.[]? | select(.user.login == $author and ((.body // "") | startswith($mark)))][0] // empty' "$api_body")"
  if [[ -n "$here" || "$(jq 'length' "$api_body")" -lt 100 ]]; then break; fi
done

if [[ -z "$here" ]]; then
  # Silence is how most pull requests should look.
  if [[ "${IMPROVE_NEWS:-0}" == 0 ]]; then exit 0; fi
  api POST "$path/$number/comments" "$improve_folder/body.json"
  if [[ "$api_status" != 201 ]]; then
    note warning "the comment could not be written ($(api_said)): the job needs \`pull-requests: write\`; the summary has the findings"
  fi
  exit 0
fi

same="$(jq -n --argjson here "$here" --slurpfile new "$improve_folder/body.json" '
  def plain: gsub("\r\n"; "\n") | sub("\\s+$"; ""); ($here.body | plain) == ($new[0].body | plain)')"
if [[ "$same" == true ]]; then exit 0; fi
id="$(jq -r '.id' <<< "$here")"
if [[ ! "$id" =~ ^[0-9]+$ ]]; then exit 0; fi
api PATCH "$path/comments/$id" "$improve_folder/body.json"
if [[ "$api_status" != 200 ]]; then
  note warning "the comment could not be brought up to date ($(api_said)); the summary of the job has the findings"
fi
