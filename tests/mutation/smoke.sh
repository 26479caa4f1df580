#!/usr/bin/env bash
# Some mutants of some kernels: nearly all must be caught, whatever survives must be known.
#
#   smoke.sh MSA_MUTATE PTX_FOLDER      PTX_FOLDER holds ptx_cases.py; exit 77 = skipped
set -euo pipefail
mutate=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
skip() {
  echo "SKIPPED: $1"
  exit 77
}
[ -f "$folder/ptx_cases.py" ] || skip "no third-party kernels in $folder"
python3 -c 'import numpy' 2>/dev/null || skip "python3 with numpy is not installed"
cases=$(mktemp -d)
trap 'rm -rf "$cases"' EXIT
python3 -B "$here/make-cases.py" "$folder" "$cases" \
  triton_matmul_tma_sm90 cutlass_cpp_gemm_sm90 triton_matmul_tma_sm100 cutedsl_gemm_sm100
"$mutate" --limit 40 --seconds 20 --survivors "$here/survivors.txt" "$cases"/*
