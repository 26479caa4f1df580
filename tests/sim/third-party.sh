#!/usr/bin/env bash
# One kernel that another compiler wrote, run by msa-sim and compared with its expected outputs.
#
#   third-party.sh MSA_SIM FOLDER CASE      FOLDER holds ptx_cases.py; exit 77 = skipped
set -euo pipefail
sim=$1 folder=$2 case=$3
skip() {
  echo "SKIPPED: $1"
  exit 77
}
[ -f "$folder/ptx_cases.py" ] || skip "no third-party kernels in $folder"
python3 -c 'import numpy' 2>/dev/null || skip "python3 with numpy is not installed"
exec python3 -B "$folder/ptx_cases.py" run "$case" --sim "$sim" --timeout 120
