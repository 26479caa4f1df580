//===- TestCase.h - small cases for the tests of the reference ------------===//
#pragma once

#include "verify/Formats.h"
#include "verify/Generate.h"
#include "verify/Reference.h"

#include <catch2/catch.hpp>

namespace msa::verify {

/// One head, D = D_idx = B = 16, k = 2, contiguous, F32 throughout: small enough to count by hand.
inline Plan tinyPlan(Op op) {
  Plan plan;
  plan.op = op;
  plan.target = "sm_80";
  plan.heads = {1, 1, 1, 1};
  plan.headDim = plan.indexDim = plan.blockSize = 16;
  plan.topk = 2;
  plan.kvLayout = {KvKind::Contiguous, 0};
  plan.softmaxScale = 1.0;
  Precision &p = plan.precision;
  p.q = p.k = p.v = p.indexQ = p.indexK = p.o = p.partial = DType::F32;
  return plan;
}

/// A case of zeros for the inputs of `op`.
inline Case zeroCase(const Plan &plan, std::vector<int64_t> queries, std::vector<int64_t> keys) {
  auto batch = Batch::create(plan, queries, keys);
  REQUIRE(batch.ok());
  Case c;
  c.plan = plan;
  c.batch = *batch;
  for (Op phase : phasesOf(plan.op))
    for (const TensorSpec &spec : tensorsOf(plan, c.batch, phase)) {
      if (spec.part != Part::Input || c.has(spec.name))
        continue;
      auto shape = spec.shape;
      for (int64_t &extent : shape)
        if (extent < 0)
          extent = c.batch.keys();
      Tensor tensor(spec.element, shape);
      if (spec.name == "cu_seqlens_q")
        std::copy(c.batch.cuQ.begin(), c.batch.cuQ.end(), tensor.as<int32_t>());
      if (spec.name == "cu_seqlens_k")
        std::copy(c.batch.cuK.begin(), c.batch.cuK.end(), tensor.as<int32_t>());
      if (spec.name == "selection")
        std::fill_n(tensor.as<int32_t>(), tensor.count(), -1);
      c.tensors[spec.name] = std::move(tensor);
    }
  return c;
}

} // namespace msa::verify
