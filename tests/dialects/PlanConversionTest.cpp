//===- PlanConversionTest.cpp - plans and IR carry the same ---------------===//
//
// Random legal plans of every op: plan -> module -> text -> module -> plan must
// be the identity, and every module must verify.
//
//===----------------------------------------------------------------------===//
#include "dialects/msa/PlanConversion.h"
#include "dialects/msa/MsaDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace msa;

namespace {

/// A generator of legal plans: fields are drawn on their own and illegal draws are thrown away.
class PlanSource {
public:
  explicit PlanSource(uint64_t seed) : rng(seed) {}

  Plan next() {
    for (;;) {
      Plan plan = draw();
      if (checkPlan(plan).ok())
        return plan;
    }
  }

private:
  int pick(int low, int high) { return low + static_cast<int>(rng() % (high - low + 1)); }
  template <typename T> T any(std::initializer_list<T> values) {
    return values.begin()[rng() % values.size()];
  }
  DType type() {
    return any({DType::BF16, DType::F16, DType::F32, DType::E4M3, DType::NVFP4, DType::MXFP4});
  }

  Plan draw() {
    Plan plan;
    plan.op = any({Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                   Op::AttentionCombine, Op::DenseAttention, Op::SparseAttention, Op::Prefill});
    plan.heads.kv = pick(1, 8);
    plan.heads.query = plan.heads.kv * pick(1, 128);
    plan.heads.index = plan.heads.kv;
    plan.heads.indexKv = any({1, plan.heads.kv});
    plan.headDim = 16 * pick(1, 16);
    plan.indexDim = 16 * pick(1, 16);
    plan.blockSize = 16 * pick(1, 16);
    plan.topk = pick(1, 64);
    plan.forceFirst = pick(0, plan.topk - 1);
    DType q = any({DType::BF16, DType::F16, DType::F32, DType::E4M3});
    DType iq = any({DType::BF16, DType::F16, DType::F32, DType::E4M3});
    plan.precision = {q,
                      any({q, type()}),
                      any({q, type()}),
                      iq,
                      any({iq, type()}),
                      any({DType::BF16, DType::F16, DType::F32}),
                      any({DType::F32, DType::BF16})};
    plan.kvLayout = any({KvLayout{KvKind::Contiguous, 0}, KvLayout{KvKind::Paged, plan.blockSize},
                         KvLayout{KvKind::Paged, plan.blockSize * pick(1, 4)}});
    plan.selectionOrder = any({SelectionOrder::HeadMajor, SelectionOrder::TokenMajor});
    if (pick(0, 1))
      plan.softmaxScale = scale();
    plan.blockMaxima = plan.op == Op::DenseAttention && pick(0, 1);
    plan.checked = pick(0, 1);
    plan.target = any({"sm_75", "sm_80", "sm_90a", "sm_100a"});
    if (pick(0, 1))
      plan.schedule.route = any({Route::Auto, Route::Cuda, Route::Tile});
    if (pick(0, 1))
      plan.schedule.chunk = pick(1, 4096);
    return plan;
  }

  /// Any positive finite double, bit by bit, and a few that print badly.
  double scale() {
    uint64_t bits = rng() & ~(uint64_t(1) << 63);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (pick(0, 3) == 0 || !std::isfinite(value) || value == 0)
      return any({0.1, 1.0 / 3, 1 / std::sqrt(192.0), 0.08838834764831843, 1e-30, 3.0});
    return value;
  }

  std::mt19937_64 rng;
};

std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}

struct Fixture {
  Fixture() : context(registry(), mlir::MLIRContext::Threading::DISABLED) {}
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry dialects;
    dialects.insert<ir::MsaDialect, mlir::func::FuncDialect>();
    return dialects;
  }
  mlir::MLIRContext context;
};

} // namespace

TEST_CASE_METHOD(Fixture, "a plan survives the way through IR and text") {
  uint64_t seed = GENERATE(1, 2, 3);
  PlanSource source(seed);
  for (int i = 0; i < 300; ++i) {
    Plan plan = source.next();
    INFO("seed " << seed << ", plan " << i << ": " << canonicalJson(plan));
    mlir::OwningOpRef<mlir::ModuleOp> module = ir::moduleFromPlans(context, {plan});
    REQUIRE(succeeded(mlir::verify(*module)));
    std::vector<ir::PlanOpInterface> ops = ir::planOpsIn(*module);
    REQUIRE(ops.size() == 1);
    REQUIRE(ir::planOf(ops[0]) == plan);

    std::string text = textOf(*module);
    auto again = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    REQUIRE(again);
    ops = ir::planOpsIn(*again);
    REQUIRE(ops.size() == 1);
    REQUIRE(ir::planOf(ops[0]) == plan);
    REQUIRE(textOf(*again) == text);
  }
}

TEST_CASE_METHOD(Fixture, "several plans are modules in one module, in order") {
  PlanSource source(7);
  std::vector<Plan> plans;
  for (int i = 0; i < 5; ++i)
    plans.push_back(source.next());
  mlir::OwningOpRef<mlir::ModuleOp> module = ir::moduleFromPlans(context, plans);
  REQUIRE(succeeded(mlir::verify(*module)));
  std::vector<Plan> back;
  for (ir::PlanOpInterface op : ir::planOpsIn(*module))
    back.push_back(ir::planOf(op));
  REQUIRE(back == plans);
}

TEST_CASE_METHOD(Fixture, "every preset is a module of every op") {
  const Preset &preset = presets()[GENERATE(range(size_t(0), size_t(5)))];
  Op op = GENERATE(Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                   Op::AttentionCombine, Op::DenseAttention, Op::SparseAttention, Op::Prefill);
  Plan plan = preset.plan;
  plan.op = op;
  INFO(preset.name << " " << toString(op));
  mlir::OwningOpRef<mlir::ModuleOp> module = ir::moduleFromPlans(context, {plan});
  REQUIRE(succeeded(mlir::verify(*module)));
  REQUIRE(ir::planOf(ir::planOpsIn(*module)[0]) == plan);
}

TEST_CASE_METHOD(Fixture, "an optional operand is found by name, a missing one is null") {
  Plan plan;
  plan.op = Op::DenseAttention;
  plan.precision.k = DType::NVFP4;
  mlir::OwningOpRef<mlir::ModuleOp> module = ir::moduleFromPlans(context, {plan});
  ir::PlanOpInterface op = ir::planOpsIn(*module)[0];
  REQUIRE(op.operandNamed("k_block_scale").getType() ==
          mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, 4, 128, 8},
                                      mlir::Float8E4M3FNType::get(&context)));
  REQUIRE(op.operandNamed("k_scale"));
  REQUIRE_FALSE(op.operandNamed("v_scale"));
  REQUIRE_FALSE(op.operandNamed("no_such_name"));
}
