#!/usr/bin/env bash
# The first step: what this run is about, what it may do, and what is kept for it. It asks GitHub one thing at most: whether who started
# the run may write, and that only where a key would be spent.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

event_name="${GITHUB_EVENT_NAME:?}"
is_pull_request=false
is_fork=false
is_default=false
number=''
base=''
default_branch="$(event '.repository.default_branch')"

case "$event_name" in
  pull_request)
    is_pull_request=true
    number="$(event '.pull_request.number')"
    if [[ "$(event '.pull_request.head.repo.id')" != "$(event '.pull_request.base.repo.id')" ]]; then
      is_fork=true
    fi
    ;;
  pull_request_target | workflow_run)
    # These run with the rights of the repository; the files of a pull request have no place beside them.
    note error "the action is not for $event_name: use pull_request, which GitHub gives no secrets and no rights to write on forks"
    exit 2
    ;;
esac
if [[ -n "$default_branch" && "${GITHUB_REF:-}" == "refs/heads/$default_branch" ]]; then
  is_default=true
fi
if [[ -n "$number" && ! "$number" =~ ^[0-9]+$ ]]; then
  note error 'the event holds no number of a pull request'
  exit 2
fi

cd "${GITHUB_WORKSPACE:?}"
workspace="$(pwd -P)"
cd -- "${INPUT_WORKING_DIRECTORY:-.}"
folder="$(pwd -P)"
if [[ "$folder" != "$workspace" && "$folder" != "$workspace"/* ]]; then
  note error 'working-directory leads out of the workspace'
  exit 2
fi

# What a pull request is compared with, and whose settings it is judged by: of the commit that GitHub makes for it, the first parent.
# The job that puts receipts together has no checkout and needs none.
if $is_pull_request && [[ "${INPUT_COMMAND:-auto}" != collect ]]; then
  head="$(git rev-parse --verify --quiet HEAD)" || head=''
  second="$(git rev-parse --verify --quiet 'HEAD^2')" || second=''
  if [[ -n "$second" && "$head" == "${GITHUB_SHA:-}" && "$second" == "$(event '.pull_request.head.sha')" ]]; then
    base="$(git rev-parse --verify --quiet 'HEAD^1')" || base=''
  fi
  if [[ -z "$base" ]]; then
    base="$(event '.pull_request.base.sha')"
  fi
  if [[ ! "$base" =~ ^[0-9a-f]{40,64}$ ]] || ! git cat-file -e "$base^{commit}" 2> /dev/null; then
    note error "the commit this pull request starts from was not fetched: give actions/checkout \`fetch-depth: 0\`"
    exit 2
  fi
fi

command="${INPUT_COMMAND:-auto}"
case "$command" in
  auto)
    if $is_pull_request; then command=branch; else command=audit; fi
    if [[ "${INPUT_HAS_KEY:-false}" == true ]]; then command=plan; fi
    ;;
  branch | audit | plan | apply | collect | merge) ;;
  *)
    note error 'command is none of auto, branch, audit, plan, apply, collect, merge'
    exit 2
    ;;
esac
if [[ "$command" == branch ]] && ! $is_pull_request; then command=audit; fi
if $is_fork && [[ "$command" == apply ]]; then
  note warning 'a pull request from a fork: nothing of it is carried out here'
  command=none
fi

# may_spend: whether a key may be spent for who started this run. What is not known is a no.
may_spend() {
  if $is_fork; then
    note notice 'a pull request from a fork: built-in rules alone'
    return 1
  fi
  local who
  for who in "${GITHUB_ACTOR:-}" "${GITHUB_TRIGGERING_ACTOR:-${GITHUB_ACTOR:-}}"; do
    if [[ "$(event '.sender.type')" == Bot || "$who" == *'[bot]' ]]; then
      note notice 'started by a bot: built-in rules alone'
      return 1
    fi
    if [[ ! "$who" =~ ^[A-Za-z0-9_-]+$ ]]; then
      note warning 'nobody knows who started this run: built-in rules alone'
      return 1
    fi
    if [[ "${checked:-}" == "$who" ]]; then continue; fi
    api GET "/repos/$(repository)/collaborators/$who/permission"
    if [[ "$api_status" != 200 ]]; then
      note warning "whether $who may write could not be asked ($(api_said)): built-in rules alone"
      return 1
    fi
    case "$(jq -r '.permission // empty' "$api_body")" in
      admin | maintain | write) ;;
      *)
        note notice "$who may not write to this repository: built-in rules alone"
        return 1
        ;;
    esac
    checked="$who"
  done
}

spend=false
if [[ "${INPUT_HAS_KEY:-false}" == true && ( "$command" == plan || "$command" == apply ) ]] && may_spend; then
  spend=true
fi
if [[ "${INPUT_COMMAND:-auto}" == auto && "$command" == plan ]] && ! $spend; then
  if $is_pull_request; then command=branch; else command=audit; fi
fi

# What a cache is good for: the program as it is, and the settings that are in force.
sources="$(cd "${GITHUB_ACTION_PATH:?}" && find Cargo.toml Cargo.lock build.rs src templates -type f | LC_ALL=C sort |
  while IFS= read -r file; do printf '%s\n' "$file" && cat -- "$file"; done | digest)"
settings="$({ git show "${base:-HEAD}:improve.toml" 2> /dev/null || true; } | digest)"
system="${RUNNER_OS:-unknown}-${RUNNER_ARCH:-unknown}"
facts="improve-facts-$system-$sources-$settings"

output command "$command"
output folder "$folder"
output base "$base"
output number "$number"
output pull-request "$is_pull_request"
output fork "$is_fork"
output spend "$spend"
output tool "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/improve/$sources"
output tool-key "improve-tool-$system-$sources"
output facts "$RUNNER_TEMP/improve-facts"
output facts-key "$facts-${GITHUB_SHA:-none}"
output facts-prefix "$facts-"
# A pull request restores what the default branch saved and saves nothing: what it writes would be there for others.
output save "$is_default"
# A pull request from a fork has a token that only reads.
if $is_fork; then output may-write false; else output may-write true; fi
