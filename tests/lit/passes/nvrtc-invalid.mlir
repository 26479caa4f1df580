// RUN: msa-opt %s --msa-nvrtc -verify-diagnostics

// expected-error @+1 {{no_such_template}}
msa.cuda_kernel @a {phase = "topk_select", source = "no_such_template", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32}
