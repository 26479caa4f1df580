//===- Tensors.cpp - the type of each named tensor under a plan -----------===//
//
// See Tensors.h. Dynamic dimensions are those that lengths decide.
//
//===----------------------------------------------------------------------===//
#include "dialects/msa/Tensors.h"

#include "dialects/msa/MsaDialect.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace msa::ir {
namespace {

constexpr int64_t dyn = ShapedType::kDynamic;

Type elementType(MLIRContext *context, DType type) {
  switch (type) {
  case DType::BF16:
    return BFloat16Type::get(context);
  case DType::F16:
    return Float16Type::get(context);
  case DType::F32:
    return Float32Type::get(context);
  case DType::E4M3:
    return Float8E4M3FNType::get(context);
  case DType::NVFP4:
  case DType::MXFP4:
    return IntegerType::get(context, 8);
  }
  return {};
}

/// The tensors that hold vectors of one plan dimension: q, k, v, index_q, index_k.
struct Operand {
  DType type;
  int64_t heads, dim;
  bool kv; ///< lies where the KV layout says
};

std::optional<Operand> operandOf(const Plan &plan, StringRef name) {
  const Heads &heads = plan.heads;
  const Precision &precision = plan.precision;
  if (name == "q")
    return Operand{precision.q, heads.query, plan.headDim, false};
  if (name == "k")
    return Operand{precision.k, heads.kv, plan.headDim, true};
  if (name == "v")
    return Operand{precision.v, heads.kv, plan.headDim, true};
  if (name == "index_q")
    return Operand{precision.indexQ, heads.index, plan.indexDim, false};
  if (name == "index_k")
    return Operand{precision.indexK, heads.indexKv, plan.indexDim, true};
  return std::nullopt;
}

/// The operand's axes with `last` as the last one.
SmallVector<int64_t> shapeOf(const Plan &plan, const Operand &operand, int64_t last) {
  if (operand.kv && plan.kvLayout.kind == KvKind::Paged)
    return {dyn, operand.heads, plan.kvLayout.pageSize, last};
  return {dyn, operand.heads, last};
}

TensorRule operandRule(MLIRContext *context, const Plan &plan, const Operand &operand) {
  int64_t last = bitsOf(operand.type) == 4 ? operand.dim / 2 : operand.dim;
  return {RankedTensorType::get(shapeOf(plan, operand, last), elementType(context, operand.type))};
}

/// FP32 scales: of 8-bit tensors one or one a head (N2), of nvfp4 likewise (N3); 1 when left out.
TensorRule scaleRule(MLIRContext *context, const Plan &plan, StringRef name,
                     const Operand &operand) {
  if (operand.type != DType::E4M3 && operand.type != DType::NVFP4)
    return {};
  int64_t heads = name == "q" ? plan.heads.kv : operand.heads;
  return {RankedTensorType::get({dyn}, Float32Type::get(context)), true, heads};
}

TensorRule blockScaleRule(MLIRContext *context, const Plan &plan, const Operand &operand) {
  int block = scaleBlockOf(operand.type);
  if (block == 0)
    return {};
  Type element = operand.type == DType::NVFP4 ? Type(Float8E4M3FNType::get(context))
                                              : Type(Float8E8M0FNUType::get(context));
  return {RankedTensorType::get(shapeOf(plan, operand, operand.dim / block), element)};
}

TensorRule fixed(ArrayRef<int64_t> shape, Type element) {
  return {RankedTensorType::get(shape, element)};
}

} // namespace

TensorRule tensorRule(MLIRContext *context, const Plan &plan, Op op, StringRef name) {
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32);
  const Heads &heads = plan.heads;
  if (std::optional<Operand> operand = operandOf(plan, name))
    return operandRule(context, plan, *operand);
  StringRef base = name;
  if (base.consume_back("_block_scale"))
    return blockScaleRule(context, plan, *operandOf(plan, base));
  if (base.consume_back("_scale"))
    return scaleRule(context, plan, base, *operandOf(plan, base));
  if (name == "batch")
    return {BatchType::get(context)};
  if (name == "scores" && op == Op::DenseAttention)
    return plan.blockMaxima ? fixed({heads.query, dyn, dyn}, f32) : TensorRule();
  if (name == "scores")
    return fixed({heads.index, dyn, dyn}, f32);
  if (name == "selection")
    return plan.selectionOrder == SelectionOrder::HeadMajor
               ? fixed({heads.index, dyn, plan.topk}, i32)
               : fixed({dyn, heads.index, plan.topk}, i32);
  if (name == "plan_offsets")
    return fixed({heads.kv, dyn, dyn}, i32);
  if (name == "plan_entries")
    return fixed({heads.kv, dyn}, i32);
  if (name == "plan_items")
    return fixed({heads.kv, dyn, 4}, i32);
  if (name == "partial_o")
    return fixed({dyn, heads.kv, plan.topk, plan.gqa(), plan.headDim},
                 elementType(context, plan.precision.partial));
  if (name == "partial_lse")
    return fixed({dyn, heads.kv, plan.topk, plan.gqa()}, f32);
  if (name == "o")
    return fixed({dyn, heads.query, plan.headDim}, elementType(context, plan.precision.o));
  if (name == "lse")
    return fixed({dyn, heads.query}, f32);
  return {};
}

bool accepts(const TensorRule &rule, Type type) {
  if (type == rule.type)
    return true;
  if (rule.scaleHeads == 0)
    return false;
  auto scale = dyn_cast<RankedTensorType>(type);
  return scale && scale.getRank() == 1 && scale.getElementType().isF32() && !scale.getEncoding() &&
         (scale.getDimSize(0) == 1 || scale.getDimSize(0) == rule.scaleHeads);
}

} // namespace msa::ir
