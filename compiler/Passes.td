//===- Passes.td - passes of the compiler ---------------------------------===//
//
// One file a pass. The target is an attribute of the module, never an option.
//
//===----------------------------------------------------------------------===//

#ifndef MSA_COMPILER_PASSES_TD
#define MSA_COMPILER_PASSES_TD

include "mlir/Pass/PassBase.td"

def SelectSchedulePass : Pass<"msa-select-schedule", "::mlir::ModuleOp"> {
  let summary = "Choose what a plan leaves open";
  let description = [{
    Fills `#msa.schedule` of every op with a plan, keeps what is pinned, and emits a remark
    that says what was chosen and why. A plan that pins the tile route is refused until that
    route exists. Afterwards every schedule is complete.
  }];
}

def DecomposePass : Pass<"msa-decompose", "::mlir::ModuleOp"> {
  let summary = "Turn pipeline ops into their phases";
  let description = [{
    `msa.prefill` and `msa.sparse_attention` become the phases that `phasesOf()` lists, with the
    same plan; tensors meet by name. Afterwards every op with a plan is a phase.
  }];
  let dependentDialects = ["::msa::ir::MsaDialect"];
}

def ConvertMsaToCudaPass : Pass<"convert-msa-to-cuda", "::mlir::ModuleOp"> {
  let summary = "Turn phases into kernels of the CUDA route";
  let description = [{
    Each phase becomes an `msa.launch` of the kernels that the kernel table gives for its plan:
    one `msa.cuda_kernel` for each specialised template, shared by phases that need the same.
    Phases must be scheduled on the CUDA route. Afterwards no op with a plan is left.
  }];
  let dependentDialects = ["::msa::ir::MsaDialect"];
}

def NvrtcPass : Pass<"msa-nvrtc", "::mlir::ModuleOp"> {
  let summary = "Compile kernels of the CUDA route to PTX";
  let description = [{
    Gives every `msa.cuda_kernel` its `ptx` attribute; one that has it already keeps it. Equal
    kernels of several modules are compiled once. Afterwards every kernel has PTX.
  }];
  let options = [
    ListOption<"cudaRoots", "cuda-roots", "std::string",
               "folders with lib64/ or lib/ in which NVRTC is looked for, before the program's own">,
    Option<"jobs", "jobs", "int", "0", "threads; 0 is one a core">,
  ];
}

#endif // MSA_COMPILER_PASSES_TD
