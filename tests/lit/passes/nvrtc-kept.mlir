// PTX that is there is kept, and then no NVRTC is needed.
// RUN: env CUDA_HOME=/nonexistent PATH=/nonexistent %msa_opt %s --msa-nvrtc | FileCheck %s

// CHECK: msa.cuda_kernel @a {{.*}}ptx = "kept"
msa.cuda_kernel @a {phase = "topk_select", source = "no_such_template", entry = "e", target = "sm_80", defines = {}, args = [], grid = ["1", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32, ptx = "kept"}
