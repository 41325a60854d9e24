#!/usr/bin/env bash
# The last step: fails the job where that was asked for, now that everything is published.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${IMPROVE_CONCLUSION:-failure}" in
  success) ;;
  findings)
    note error 'findings at or above the level that stops: see the annotations and the summary'
    exit 1
    ;;
  not-verified)
    note warning 'not every plan was verified: the receipts say why'
    if [[ "${INPUT_FAIL_ON:-}" != never ]]; then exit 1; fi
    ;;
  incomplete) note warning 'not everything could be looked at: the log says what and why' ;;
  blocked) note warning 'a plan is blocked or waits for a person: the receipt says why' ;;
  *)
    note error 'the program could not do its work: the log says why'
    exit 1
    ;;
esac
