#!/usr/bin/env bash
# Every third-party case and every own case under eager, lazy and random with seeds 1 to 5, all checks on.
# Not a test of ctest, which runs the first group eagerly and the second under three schedules.
#
#   all-schedules.sh MSA_SIM [FOLDER_OF_PTX_CASES]      exit 1 when a case is not right
set -uo pipefail
sim=$1 here=$(cd "$(dirname "$0")" && pwd)
folder=${2:-$here/../../../shared/ptx}
failed=0
python3 -B "$here/cases/cases.py" run all --sim "$sim" \
  --schedules eager,lazy,random:1,random:2,random:3,random:4,random:5 --timeout 120 || failed=1
if [ ! -f "$folder/ptx_cases.py" ]; then
  echo "SKIPPED: no third-party kernels in $folder"
  exit $failed
fi
for schedule in eager lazy "random 1" "random 2" "random 3" "random 4" "random 5"; do
  read -r kind seed <<<"$schedule"
  echo "== third-party cases, $schedule"
  python3 -B "$folder/ptx_cases.py" run all --sim "$sim" --timeout 60 "--sim-arg=--schedule=$kind" \
    ${seed:+"--sim-arg=--seed=$seed"} || failed=1
done
exit $failed
