#!/usr/bin/env bash
# One of our own cases (cases/), run by msa-sim under three schedules and compared with what numpy expects.
#
#   own-case.sh MSA_SIM CASE      exit 77 = skipped
set -euo pipefail
sim=$1 case=$2
if ! python3 -c 'import numpy' 2>/dev/null; then
  echo "SKIPPED: python3 with numpy is not installed"
  exit 77
fi
exec python3 -B "$(dirname "$0")/cases/cases.py" run "$case" --sim "$sim" --schedules eager,lazy,random:1 --timeout 120
