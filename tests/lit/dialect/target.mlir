// A module names its target; modules may nest, each with its own.
// RUN: msa-opt %s | msa-opt | FileCheck %s

// CHECK: module attributes {msa.target = "sm_80"} {
module attributes {msa.target = "sm_80"} {
  // CHECK: module attributes {msa.target = "sm_100a"} {
  module attributes {msa.target = "sm_100a"} {}
}
