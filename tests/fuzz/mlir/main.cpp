//===- main.cpp - mutated MLIR text ---------------------------------------===//
//
// Parses, verifies, and takes what was accepted through every pass that needs
// no NVRTC. A context keeps all attributes that it ever saw, so it is renewed.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"

#include "compiler/Diagnostics.h"
#include "compiler/ParseModule.h"
#include "compiler/Passes.h"
#include "dialects/msa/PlanConversion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/raw_ostream.h"

#include <memory>

// LLVM's own code is not instrumented: a container or an arena that crosses from it to us would
// look overflown or poisoned.
extern "C" const char *__asan_default_options() {
  return "detect_container_overflow=0:allow_user_poisoning=0";
}

namespace {

class Host {
public:
  bool run(std::string_view text) {
    if (uses++ % 2000 == 0)
      renew();
    auto module = msa::parseModule(*context, text, "fuzz.mlir");
    if (!module)
      return false;
    msa::DiagnosticCapture diagnostics(context.get());
    mlir::PassManager manager(context.get(), mlir::ModuleOp::getOperationName());
    std::vector<msa::Stage> stages = msa::cudaStages({});
    stages.pop_back(); // NVRTC
    for (msa::Stage &stage : stages)
      manager.addPass(std::move(stage.pass));
    bool converted = succeeded(manager.run(**module));
    std::string printed;
    llvm::raw_string_ostream stream(printed);
    (*module)->print(stream);
    return converted;
  }

private:
  void renew() {
    mlir::DialectRegistry registry;
    msa::registerDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    context->printOpOnDiagnostic(false);
  }
  std::unique_ptr<mlir::MLIRContext> context;
  size_t uses = 0;
};

/// Small: a function around one op, in the text that our printer writes.
std::string seed(msa::Op op, void (*change)(msa::Plan &)) {
  msa::Plan plan;
  plan.op = op;
  plan.target = "sm_80";
  change(plan);
  mlir::DialectRegistry registry;
  msa::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*msa::ir::moduleFromPlans(context, {plan}))->print(stream);
  return text;
}

} // namespace

int main(int argc, char **argv) {
  using msa::Op;
  auto plain = [](msa::Plan &) {};
  auto kv4 = [](msa::Plan &p) {
    p.precision = {msa::DType::E4M3,  msa::DType::NVFP4, msa::DType::MXFP4, msa::DType::E4M3,
                   msa::DType::MXFP4, msa::DType::F16,   msa::DType::F32};
    p.schedule = {msa::Route::Cuda, 16};
    p.softmaxScale = 0.1;
    p.checked = true;
  };
  msa::fuzz::Target target;
  target.name = "fuzz-mlir";
  for (Op op : {Op::TopkSelect, Op::GatherPlan, Op::IndexScores, Op::AttentionCombine,
                Op::DenseAttention, Op::SparseAttention, Op::Prefill})
    target.seeds.push_back(seed(op, plain));
  target.seeds.push_back(seed(Op::Prefill, kv4));
  target.seeds.push_back(seed(Op::AttentionSplit, kv4));
  target.seeds.push_back(R"mlir(module attributes {msa.target = "sm_80"} {
  msa.cuda_kernel @k {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {K = "16"},
    args = ["input f32 scores[4]"], grid = ["ceildiv(tokens, 4)", "1", "1"], block = array<i32: 32, 1, 1>, dynamic_shared_bytes = 0 : i32
}
  func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
    %0 = msa.launch [@k](%s, %b) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    return %0 : tensor<4x?x16xi32>
  }
  })mlir");
  // MLIR's own grammar, as far as text can reach it: attributes, types, locations.
  target.seeds.push_back(R"mlir(#map = affine_map<(d0, d1)[s0] -> (d0 + s0 * 2, d1 floordiv 3 - 1)>
!alias = tuple<i32, vector<4x[8]xf32>, memref<?x4xf16, strided<[?, 1], offset: 2>>>
module @m attributes {z.a = dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>, z.b = dense<1.5> : tensor<8xf32>, z.c = sparse<[[0, 1]], 3> : tensor<4x4xi8>,
    z.d = dense<"0x0000803F"> : tensor<1xf32>, z.e = array<i32: 1, 2>, z.f = affine_set<(d0) : (d0 - 1 >= 0)>, z.g = -7 : i9, z.h = 0x7FC0 : bf16, z.i = [unit, !alias, @m::@f],
    z.j = dense_resource<blob> : tensor<2xi32>, z.k = distinct[0]<42 : i32>, z.l = "s\0A", z.m = complex<f32>, z.n = #map} {
  func.func private @f(i32, (f32) -> (i1, index)) -> (i64 {x.y = 1 : si4}) loc(fused<"p">["a.mlir":1:2, callsite("b" at "c":3:4)])
  func.func private @h()
  func.func @g(%a: i32, %b: i32, %t: i1) -> i32 {
    %c = arith.addi %a, %b overflow<nsw> : i32
    func.call @h() : () -> ()
    %d = arith.select %t, %c, %a : i32
    return %d : i32 loc(#l)
  }
}
#l = loc("d.mlir":1:1)
)mlir");
  target.dictionary = {"#msa.heads<",
                       "#msa.schedule<route = cuda, chunk = ",
                       "!msa.batch",
                       "batch = %",
                       "msa.prefill(",
                       "operandSegmentSizes = array<i32: 1>",
                       "tensor<?x?xf32>",
                       "nvfp4",
                       "softmax_scale = 0x7FF0000000000000 : f64",
                       "block_maxima",
                       "loc(",
                       "\"msa.prefill\"(",
                       "msa.target",
                       "module {",
                       "}",
                       "f8E8M0FNU",
                       "affine_map<(d0) -> (d0)>",
                       "dense<\"0x\">",
                       "array<",
                       "index",
                       "#map",
                       "!alias",
                       "{-# dialect_resources: {"};
  Host host;
  target.run = [&](std::string_view text) { return host.run(text); };
  return msa::fuzz::runFuzz(target, argc, argv);
}
