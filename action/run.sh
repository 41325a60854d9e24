#!/usr/bin/env bash
# Runs the program: the findings go to files, to the log as annotations and to the job's summary; what other jobs need, to outputs.
# It fails on nothing the program finds: the last step does that, once everything is published.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command="${IMPROVE_COMMAND:?}"
program="${IMPROVE_PROGRAM:?}"
cd -- "${IMPROVE_FOLDER:?}"
export IMPROVE_CACHE_DIR="${IMPROVE_FACTS:-$improve_folder/facts}"
report="$improve_folder/report"
mkdir -p "$report"
document="$report/improve.json" sarif="$report/improve.sarif" page="$report/improve.md"

# A key is handed on under the name its provider has, and only if it may be spent.
key="${INPUT_API_KEY:-}"
unset INPUT_API_KEY
provider="${INPUT_PROVIDER:-anthropic}"
if [[ ! "$provider" =~ ^[a-z0-9-]+$ ]]; then
  note error 'provider is no name of a provider'
  exit 2
fi
# Empty lists are errors to older shells, so everything goes into this one.
arguments=()
if [[ "${IMPROVE_SPEND:-false}" == true ]]; then
  variable="$(printf '%s_API_KEY' "$provider" | tr 'a-z-' 'A-Z_')"
  export "$variable=$key"
  if [[ -n "${INPUT_MODEL:-}" ]]; then arguments+=(--planner "$provider/$INPUT_MODEL"); fi
  if [[ "$command" == apply && -n "${INPUT_EXECUTOR_MODEL:-}" ]]; then arguments+=(--executor "$provider/$INPUT_EXECUTOR_MODEL"); fi
  if [[ -n "${INPUT_MAX_COST:-}" ]]; then arguments+=(--max-usd "$INPUT_MAX_COST"); fi
else
  # A job's environment may hold a key that nobody gave to this step.
  export IMPROVE_PLANNER=none IMPROVE_EXECUTOR=none IMPROVE_VERIFIER=none
fi
unset key

arguments+=(--no-input)
if [[ -n "${IMPROVE_BASE:-}" ]]; then arguments+=(--settings-from "$IMPROVE_BASE"); fi
if [[ "$command" == apply ]]; then
  arguments+=(--trust --yes --format json)
else
  arguments+=(--format github --output "json=$document" --output "sarif=$sarif" --output "markdown=$page")
  if [[ -n "${INPUT_FAIL_ON:-}" ]]; then arguments+=(--fail-on "$INPUT_FAIL_ON"); fi
fi
# One place a line; the variable takes them with commas between.
paths="$(printf '%s\n' "${INPUT_PATHS:-}" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' | paste -sd, -)"
if [[ -n "$paths" ]]; then export IMPROVE_INCLUDE="$paths"; fi
if [[ -n "${INPUT_MAX_FINDINGS:-}" && ! "$INPUT_MAX_FINDINGS" =~ ^[0-9]{1,4}$ ]]; then
  note error 'max-findings is no number'
  exit 2
fi

