//===- Generate.cpp - seeded inputs for a plan and lengths ----------------===//
#include "verify/Generate.h"

#include "verify/GenerateValues.h"
#include "verify/Random.h"

#include <algorithm>
#include <set>

namespace msa::verify {
namespace {

/// Builds the tensors of one case. Each tensor draws from a generator of its own, so that a tensor
/// does not depend on which others are made.
class Generator {
public:
  Generator(Case &c, const GenerateOptions &options) : c(c), options(options) {}

  void make(const TensorSpec &spec) {
    Random rng(seedOf(spec.name));
    const Precision &p = c.plan.precision;
    const std::string &name = spec.name;
    if (name == "cu_seqlens_q")
      makeLengths(name, c.batch.cuQ);
    else if (name == "cu_seqlens_k")
      makeLengths(name, c.batch.cuK);
    else if (name == "page_table")
      makePageTable(rng);
    else if (name == "scores")
      makeScores(c, spec, options.specialScores, rng);
    else if (name == "selection")
      makeSelection(c, spec, options.repeatedIds, options.invalidIds, rng);
    else if (name == "partial_lse" || name == "partial_o")
      makePartials(c, spec, seedOf("partials"));
    else if (name == "q")
      makeQuery(spec, p.q, options.largeLogits ? 8.0 : 1.0, false, rng);
    else if (name == "index_q")
      makeQuery(spec, p.indexQ, 1.0, true, rng);
    else if (name == "k")
      makeKv(spec, p.k, p.q, c.plan.heads.kv, c.plan.headDim, rng);
    else if (name == "v")
      makeKv(spec, p.v, p.q, c.plan.heads.kv, c.plan.headDim, rng);
    else if (name == "index_k")
      makeKv(spec, p.indexK, p.indexQ, c.plan.heads.indexKv, c.plan.indexDim, rng);
  }

private:
  uint64_t seedOf(const std::string &name) const {
    uint64_t hash = 1469598103934665603ull ^ options.seed * 0x9E3779B97F4A7C15ull;
    for (char ch : name)
      hash = (hash ^ static_cast<uint8_t>(ch)) * 1099511628211ull;
    return hash;
  }

  void makeLengths(const std::string &name, const std::vector<int32_t> &values) {
    Tensor tensor(Element::I32, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.as<int32_t>());
    c.tensors[name] = std::move(tensor);
  }

  /// Pages in random physical order (P3); unused entries hold anything (P4).
  void makePageTable(Random &rng) {
    int64_t size = c.plan.kvLayout.pageSize;
    int64_t requests = c.batch.requests();
    int64_t columns =
        std::max<int64_t>(1, (c.batch.maxKv + size - 1) / size + options.extraColumns);
    pages = pagesNeeded() + options.sparePages;
    pages = std::max<int64_t>(pages, 1);
    std::vector<int32_t> order(pages);
    for (int64_t i = 0; i < pages; ++i)
      order[i] = static_cast<int32_t>(i);
    rng.shuffle(order);
    Tensor table(Element::I32, {requests, columns});
    size_t next = 0;
    for (int64_t r = 0; r < requests; ++r)
      for (int64_t i = 0; i < columns; ++i) {
        bool used = i * size < c.batch.kvLens[r];
        int32_t wild =
            options.wildTableEntries
                ? rng.pick<int32_t>({-1, 0x7FFFFFFF, -123456789, static_cast<int32_t>(pages)})
                : -1;
        table.as<int32_t>()[r * columns + i] = used ? order[next++] : wild;
      }
    c.tensors["page_table"] = std::move(table);
  }

  int64_t pagesNeeded() const {
    int64_t size = c.plan.kvLayout.pageSize, needed = 0;
    for (int64_t l : c.batch.kvLens)
      needed += (l + size - 1) / size;
    return needed;
  }

  ValueKind valueKind(DType type, double scale, bool index) const {
    ValueKind kind;
    kind.scale = scale;
    kind.saturating = options.saturating;
    kind.scaled = options.scales;
    kind.smallIntegers = index && options.equalScores;
    // Two factors of 1e-20; narrower types would round them to zero.
    if (index && options.denormalScores && (type == DType::F32 || type == DType::BF16))
      kind.scale = 1e-20;
    return kind;
  }

  void makeQuery(const TensorSpec &spec, DType type, double scale, bool index, Random &rng) {
    Tensor tensor(spec.element, spec.shape);
    RowFiller filler(type, static_cast<int>(spec.shape.back()), valueKind(type, scale, index), rng);
    for (int64_t row = 0; row < spec.shape[0] * spec.shape[1]; ++row)
      filler.fill(tensor, nullptr, row);
    c.tensors[spec.name] = std::move(tensor);
    makeScale(spec.name, type, c.plan.heads.kv, filler, rng);
  }

