#!/usr/bin/env bash
# msa-sim from the outside: what it prints, what it writes, how it exits.
#
#   command-line.sh MSA_SIM
set -uo pipefail
sim=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

# expect CODE WORDS COMMAND...: the exit code, and words of the output (both streams).
expect() {
  local code=$1 words=$2 got
  shift 2
  output=$("$@" 2>&1)
  got=$?
  if [ $got != "$code" ]; then
    echo "FAILED: exit $got, expected $code: $*"
    echo "$output"
    failures=$((failures + 1))
  elif ! grep -qF -- "$words" <<<"$output"; then
    echo "FAILED: no '$words' in the output of $*"
    echo "$output"
    failures=$((failures + 1))
  fi
}
check() {
  if ! "$@"; then
    echo "FAILED: $*"
    failures=$((failures + 1))
  fi
}

cat >scale.ptx <<'PTX'
.version 8.0
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 y, .param .u32 n, .param .u32 bad)
{
  .reg .pred %p<3>; .reg .b32 %r<6>; .reg .b64 %rd<5>;
  ld.param.u64 %rd1, [y];
  ld.param.u32 %r1, [n];
  ld.param.u32 %r5, [bad];
  mov.u32 %r2, %tid.x;
  setp.ge.u32 %p1, %r2, %r1;
  @%p1 bra DONE;
  mul.lo.u32 %r3, %r2, 3;
  mul.wide.u32 %rd2, %r2, 4;
  add.s64 %rd3, %rd1, %rd2;
  setp.ne.u32 %p2, %r5, 0;
  @%p2 st.global.u32 [%rd3+4096], %r3;
  st.global.u32 [%rd3], %r3;
DONE:
  ret;
}
PTX
spec() { # spec FILE BAD
  cat >"$1" <<JSON
{"entry": "scale", "grid": [1,1,1], "block": [32,1,1],
 "buffers": {"y": {"bytes": 128, "fill": "poison", "save": {"file": "y.npy", "dtype": "<u4", "shape": [32]}}},
 "params": [{"buffer": "y"}, {"s32": 30}, {"u32": $2}]}
JSON
}
spec good.json 0
spec bad.json 1

expect 0 "Examples:" "$sim" --help
expect 0 "msa-sim run kernel.ptx" "$sim" --help
expect 0 "--schedule" "$sim" run --help
expect 0 "msa-sim " "$sim" --version
expect 2 "subcommand" "$sim"
expect 2 "--frob" "$sim" run scale.ptx --launch good.json --frob
expect 2 "--launch" "$sim" run scale.ptx
expect 2 "'random'" "$sim" run scale.ptx --launch good.json --schedule rondom
expect 2 "unknown check" "$sim" run scale.ptx --launch good.json --checks Q1
expect 2 "'exact'" "$sim" run scale.ptx --launch good.json --mma exakt
expect 2 "none.ptx" "$sim" run none.ptx --launch good.json
expect 2 "none.json" "$sim" run scale.ptx --launch none.json
expect 2 "" "$sim" run . --launch good.json
expect 2 "--save" "$sim" run scale.ptx --launch good.json --save scale.ptx/out

# A run: output beside the launch file, or where --save says; nothing else.
expect 0 "scale: done" "$sim" run scale.ptx --launch good.json
check [ -f y.npy ]
rm y.npy
expect 0 "" "$sim" run scale.ptx --launch good.json --save out --quiet
check [ -z "$output" ]
check [ -f out/y.npy ]
check [ ! -e y.npy ]
# The last words of the array: 29 * 3, then the poison.
check [ "$(tail -c 12 out/y.npy | od -An -tx4 | tr -d ' \n')" = "000000577fc0dead7fc0dead" ]
expect 0 "global store bytes" "$sim" run scale.ptx --launch good.json --counters --save out
expect 0 '"global_store_bytes": 120' "$sim" run scale.ptx --launch good.json --counters --json --save out
expect 0 '"sectors_per_request": 4.0' "$sim" run scale.ptx --launch good.json --counters --json --save out
expect 0 '"trap": null' "$sim" run scale.ptx --launch good.json --json --save out
for schedule in eager lazy random; do
  expect 0 "done" "$sim" run scale.ptx --launch good.json --schedule $schedule --seed 5 --save out
