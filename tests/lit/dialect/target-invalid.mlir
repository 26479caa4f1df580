// RUN: msa-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{unknown target 'sm_81', did you mean 'sm_8}}
module attributes {msa.target = "sm_81"} {}

// -----

// expected-error @+1 {{'msa.target' must be a string, e.g. "sm_80"}}
module attributes {msa.target = 80 : i32} {}

// -----

// expected-error @+1 {{has an unknown attribute 'msa.arch' (accepted: msa.target)}}
module attributes {msa.arch = "sm_80"} {}

// -----

// expected-error @+1 {{'msa.target' belongs on a module}}
func.func private @f() attributes {msa.target = "sm_80"}
