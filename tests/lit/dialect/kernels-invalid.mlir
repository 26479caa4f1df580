// RUN: msa-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'phase' must name a phase, not 'prefill'}}
msa.cuda_kernel @a {phase = "prefill", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'phase' must name a phase, not 'softmax'}}
msa.cuda_kernel @a {phase = "softmax", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'source' must be the name of a template, not '../etc/passwd'}}
msa.cuda_kernel @a {phase = "topk_select", source = "../etc/passwd", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'entry' must be a C identifier, not '2nd'}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "2nd", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{unknown target 'sm_10'}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_10", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{define 'a.b' must be a C identifier}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {a.b = "1"}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{define 'A' must be a string, but is 1 : i64}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {A = 1}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'grid' must have 3 expressions, but has 2}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'grid': }}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "tokens +", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'block' must have 3 extents, but has 1}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'block' must have 1 to 1024 threads}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 64, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'block' must have 1 to 1024 threads}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 0, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-error @+1 {{'dynamic_shared_bytes' must not be negative}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = -1 : i32}

// -----

// expected-error @+1 {{requires attribute 'entry'}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

// expected-note @+1 {{see existing symbol definition here}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}
// expected-error @+1 {{redefinition of symbol named 'a'}}
msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}

// -----

func.func @f() {
  // expected-error @+1 {{expects parent op 'builtin.module'}}
  msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}
  return
}

// -----

func.func @f(%b: !msa.batch) {
  // expected-error @+1 {{'@missing' is no kernel of this module}}
  msa.launch [@missing](%b) : (!msa.batch) -> ()
  return
}

// -----

func.func @f(%b: !msa.batch) {
  // expected-error @+1 {{'@f' is no kernel of this module}}
  msa.launch [@f](%b) : (!msa.batch) -> ()
  return
}

// -----

func.func @f(%b: !msa.batch) {
  // expected-error @+1 {{needs at least one kernel}}
  msa.launch [](%b) : (!msa.batch) -> ()
  return
}

// -----

msa.cuda_kernel @a {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}
// expected-note @+1 {{the other kernel}}
msa.cuda_kernel @b {phase = "index_scores", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}
func.func @f(%b: !msa.batch) {
  // expected-error @+1 {{launches kernels of 'topk_select' and 'index_scores', expected one phase}}
  msa.launch [@a, @b](%b) : (!msa.batch) -> ()
  return
}