# given_plans: the plans to carry out, one a line of plans.txt; no more than paths of plans.
given_plans() {
  local plan
  : > "$improve_folder/plans.txt"
  while IFS= read -r plan; do
    if [[ -z "$plan" ]]; then continue; fi
    if [[ ! "$plan" =~ ^(advisor-)?plans/([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.md$ ]]; then
      note error "plans names something that is no plan's path"
      return 1
    fi
    # A plan that comes with a pull request says what is to be run. It counts only as it stands where the pull request starts.
    if [[ -n "${IMPROVE_BASE:-}" ]] && git ls-files --error-unmatch -- ":(literal)$plan" > /dev/null 2>&1 &&
      ! git diff --quiet "$IMPROVE_BASE" -- ":(literal)$plan" 2> /dev/null; then
      note error "$plan comes with this pull request: it is carried out once it is merged"
      return 1
    fi
    printf '%s\n' "$plan" >> "$improve_folder/plans.txt"
  done < <(printf '%s\n' "${INPUT_PLANS:-}" | tr -s ' \t\r' '\n')
}

status=0
log="$improve_folder/log.txt"
annotations="$improve_folder/annotations.txt"
: > "$annotations"
case "$command" in
  branch)
    "$program" branch --base "$IMPROVE_BASE" --offline "${arguments[@]}" > "$annotations" 2> "$log" || status=$?
    ;;
  audit)
    if [[ -n "${INPUT_SHARD:-}" ]]; then
      if [[ ! "$INPUT_SHARD" =~ ^[0-9]{1,3}/[0-9]{1,3}$ ]]; then
        note error 'shard is not written as 1/4'
        exit 2
      fi
      arguments+=(--shard "$INPUT_SHARD")
    fi
    "$program" audit --offline "${arguments[@]}" > "$annotations" 2> "$log" || status=$?
    ;;
  merge)
    parts=()
    while IFS= read -r -d '' part; do parts+=("$part"); done < <(
      find "${GITHUB_WORKSPACE:?}/${INPUT_PARTS:-parts}" -name improve.json -type f -print0 2> /dev/null | LC_ALL=C sort -z
    )
    if [[ ${#parts[@]} -eq 0 ]]; then
      note error 'parts holds no part of an audit: download the artifacts of the jobs that made them'
      exit 2
    fi
    "$program" merge "${arguments[@]}" -- "${parts[@]}" > "$annotations" 2> "$log" || status=$?
    ;;
  plan)
    if [[ -n "${INPUT_MAX_FINDINGS:-}" ]]; then arguments+=(--top "$INPUT_MAX_FINDINGS"); fi
    if [[ "${IMPROVE_PULL_REQUEST:-false}" == true ]]; then
      "$program" branch --plan --base "$IMPROVE_BASE" "${arguments[@]}" > "$annotations" 2> "$log" || status=$?
    else
      if is_true "${INPUT_ISSUES:-false}"; then
        arguments+=(--issues)
        export GH_TOKEN="${INPUT_GITHUB_TOKEN:-}"
      fi
      "$program" "${arguments[@]}" > "$annotations" 2> "$log" || status=$?
      unset GH_TOKEN
    fi
    ;;
  apply)
    given_plans || exit 2
    number=0
    while IFS= read -r plan; do
      arguments+=("$plan")
      number=$((number + 1))
    done < "$improve_folder/plans.txt"
    if [[ $number -eq 0 ]]; then
      if [[ -n "${IMPROVE_BASE:-}" ]]; then
        note error 'on a pull request, plans says which plans are carried out'
        exit 2
      fi
      arguments+=(--all)
    fi
    if is_true "${INPUT_PULL_REQUEST:-false}"; then
      arguments+=(--pr)
      # The checkout keeps no credentials: what is pushed is pushed with this run's token, by this process alone.
      credentials="$(printf 'x-access-token:%s' "${INPUT_GITHUB_TOKEN:-}" | base64 | tr -d '\n')"
      printf '::add-mask::%s\n' "$credentials"
      export GH_TOKEN="${INPUT_GITHUB_TOKEN:-}" GIT_CONFIG_COUNT=1
      export GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
      export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $credentials"
    elif [[ $number -ne 1 ]]; then
      # Work on one file is done in one line, so that it can be taken together.
      arguments+=(--stack)
    fi
    "$program" apply "${arguments[@]}" > "$document" 2> "$log" || status=$?
    unset GH_TOKEN GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
    # The work itself, for whoever wants it: one patch a plan.
    if [[ -s "$document" ]]; then
      number=0
      while IFS=$'\t' read -r from branch; do
        number=$((number + 1))
        if [[ "$from" =~ ^[0-9a-f]{40,64}$ && "$branch" =~ ^improve/[A-Za-z0-9._/-]+$ ]]; then
          git diff --no-ext-diff --no-textconv --binary "$from...$branch" > "$report/$number.patch" 2> /dev/null || true
        fi
      done < <(jq -r 'if type == "array" then .[] else . end | [.base, .branch // ""] | @tsv' "$document" 2> /dev/null || true)
    fi
    ;;
  *)
    note error "there is nothing to run for $command"
    exit 2
    ;;
