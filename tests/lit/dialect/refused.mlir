// Text that MLIR's parser may not survive never reaches it: exit code 2 and a place.
// RUN: not msa-opt %S/Inputs/deep.mlir 2>&1 | FileCheck %s --check-prefix=DEEP
// RUN: not msa-opt %s 2>&1 | FileCheck %s --check-prefix=ARRAY

// DEEP: deep.mlir:1:{{[0-9]+}}: nested deeper than 200 levels
// ARRAY: refused.mlir:[[@LINE+1]]:{{[0-9]+}}: an array's elements are integers or floats, written without an alias
module attributes {a.b = array<index: 1>} {}
