#!/usr/bin/env bash
# What the action's steps share: outputs, notes, requests to GitHub. Sourced, not run.
#
# Whatever comes from an event, an input or a file of the repository is data: it stands in variables and files, never in a command.
set -euo pipefail

# The folder of this run's files. The runner empties $RUNNER_TEMP before and after each job.
improve_folder="${RUNNER_TEMP:?}/improve"
mkdir -p "$improve_folder"

# output NAME VALUE: an output of the step. The delimiter is drawn anew, so that no value can end it.
output() {
  local delimiter
  delimiter="end-$(random)"
  printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >> "${GITHUB_OUTPUT:?}"
}

random() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# digest: the beginning of the hash of what it reads.
digest() {
  if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-16
}

# note KIND TEXT: an annotation without a place: notice, warning or error.
note() {
  local text="$2"
  text="${text//'%'/%25}"
  text="${text//$'\r'/%0D}"
  text="${text//$'\n'/%0A}"
  printf '::%s title=improve::%s\n' "$1" "$text"
}

# quietly FILE: prints a file in which the runner looks for no commands, whatever stands in it.
quietly() {
  local token
  token="$(random)"
  printf '::stop-commands::%s\n' "$token"
  cat -- "$1"
  printf '\n::%s::\n' "$token"
}

# event FILTER: what a jq filter makes of the event; empty where it makes nothing of it.
event() {
  jq -r "$1 // empty" "${GITHUB_EVENT_PATH:?}"
}

# is_true TEXT: as people write it in a workflow.
is_true() {
  case "$1" in true | True | TRUE | yes | on | 1) return 0 ;; *) return 1 ;; esac
}

# repository: its name, which becomes part of an address.
repository() {
  if [[ ! "${GITHUB_REPOSITORY:-}" =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]]; then
    note error "GITHUB_REPOSITORY is no name of a repository"
    exit 2
  fi
  printf '%s' "$GITHUB_REPOSITORY"
}

# api METHOD PATH [BODY-FILE]: asks GitHub. The answer is in $api_body, its status in $api_status (000: there was none).
# The token goes through a pipe: arguments can be read by every process of the machine.
api() {
  local method="$1" path="$2" body="${3:-}"
  api_body="$improve_folder/answer.json"
  : > "$api_body"
  local arguments=(--silent --show-error --config - --request "$method" --output "$api_body" --write-out '%{http_code}'
    --max-time 30 --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28'
    --header 'User-Agent: improve-action')
  if [[ -n "$body" ]]; then
    arguments+=(--header 'Content-Type: application/json' --data-binary "@$body")
  fi
  api_status="$(printf 'header = "Authorization: Bearer %s"\n' "${INPUT_GITHUB_TOKEN:-}" |
    curl "${arguments[@]}" "${GITHUB_API_URL:-https://api.github.com}$path" 2> "$improve_folder/curl.txt")" || api_status=000
}

# api_said: what the last answer says of itself, on one line.
api_said() {
  local said
  said="$(jq -r '.message? // empty' "$api_body" 2> /dev/null | head -c 200 | tr '\r\n' '  ')" || said=''
  printf '%s' "${said:-status $api_status}"
}
