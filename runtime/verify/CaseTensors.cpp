//===- CaseTensors.cpp - which tensors a phase has, and their shapes ------===//
//
// The table of interfaces.md section 3 as code, and the checks that a case
// keeps to it.
//
//===----------------------------------------------------------------------===//
#include "verify/Case.h"

#include "verify/Formats.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace msa::verify {
namespace {

bool isFourBit(DType type) { return bitsOf(type) == 4; }
/// Whether the type comes with an FP32 scale (clauses N2, N3).
bool hasScale(DType type) { return type == DType::E4M3 || type == DType::NVFP4; }

/// Collects the specifications of one phase.
class SpecList {
public:
  SpecList(const Plan &plan, const Batch &batch) : plan(plan), batch(batch) {}

  void add(const std::string &name, Part part, Element element, std::vector<int64_t> shape) {
    specs.push_back({name, part, element, std::move(shape), 0, false});
  }

  /// A floating-point tensor whose last axis is `dim` elements, with the scales of its type.
  void addTyped(const std::string &name, Part part, DType type, std::vector<int64_t> shape, int dim,
                int64_t scaleHeads) {
    shape.push_back(isFourBit(type) ? dim / 2 : dim);
    specs.push_back({name, part, elementOf(type), shape, 0, type == DType::F16});
    if (part == Part::Output)
      return;
    if (hasScale(type))
      specs.push_back({name + "_scale", Part::OptionalInput, Element::F32, {1}, scaleHeads, false});
    if (int group = scaleBlockOf(type)) {
      shape.back() = dim / group;
      specs.push_back({name + "_block_scale", Part::OptionalInput, Element::U8, shape, 0, false});
    }
  }

  void addKv(const std::string &name, DType type, int64_t heads, int dim) {
    std::vector<int64_t> shape = {-1, heads};
    if (plan.kvLayout.kind == KvKind::Paged)
      shape.push_back(plan.kvLayout.pageSize);
    addTyped(name, Part::Input, type, shape, dim, heads);
  }

  void addLengths() {
    add("cu_seqlens_q", Part::Input, Element::I32, {batch.requests() + 1});
    add("cu_seqlens_k", Part::Input, Element::I32, {batch.requests() + 1});
  }
  void addPageTable() {
    if (plan.kvLayout.kind == KvKind::Paged)
      add("page_table", Part::Input, Element::I32, {batch.requests(), -1});
  }
  void addScores(Part part, int64_t heads) {
    add("scores", part, Element::F32, {heads, batch.tokens(), batch.maxBlocks});
  }
  void addSelection(Part part) {
    int64_t h = plan.heads.index, s = batch.tokens(), k = plan.topk;
    add("selection", part, Element::I32,
        plan.selectionOrder == SelectionOrder::HeadMajor ? std::vector<int64_t>{h, s, k}
                                                         : std::vector<int64_t>{s, h, k});
  }
  void addPartials(Part part) {
    std::vector<int64_t> shape = {batch.tokens(), plan.heads.kv, plan.topk, plan.gqa()};
    add("partial_lse", part, Element::F32, shape);
    shape.push_back(plan.headDim);
    add("partial_o", part, elementOf(plan.precision.partial), shape);
  }
  void addQkv() {
    const Precision &p = plan.precision;
    addTyped("q", Part::Input, p.q, {batch.tokens(), plan.heads.query}, plan.headDim,
             plan.heads.kv);
    addKv("k", p.k, plan.heads.kv, plan.headDim);
    addKv("v", p.v, plan.heads.kv, plan.headDim);
  }
  void addOutput() {
    addTyped("o", Part::Output, plan.precision.o, {batch.tokens(), plan.heads.query}, plan.headDim,
             0);
    add("lse", Part::Output, Element::F32, {batch.tokens(), plan.heads.query});
  }

  const Plan &plan;
  const Batch &batch;
  std::vector<TensorSpec> specs;
};

} // namespace

std::vector<TensorSpec> tensorsOf(const Plan &plan, const Batch &batch, Op phase) {
  SpecList list(plan, batch);
  list.addLengths();
  switch (phase) {
  case Op::IndexScores:
    list.addTyped("index_q", Part::Input, plan.precision.indexQ, {batch.tokens(), plan.heads.index},
                  plan.indexDim, plan.heads.index);
    list.addKv("index_k", plan.precision.indexK, plan.heads.indexKv, plan.indexDim);
    list.addPageTable();
    list.addScores(Part::Output, plan.heads.index);
    break;
  case Op::TopkSelect:
    list.addScores(Part::Input, plan.heads.index);
    list.addSelection(Part::Output);
    break;
  case Op::GatherPlan:
    list.addSelection(Part::Input);
    break;
  case Op::AttentionSplit:
    list.addQkv();
    list.addPageTable();
    list.addSelection(Part::Input);
    list.addPartials(Part::Output);
    break;
  case Op::AttentionCombine:
    list.addPartials(Part::Input);
    list.addSelection(Part::Input);
    list.addOutput();
    break;
  case Op::DenseAttention:
    list.addQkv();
    list.addPageTable();
    list.addOutput();
    if (plan.blockMaxima)
      list.addScores(Part::Output, plan.heads.query);
    break;
  case Op::SparseAttention:
  case Op::Prefill:
  case Op::Decode:
    break;
  }
  return std::move(list.specs);
}