done

# A trap: exit 1, located, no output file.
rm -rf out y.npy
expect 1 "scale.ptx:17" "$sim" run scale.ptx --launch bad.json --save out
check [ ! -e out ]
expect 1 "scale.ptx:17" "$sim" run scale.ptx --launch bad.json
check [ ! -e y.npy ]
expect 1 '"id": "X5"' "$sim" run scale.ptx --launch bad.json --json

# Wrong input is exit 2 and leaves nothing.
sed 's/"scale"/"scael"/' good.json >wrong.json
expect 2 "did you mean 'scale'" "$sim" run scale.ptx --launch wrong.json
sed 's/"s32"/"f64"/' good.json >wrong.json
expect 2 "params[1]" "$sim" run scale.ptx --launch wrong.json
sed 's/mul.lo/mull.lo/' scale.ptx >wrong.ptx
expect 2 "wrong.ptx:13:3" "$sim" run wrong.ptx --launch good.json
expect 2 "wrong.ptx:13:3" "$sim" lint wrong.ptx
sed 's/%r3, %r2, 3/%r9, %r2, 3/' scale.ptx >wrong.ptx
expect 2 "wrong.ptx:13:14" "$sim" run wrong.ptx --launch good.json
check [ ! -e y.npy ]

# Tensor maps are checked as the driver would.
for box in 16 17; do
  sed 's/"params"/"tensor_maps": {"t": {"buffer": "y", "type": "u8", "shape": [128], "strides_bytes": [], "box": ['$box']}}, "params"/' \
    good.json >map$box.json
done
expect 0 "scale: done" "$sim" run scale.ptx --launch map16.json --save out
expect 2 "a multiple of 16" "$sim" run scale.ptx --launch map17.json --save out

# Outputs stay in their folder.
sed 's/y.npy/..\/y.npy/' good.json >wrong.json
expect 2 "leaves the folder" "$sim" run scale.ptx --launch wrong.json

# A budget ends a kernel that spins.
sed 's/bra DONE/bra DONE;\nSPIN: bra SPIN/' scale.ptx >spin.ptx
expect 1 "[budget]" "$sim" run spin.ptx --launch good.json --budget 1000
expect 1 '"id": "budget"' "$sim" run spin.ptx --launch good.json --budget 1000 --json
expect 2 "--threads" "$sim" run scale.ptx --launch good.json --threads 5000
expect 0 "done" "$sim" run scale.ptx --launch good.json --threads 1 --mma auto --save out

# Every id of the documentation is known.
for id in P1 P2 P3 P4 P5 P6 P7 B1 B2 B3 B4 B5 B6 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 D1 D2 D3 D4 D5 \
  D6 M1 M2 M3 M4 W1 W2 W3 W4 X1 X2 X3 X4 X5 X6 X7 X8 X9; do
  expect 0 "done" "$sim" run scale.ptx --launch good.json --checks $id --save out
done

expect 0 "0 errors" "$sim" lint scale.ptx
sed 's/^DONE:/bar.sync 99;\nDONE:/' scale.ptx >lint.ptx
expect 1 "accepted: 0 to 15" "$sim" lint lint.ptx
expect 1 '"errors": 1' "$sim" lint lint.ptx --json
expect 0 "mma" "$sim" coverage
expect 0 "9.7" "$sim" coverage --target sm_80
expect 0 '"instructions"' "$sim" coverage --json
expect 0 '"refused_forms"' "$sim" coverage --json --target sm_100a
expect 0 "tcgen05" "$sim" coverage --target sm_100a
# Whole outputs: a pipe into grep -q may end the program before it has written all.
blackwell=$("$sim" coverage --target sm_100a) hopper=$("$sim" coverage --target sm_90a)
lists() { grep -q "^$2" <<<"$1"; }
lacks() { ! lists "$@"; }
check lists "$hopper" wgmma
check lists "$blackwell" tcgen05
check lacks "$blackwell" wgmma
check lacks "$hopper" tcgen05
expect 2 "sm80" "$sim" coverage --target sm80

[ $failures = 0 ] && echo "msa-sim's command line: all right"
exit $((failures > 0))