esac

quietly "$log"
# Ten of a kind are shown; the program writes no more, those that matter most first.
grep -E '^::(error|warning|notice) ' "$annotations" || true

if [[ ! -s "$document" ]]; then
  # Nothing differs from the base, or the program could not begin.
  printf '{"findings":[],"plans":[]}\n' > "$document"
fi
if [[ ! -s "$page" && "$command" != apply ]]; then
  if [[ $status -eq 0 ]]; then printf '### No new finding\n\nNothing differs.\n' > "$page"; fi
fi

case "$status" in
  0) conclusion=success ;;
  1) conclusion=findings ;;
  3) conclusion=incomplete ;;
  4) conclusion=blocked ;;
  *) conclusion=failure ;;
esac
if [[ "$command" == apply && $status -eq 1 ]]; then conclusion=not-verified; fi

if [[ "$command" == apply ]]; then
  bash "$(dirname "${BASH_SOURCE[0]}")/receipts.sh" "$report" > "$page"
  output receipts-count "$(jq 'if type == "array" then length elif has("outcome") then 1 else 0 end' "$document")"
else
  # The same levels as in the documentation: impact and confidence.
  jq -c '
    def level: if .impact >= 4 and .confidence == "HIGH" then 3
      elif (.impact >= 3 and .confidence != "LOW") or (.impact >= 4 and .confidence == "MED") then 2 else 1 end;
    def fresh: if .comparison then [.findings[] | select(.state == "introduced")] else .findings end;
    (.findings | map({key: .fingerprint, value: .evidence[0].file}) | from_entries) as $files |
    {
      findings: (.findings | length),
      fresh: (fresh | length),
      highest: (["none", "low", "medium", "high"][fresh | map(level) | max // 0]),
      usd: ((.cost.nano_usd // 0) / 1000000000),
      written: [.plans[]? | select(.outcome == "written" and (.path | test("^(advisor-)?plans/[A-Za-z0-9._/-]+[.]md$")))],
      folder: ([.plans[]?.path | strings | split("/")[0]][0] // "plans")
    } | .matrix = ([.written[] | {file: $files[.fingerprint], path}] | group_by(.file) | to_entries |
      map({name: ((.key + 1) | tostring), file: .value[0].file, plans: (.value | map(.path) | join(" "))}) | .[:256])' \
    "$document" > "$improve_folder/counts.json"
  count() { jq -r ".$1" "$improve_folder/counts.json"; }
  output findings-count "$(count findings)"
  output new-findings-count "$(count fresh)"
  output highest-severity "$(count highest)"
  output cost-usd "$(count usd)"
  output plans-count "$(jq '.written | length' "$improve_folder/counts.json")"
  output plans-dir "$(count folder)"
  output matrix "$(jq -c '.matrix' "$improve_folder/counts.json")"
  # Only what this run wrote: plans that came with the pull request are somebody else's word.
  while IFS= read -r plan; do
    if [[ -f "$plan" && ! -L "$plan" ]]; then
      mkdir -p "$report/$(dirname "$plan")"
      cp -- "$plan" "$report/$plan"
    fi
  done < <(jq -r '.written[].path' "$improve_folder/counts.json")
  output sarif-file "$(if [[ -s "$sarif" ]]; then printf '%s' "$sarif"; fi)"
fi
output json-file "$document"
output markdown-file "$page"
output report "$report"
output conclusion "$conclusion"

if is_true "${INPUT_SUMMARY:-true}" && [[ -s "$page" && -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
  # GitHub takes 1 MiB a step. A line that does not fit whole is left out.
  if [[ $(wc -c < "$page") -le 900000 ]]; then
    cat -- "$page" >> "$GITHUB_STEP_SUMMARY"
  else
    head -c 900000 -- "$page" | sed '$d' >> "$GITHUB_STEP_SUMMARY"
    printf '\nThe rest is left out: a summary holds no more. The JSON document has it all.\n' >> "$GITHUB_STEP_SUMMARY"
  fi
fi
