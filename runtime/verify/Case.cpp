//===- Case.cpp - tensors and positions -----------------------------------===//
#include "verify/Case.h"

#include "verify/Formats.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace msa::verify {

size_t bytesOf(Element element) {
  switch (element) {
  case Element::U16:
    return 2;
  case Element::U8:
    return 1;
  case Element::F32:
  case Element::I32:
    break;
  }
  return 4;
}

std::string_view toString(Element element) {
  switch (element) {
  case Element::U16:
    return "<u2";
  case Element::U8:
    return "|u1";
  case Element::F32:
    return "<f4";
  case Element::I32:
    break;
  }
  return "<i4";
}

Element elementOf(DType type) {
  switch (type) {
  case DType::BF16:
  case DType::F16:
    return Element::U16;
  case DType::F32:
    return Element::F32;
  case DType::E4M3:
  case DType::NVFP4:
  case DType::MXFP4:
    break;
  }
  return Element::U8;
}

std::string shapeText(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Tensor::Tensor(Element element, std::vector<int64_t> extents)
    : element(element), shape(std::move(extents)) {
  bytes.resize(static_cast<size_t>(count()) * bytesOf(element));
}

int64_t Tensor::count() const {
  int64_t n = 1;
  for (int64_t extent : shape)
    n *= extent;
  return n;
}

void Tensor::poison(bool f16) {
  switch (element) {
  case Element::U16:
    std::fill_n(as<uint16_t>(), count(), f16 ? poisonF16 : poisonBf16);
    return;
  case Element::U8:
    std::fill(bytes.begin(), bytes.end(), uint8_t(0x7F));
    return;
  case Element::F32:
  case Element::I32:
    std::fill_n(as<uint32_t>(), count(), poisonF32);
  }
}

Expected<Batch> Batch::create(const Plan &plan, std::vector<int64_t> queryLens,
                              std::vector<int64_t> kvLens) {
  if (queryLens.empty())
    return Status::invalid("no requests: query_lens is empty; give at least one length");
  if (queryLens.size() != kvLens.size())
    return Status::invalid(
        fmt::format("query_lens has {} entries and kv_lens {}; both need one for each request",
                    queryLens.size(), kvLens.size()));
  constexpr int64_t limit = (int64_t(1) << 31) - 1;
  constexpr int64_t mostBlocks = 65536;
  Batch batch;
  batch.blockSize = plan.blockSize;
  batch.cuQ = {0};
  batch.cuK = {0};
  int64_t tokens = 0, keys = 0;
  for (size_t r = 0; r < queryLens.size(); ++r) {
    int64_t q = queryLens[r], l = kvLens[r];
    if (q < 0 || l < 0 || q > limit || l > limit)
      return Status::invalid(fmt::format(
          "request {}: lengths {} and {} must be in 0..{} (clause L1)", r, q, l, limit));
    int64_t blocks = (l + plan.blockSize - 1) / plan.blockSize;
    if (blocks > mostBlocks)
      return Status::invalid(fmt::format(
          "request {}: {} keys are {} blocks of {}; at most {} blocks a request (clause L1)", r, l,
          blocks, plan.blockSize, mostBlocks));
    tokens += q;
    keys += l;
    if (tokens > limit || keys > limit)
      return Status::invalid(fmt::format(
          "the lengths add up to {} query tokens and {} keys; both must be below 2^31 (clause L1)",
          tokens, keys));
    batch.cuQ.push_back(static_cast<int32_t>(tokens));
    batch.cuK.push_back(static_cast<int32_t>(keys));
    batch.maxBlocks = std::max(batch.maxBlocks, blocks);
    batch.maxQuery = std::max(batch.maxQuery, q);
    batch.maxKv = std::max(batch.maxKv, l);
    batch.requestOf.insert(batch.requestOf.end(), static_cast<size_t>(q), static_cast<int32_t>(r));
  }
  if (tokens == 0)
    return Status::invalid(
        "query_lens adds up to no token at all; at least one request needs a query token");
  batch.queryLens = std::move(queryLens);
  batch.kvLens = std::move(kvLens);
  return batch;
}

const Tensor *Case::find(const std::string &name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}

int64_t Case::physicalPages() const {
  for (const char *name : {"k", "v", "index_k"})
    if (const Tensor *t = find(name); t && !t->shape.empty())
      return t->shape[0];
  return 0;
}

int64_t Case::maxPages() const {
  const Tensor *table = find("page_table");
  return paged() && table && table->shape.size() == 2 ? table->shape[1] : 0;
}

int64_t Case::kvRow(int64_t request, int64_t position, int64_t head, int64_t heads) const {
  if (!paged())
    return (batch.cuK[request] + position) * heads + head;
  int64_t size = plan.kvLayout.pageSize;
  const Tensor &table = tensors.at("page_table");
  int64_t page = table.as<int32_t>()[request * table.shape[1] + position / size];
  return (page * heads + head) * size + position % size;
}

Bounds Case::bounds(int64_t smCount) const {
  Bounds b;
  b.tokens = b.slab = batch.tokens();
  b.requests = batch.requests();
  b.maxQuery = batch.maxQuery;
  b.maxKv = batch.maxKv;
  b.maxBlocks = batch.maxBlocks;
  b.pages = physicalPages();
  b.maxPages = maxPages();
  b.smCount = smCount;
  return b;
}

} // namespace msa::verify