std::vector<TensorSpec> tensorsOfOp(const Plan &plan, const Batch &batch) {
  std::vector<TensorSpec> all;
  for (Op phase : phasesOf(plan.op))
    for (TensorSpec &spec : tensorsOf(plan, batch, phase)) {
      auto same = [&](const TensorSpec &other) { return other.name == spec.name; };
      if (std::none_of(all.begin(), all.end(), same))
        all.push_back(std::move(spec));
    }
  return all;
}

Status checkTensor(const TensorSpec &spec, const Tensor &tensor) {
  if (tensor.element != spec.element)
    return Status::invalid(fmt::format("tensor {}: element type {}, expected {}", spec.name,
                                       toString(tensor.element), toString(spec.element)));
  if (spec.scaleHeads != 0) {
    if (tensor.shape != std::vector<int64_t>{1} &&
        tensor.shape != std::vector<int64_t>{spec.scaleHeads})
      return Status::invalid(fmt::format("tensor {}: shape {}, expected [1] or [{}] (clause N2)",
                                         spec.name, shapeText(tensor.shape), spec.scaleHeads));
    for (int64_t i = 0; i < tensor.count(); ++i)
      if (float s = tensor.as<float>()[i]; !(s > 0) || std::isinf(s))
        return Status::invalid(
            fmt::format("tensor {}: entry {} is {}; scales are positive and finite (clause N2)",
                        spec.name, i, s));
    return {};
  }
  auto expected = [&] {
    std::string text = shapeText(spec.shape);
    for (size_t at; (at = text.find("-1")) != std::string::npos;)
      text.replace(at, 2, "any");
    return text;
  };
  bool fits = tensor.shape.size() == spec.shape.size();
  for (size_t i = 0; fits && i < spec.shape.size(); ++i)
    fits = spec.shape[i] < 0 || tensor.shape[i] == spec.shape[i];
  if (!fits)
    return Status::invalid(fmt::format("tensor {}: shape {}, expected {}", spec.name,
                                       shapeText(tensor.shape), expected()));
  return {};
}

namespace {

/// The page table names pages that exist, for every page that a request reaches (P3, P4).
Status checkPageTable(const Case &c, int64_t pages) {
  const Tensor &table = c.tensors.at("page_table");
  int64_t columns = table.shape[1], size = c.plan.kvLayout.pageSize;
  for (int64_t r = 0; r < c.batch.requests(); ++r) {
    int64_t needed = (c.batch.kvLens[r] + size - 1) / size;
    if (needed > columns)
      return Status::invalid(fmt::format("tensor page_table: request {} has {} keys, that is {} "
                                         "pages of {}, and the table has {} columns",
                                         r, c.batch.kvLens[r], needed, size, columns));
    for (int64_t i = 0; i < needed; ++i)
      if (int32_t page = table.as<int32_t>()[r * columns + i]; page < 0 || page >= pages)
        return Status::invalid(fmt::format(
            "tensor page_table: entry [{}, {}] is {}; pages are 0..{}", r, i, page, pages - 1));
  }
  return {};
}

Status checkLengths(const Case &c) {
  auto same = [&](const char *name, const std::vector<int32_t> &lengths) -> Status {
    const Tensor *t = c.find(name);
    if (!t)
      return {};
    for (size_t r = 0; r < lengths.size(); ++r)
      if (t->as<int32_t>()[r] != lengths[r])
        return Status::invalid(fmt::format("tensor {}: entry {} is {}, the lengths give {}", name,
                                           r, t->as<int32_t>()[r], lengths[r]));
    return {};
  };
  MSA_RETURN_IF_ERROR(same("cu_seqlens_q", c.batch.cuQ));
  return same("cu_seqlens_k", c.batch.cuK);
}

} // namespace

Status checkInputs(const Case &c, const std::vector<Op> &phases) {
  std::vector<std::string> written;
  int64_t rows = -1;
  std::string rowsOf;
  for (Op phase : phases) {
    std::vector<TensorSpec> specs = tensorsOf(c.plan, c.batch, phase);
    for (const TensorSpec &spec : specs) {
      if (spec.part == Part::Output ||
          std::find(written.begin(), written.end(), spec.name) != written.end())
        continue;
      const Tensor *tensor = c.find(spec.name);
      if (!tensor && spec.part == Part::Input)
        return Status::invalid(fmt::format("{} needs the tensor {} of shape {}, which is not there",
                                           toString(phase), spec.name, shapeText(spec.shape)));
      if (!tensor)
        continue;
      MSA_RETURN_IF_ERROR(checkTensor(spec, *tensor));
      bool kv = !spec.shape.empty() && spec.shape[0] < 0;
      if (kv && rows >= 0 && tensor->shape[0] != rows)
        return Status::invalid(fmt::format("tensor {}: {} {}, but {} has {}", spec.name,
                                           tensor->shape[0], c.paged() ? "pages" : "rows", rowsOf,
                                           rows));
      if (kv && rows < 0) {
        rows = tensor->shape[0];
        rowsOf = spec.name;
      }
    }
    for (const TensorSpec &spec : specs)
      if (spec.part == Part::Output)
        written.push_back(spec.name);
  }
  MSA_RETURN_IF_ERROR(checkLengths(c));
  if (rows < 0)
    return {};
  if (c.paged())
    return checkPageTable(c, rows);
  if (rows < c.batch.keys())
    return Status::invalid(
        fmt::format("tensor {}: {} rows, but kv_lens adds up to {}", rowsOf, rows, c.batch.keys()));
  return {};
}

} // namespace msa::verify