  void makeKv(const TensorSpec &spec, DType type, DType partner, int64_t heads, int dim,
              Random &rng) {
    bool index = spec.name == "index_k";
    std::vector<int64_t> shape = spec.shape;
    shape[0] = c.paged() ? existingPages() : c.batch.keys();
    Tensor tensor(spec.element, shape), blockScale;
    int group = scaleBlockOf(type);
    if (group) {
      shape.back() = dim / group;
      blockScale = Tensor(Element::U8, shape);
    }
    RowFiller filler(type, dim, valueKind(type, 1.0, index), rng);
    filler.poison(tensor, blockScale); // P4: unnamed pages and tails hold NaN
    bool nans = index && options.nanIndexKeys;
    for (int64_t r = 0; r < c.batch.requests(); ++r)
      for (int64_t j = 0; j < c.batch.kvLens[r]; ++j)
        for (int64_t h = 0; h < heads; ++h) {
          int64_t row = c.kvRow(r, j, h, heads);
          filler.fill(tensor, group ? &blockScale : nullptr, row);
          // Every fifth block is NaN throughout, and a tenth of the other rows in one element.
          bool wholeBlock = nans && (j / c.plan.blockSize + r + h) % 5 == 2;
          if (wholeBlock || (nans && rng.chance(0.1)))
            filler.fillNan(tensor, group ? &blockScale : nullptr, row, wholeBlock);
        }
    if (index && options.copiedBlocks) {
      copyBlocks(tensor, heads, seedOf("copies"));
      if (group)
        copyBlocks(blockScale, heads, seedOf("copies"));
    }
    c.tensors[spec.name] = std::move(tensor);
    if (group)
      c.tensors[spec.name + "_block_scale"] = std::move(blockScale);
    makeScale(spec.name, type, heads, filler, rng);
  }

  /// Makes a third of a request's complete blocks equal to one of the four before them, so that
  /// scores are equal to the last bit.
  void copyBlocks(Tensor &tensor, int64_t heads, uint64_t seed) {
    Random rng(seed);
    int64_t block = c.plan.blockSize;
    auto width = static_cast<int64_t>(bytesOf(tensor.element)) * tensor.shape.back();
    for (int64_t r = 0; r < c.batch.requests(); ++r)
      for (int64_t b = 1; b < c.batch.kvLens[r] / block; ++b) {
        int64_t from = b - 1 - rng.below(std::min<int64_t>(b, 4));
        if (!rng.chance(1.0 / 3))
          continue;
        for (int64_t j = 0; j < block; ++j)
          for (int64_t h = 0; h < heads; ++h)
            std::copy_n(tensor.bytes.data() + c.kvRow(r, from * block + j, h, heads) * width, width,
                        tensor.bytes.data() + c.kvRow(r, b * block + j, h, heads) * width);
      }
  }

  /// N2, N3: an FP32 scale that brings the values back to about 1.
  void makeScale(const std::string &name, DType type, int64_t heads, const RowFiller &filler,
                 Random &rng) {
    if (!options.scales || (type != DType::E4M3 && type != DType::NVFP4))
      return;
    Tensor scale(Element::F32, {options.perHeadScales && type == DType::E4M3 ? heads : 1});
    // Scales of neighbouring heads lie far apart: taking the wrong one must not pass for rounding.
    for (int64_t i = 0; i < scale.count(); ++i) {
      double spread = scale.count() == 1 ? 1.0 : i % 2 ? 2.0 : 0.5;
      scale.as<float>()[i] =
          static_cast<float>(filler.unit() * spread * (0.7 + 0.6 * rng.uniform()));
    }
    c.tensors[name + "_scale"] = std::move(scale);
  }

  int64_t existingPages() const {
    int64_t there = c.physicalPages();
    return there ? there : std::max<int64_t>(1, pagesNeeded() + options.sparePages);
  }

  Case &c;
  const GenerateOptions &options;
  int64_t pages = 0;
};

} // namespace

GenerateOptions thoroughOptions(uint64_t seed, bool checked) {
  GenerateOptions options;
  options.seed = seed;
  options.perHeadScales = true;
  options.saturating = true;
  options.nanIndexKeys = true;
  options.copiedBlocks = true;
  options.specialScores = true;
  options.repeatedIds = true;
  options.invalidIds = !checked;
  return options;
}

void generateMissing(Case &c, const std::vector<Op> &phases, const GenerateOptions &options) {
  Generator generator(c, options);
  std::set<std::string> written;
  std::vector<TensorSpec> needed;
  for (Op phase : phases) {
    std::vector<TensorSpec> specs = tensorsOf(c.plan, c.batch, phase);
    for (const TensorSpec &spec : specs)
      if (spec.part == Part::Input && !written.count(spec.name) && !c.has(spec.name))
        needed.push_back(spec);
    for (const TensorSpec &spec : specs)
      if (spec.part == Part::Output)
        written.insert(spec.name);
  }
  // What other tensors are placed or valued by comes first.
  for (bool first : {true, false})
    for (const TensorSpec &spec : needed)
      if ((spec.name == "page_table" || spec.name == "selection") == first && !c.has(spec.name))
        generator.make(spec);
}

Expected<Case> generate(const Plan &plan, std::vector<int64_t> queryLens,
                        std::vector<int64_t> kvLens, const std::vector<Op> &phases,
                        const GenerateOptions &options) {
  Case c;
  c.plan = plan;
  MSA_ASSIGN_OR_RETURN(c.batch, Batch::create(plan, std::move(queryLens), std::move(kvLens)));
  generateMissing(c, phases, options);
  return c;
}

} // namespace msa::verify
