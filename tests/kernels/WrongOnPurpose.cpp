// One clause at a time broken in a copy of the templates: the check must fail every time, and pass
// on the same input with the templates as they are. A break that the check misses is a defect of
// the check or of the input. Needs NVRTC; skips loudly without.
#include "TemplateCompiler.h"

#include "device/SimDevice.h"
#include "verify/Generate.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstdio>

using namespace msa;
using namespace msa::test;
using verify::GenerateOptions;

namespace {

/// An input on which a break shows.
struct Input {
  Plan plan;
  std::vector<int64_t> queries, keys;
  GenerateOptions options;
  bool spreadScales = false; ///< FP32 scales of neighbouring heads are far apart
};

Input inputFor(Op op, std::vector<int64_t> queries = {7, 1, 4},
               std::vector<int64_t> keys = {301, 64, 150}) {
  Plan plan;
  plan.op = op;
  plan.target = "sm_80";
  plan.heads = {4, 2, 2, 1};
  plan.headDim = plan.indexDim = 32;
  plan.blockSize = 32;
  plan.topk = 4;
  plan.kvLayout.pageSize = 16;
  plan.precision.partial = plan.precision.o = DType::F32;
  return {resolvedPlan(plan, 3), std::move(queries), std::move(keys), {.seed = 17}};
}

template <typename Change> Input with(Input input, Change change) {
  change(input);
  return input;
}

Input typed(Op op, DType q, DType kv) {
  return with(inputFor(op), [&](Input &in) {
    in.plan.precision.q = in.plan.precision.indexQ = q;
    in.plan.precision.k = in.plan.precision.v = in.plan.precision.indexK = kv;
    in.options.perHeadScales = in.spreadScales = true;
  });
}

struct Break {
  const char *name, *clause;
  std::vector<Edit> edits;
  Input input;
};

std::vector<Break> indexBreaks() {
  const Op op = Op::IndexScores;
  auto nan = [](Input &in) { in.options.nanIndexKeys = true; };
  return {
      {"a score for the local block",
       "I2",
       {{"index_scores.cu", "if (first + block < localBlock", "if (first + block <= localBlock"}},
       inputFor(op)},
      {"all-NaN block scores -inf",
       "I1",
       {{"index_scores.cu", "float best = __uint_as_float(0x7fffffffu);",
         "float best = __uint_as_float(0xff800000u);"}},
       with(inputFor(op), nan)},
      {"one NaN dot wins the block",
       "I1",
       {{"index_scores.cu", "best = fmaxf(best, fmaxf(fmaxf(x.x, x.y), fmaxf(x.z, x.w)));",
         "best = fmaxf(best, x.x + x.y - x.y);"}},
       with(inputFor(op), nan)},
      {"an FP32 factor enters a score",
       "N2",
       {{"index_scores.cu", "blockMaximum(shared.dots + row",
         "1.01f * blockMaximum(shared.dots + row"}},
       inputFor(op)},
      {"the wrong head's query",
       "I1",
       {{"index_scores.cu", "firstHead + (row0 + i) % sharing", "firstHead"}},
       inputFor(op)},
      {"page table ignored",
       "P3",
       {{"msa_paging.cuh", "int page = pageTable[(I64)r.index * maxPages + position / MSA_PAGE];",
         "int page = position / MSA_PAGE;"}},
       inputFor(op)},
      {"page table of the first request",
       "P3",
       {{"msa_paging.cuh", "pageTable[(I64)r.index * maxPages", "pageTable[0"}},
       inputFor(op)},
      {"4-bit nibbles swapped",
       "N3",
       {{"msa_types.cuh", "dequantised<Operand>(w, s), dequantised<Operand>(w >> 4, s)",
         "dequantised<Operand>(w >> 4, s), dequantised<Operand>(w, s)"}},
       typed(op, DType::BF16, DType::NVFP4)},
      {"the neighbour's block scale",
       "N3",
       {{"msa_types.cuh", "scales[at / scaleBlock(Type)]", "scales[at / scaleBlock(Type) ^ 1]"}},
       typed(op, DType::F16, DType::NVFP4)},
      {"one block scale for 32 elements of NVFP4",
       "N3",
       {{"msa_types.cuh", "return type == NVFP4 ? 16 : 32;", "return 32;"}},
       typed(op, DType::BF16, DType::NVFP4)},
      {"UE8M0 with E4M3's bias",
       "N3",
       {{"msa_types.cuh", "byte << 23);", "(byte + 1) << 23);"}},
       typed(op, DType::F32, DType::MXFP4)},
      {"4-bit keys beside E4M3 not rounded",
       "N5",
       {{"msa_types.cuh", "return Operand == E4M3 ? roundE4M3(x) : x;", "return x;"}},
       with(typed(op, DType::E4M3, DType::NVFP4), [](Input &in) { in.options.saturating = true; })},
      {"E4M3 with an exponent bias of 6",
       "N1",
       {{"msa_types.cuh", "__uint_as_float(size << 20) * 0x1p120f",
         "__uint_as_float(size << 20) * 0x1p121f"}},
       typed(op, DType::E4M3, DType::E4M3)},
  };
}

std::vector<Break> selectionBreaks() {
  const Op op = Op::TopkSelect;
  auto special = [](Input &in) { in.options.specialScores = true; };
  Input plain = inputFor(op), odd = with(inputFor(op), special);
  Input forced = with(plain, [](Input &in) { in.plan.forceFirst = 2; });
  return {
      {"ties to the higher block id",
       "T3",
       {{"topk_select.cu", "U32 preference(U32 id) { return ~id; }",
         "U32 preference(U32 id) { return id; }"}},
       odd},
      {"NaN ranks first", "T3", {{"topk_select.cu", "    order = 0;", "    order = ~0u;"}}, odd},
      {"-0 below +0", "T3", {{"topk_select.cu", "if (u == 0x80000000u)", "if (false)"}}, odd},
      {"denormal scores flushed",
       "T3",
       {{"topk_select.cu", "if (u == 0x80000000u)", "if ((u & 0x7f800000u) == 0)"}},
       odd},
      {"negative scores in reverse",
       "T3",
       {{"topk_select.cu", "u & 0x80000000u ? ~u", "u & 0x80000000u ? u ^ 0x80000000u"}},
       plain},
      {"local block not forced",
       "T2",
       {{"topk_select.cu", "out[MSA_K - 1] = local;", "out[MSA_K - 1] = local - 1;"}},
       plain},
      {"force_first ignored",
       "T2",
       {{"topk_select.cu", "#include \"msa_paging.cuh\"",
         "#include \"msa_paging.cuh\"\n#undef MSA_FORCE_FIRST\n#define MSA_FORCE_FIRST 0"}},
       forced},
      {"the last candidate forgotten",
       "T3",
       {{"topk_select.cu", "U64 rank = id < local ?", "U64 rank = id < local - 1 ?"}},
       plain},
      {"-1 written as 0 when few blocks are visible",
       "T1",
       {{"topk_select.cu", "slot <= local ? slot : -1", "slot <= local ? slot : 0"}},
       plain},
      {"head-major written for token-major",
       "T4",
       {{"msa_paging.cuh", "return MSA_TOKEN_MAJOR ? ", "return false ? "}},
       with(plain, [](Input &in) { in.plan.selectionOrder = SelectionOrder::TokenMajor; })},
      {"position off by one",
       "P1",
       {{"msa_paging.cuh", "return keys - endQuery + token;",
         "return keys - endQuery + token - 1;"}},
       inputFor(op, {7, 1, 4}, {295, 65, 150})},
  };
}

std::vector<Break> gatherBreaks() {
  const Op op = Op::GatherPlan;
  Input plain = inputFor(op);
  Input repeated = with(plain, [](Input &in) { in.options.repeatedIds = true; });
  Input invalid = with(plain, [](Input &in) { in.options.invalidIds = true; });
  return {
      {"slots in descending order",
       "A1",
       {{"gather_plan.cu", "slot += ids[other] < id;",
         "slot += ids[other] > id && ids[other] != noBlock;"}},
       plain},
      {"a repeated id counts twice",
       "A1",
       {{"msa_paging.cuh", "first &= ids[i] != id;", "first &= true;"}},
       repeated},
      {"-1 taken for a block",
       "A1",
       {{"msa_paging.cuh", "bool first = id >= 0 && id <= local;", "bool first = id <= local;"}},
       plain},
      {"an id beyond the local block accepted",
       "A1",
       {{"msa_paging.cuh", "bool first = id >= 0 && id <= local;", "bool first = id >= 0;"}},
       invalid},
      {"the list ends at the first invalid id",
       "A1",
       {{"msa_paging.cuh", "first &= ids[i] != id;",
         "first &= ids[i] != id && ids[i] >= 0 && ids[i] <= local;"}},
       invalid},
      {"lists not ascending",
       "A4",
       {{"gather_plan.cu", "for (int t = 0; t < token; ++t) {",
         "for (int t = token + 1; t < tokensHere; ++t) {"},
        {"gather_plan.cu", "earlierTokens(const Tile &tile, int token, int block)",
         "earlierTokens(const Tile &tile, int token, int block, int tokensHere)"},
        {"gather_plan.cu", "earlierTokens(tile, row, block)",
         "earlierTokens(tile, row, block, tokens)"}},
       plain},
      {"the last item of a list dropped",
       "A1",
       {{"gather_plan.cu", "for (U32 i = 0; i < count; i += MSA_CHUNK)",
         "for (U32 i = 0; i + MSA_CHUNK < count; i += MSA_CHUNK)"}},
       plain},
  };
}

std::vector<Break> splitBreaks() {
  const Op op = Op::AttentionSplit;
  Input plain = inputFor(op), fp8 = typed(op, DType::E4M3, DType::E4M3);
  return {
      {"tail of the local block not masked",
       "P1",
       {{"msa_attention.cuh", "float p = j <= lastKey[row] ?", "float p = j < Span ?"}},
       plain},
      {"one key too many is visible",
       "P1",
       {{"attention_split.cu", "request.position(slabBegin + token) - firstKey;",
         "request.position(slabBegin + token) - firstKey + 1;"}},
       plain},
      {"poisoned rows multiplied by zero",
       "P4",
       {{"msa_paging.cuh", "if (position >= r.keys)", "if (position >= (r.keys + 31) / 32 * 32)"}},
       plain},
      {"LSE in base 2",
       "A2",
       {{"attention_split.cu", "top * in.logitFactor + logf(sum)",
         "(top * in.logitFactor + logf(sum)) * log2e"}},
       plain},
      {"P by exp2 of a natural logit",
       "A3",
       {{"msa_attention.cuh", "(dot - maximum) * logitFactor * log2e",
         "(dot - maximum) * logitFactor"}},
       plain},
      {"partial O not normalised",
       "A4",
       {{"attention_split.cu", "in.valueFactor / (pFactor * sum)", "in.valueFactor / pFactor"}},
       plain},
      {"448 of E4M3 P not taken out",
       "N4",
       {{"msa_attention.cuh", "constexpr float pFactor = MSA_Q_TYPE == E4M3 ? 448.0f : 1.0f;",
         "constexpr float pFactor = 1.0f;"}},
       fp8},
      {"k scale of the wrong head",
       "N2",
       {{"msa_attention.cuh", "#define MSA_K_SCALE(head) kScale[head]",
         "#define MSA_K_SCALE(head) kScale[0]"}},
       fp8},
      {"v scale of the wrong head",
       "N2",
       {{"msa_attention.cuh", "#define MSA_V_SCALE(head) vScale[head]",
         "#define MSA_V_SCALE(head) vScale[MSA_HEADS_KV - 1 - head]"}},
       fp8},
      {"q scale left out",
       "N2",
       {{"msa_attention.cuh", "#define MSA_Q_SCALE(head) qScale[head]",
         "#define MSA_Q_SCALE(head) 1.0f"}},
       fp8},
      {"v scale applied to the logits too",
       "A3",
       {{"msa_attention.cuh", "softmaxScale * MSA_Q_SCALE(head) * MSA_K_SCALE(head)",
         "softmaxScale * MSA_Q_SCALE(head) * MSA_K_SCALE(head) * MSA_V_SCALE(head)"}},
       fp8},
      {"query heads interleaved over KV heads",
       "A1",
       {{"attention_split.cu", "MSA_HEADS_QUERY + head * gqa + group;",
         "MSA_HEADS_QUERY + group * MSA_HEADS_KV + head;"}},
       plain},
      {"the partial of slot k - 1 - s",
       "A1",
       {{"attention_split.cu", "* MSA_K + slot) * gqa", "* MSA_K + MSA_K - 1 - slot) * gqa"}},
       plain},
      {"V of the K head's neighbour page",
       "P3",
       {{"msa_paging.cuh", "* MSA_PAGE + position % MSA_PAGE;",
         "* MSA_PAGE + position % MSA_PAGE / 2;"}},
       plain},
  };
}

std::vector<Break> combineBreaks() {
  const Op op = Op::AttentionCombine;
  Input plain = inputFor(op), early = inputFor(op, {9, 3}, {4, 70}); // positions below 0
  return {
      {"combine weights by exp2 of a natural LSE",
       "A4",
       {{"attention_combine.cu", "{exp2f((low - base) * log2e), exp2f((high - base) * log2e)}",
         "{exp2f(low - base), exp2f(high - base)}"}},
       plain},
      {"LSE of the result in base 2",
       "A2",
       {{"attention_combine.cu", "top + logf(sum)", "top + log2f(sum)"}},
       plain},
      {"unused slots multiplied by zero",
       "A4",
       {{"attention_combine.cu", "if (weight == 0 || column >= MSA_D)", "if (column >= MSA_D)"},
        {"attention_combine.cu", "slot < used; ++slot", "slot < MSA_K; ++slot"}},
       plain},
      {"no visible key gives NaN",
       "A2",
       {{"attention_combine.cu", "float scale = sum == 0 ? 0 : 1 / sum;", "float scale = 1 / sum;"},
        {"attention_combine.cu", "float base = top == minusInfinity ? 0 : top;",
         "float base = top;"},
        {"attention_combine.cu", "float4 total = {0, 0, 0, 0};",
         "float4 total = {0 * scale, 0 * scale, 0 * scale, 0 * scale};"}},
       early},
      {"every slot weighs the same",
       "A4",
       {{"attention_combine.cu", "float weight = weights.at(slot) * scale;",
         "float weight = 1.0f / used;"}},
       plain},
      {"the last used slot forgotten",
       "A1",
       {{"attention_combine.cu", "slot < used; ++slot", "slot < used - 1; ++slot"}},
       plain},
  };
}

std::vector<Break> denseBreaks() {
  Input plain = inputFor(Op::DenseAttention);
  Input maxima = with(plain, [](Input &in) { in.plan.blockMaxima = true; });
  return {
      {"sums not corrected when the maximum grows",
       "A3",
       {{"dense_attention.cu", "tile.rowFactor[row] = correction;", "tile.rowFactor[row] = 1;"}},
       with(plain, [](Input &in) { in.options.largeLogits = true; })},
      {"no visible key gives NaN",
       "A2",
       {{"dense_attention.cu", "tile.rowFactor[i] = sum == 0 ? 0 : ", "tile.rowFactor[i] = "}},
       with(plain, [](Input &in) { in.queries = {9}, in.keys = {5}; })},
      {"block maxima scaled",
       "A5",
       {{"dense_attention.cu", "scores[firstBlock + b] = top;",
         "scores[firstBlock + b] = top * 0.9f;"}},
       maxima},
      {"block maximum over the masked keys",
       "A5",
       {{"dense_attention.cu", "last = min(tile.lastKey[row], first + MSA_B - 1);",
         "last = first + MSA_B - 1;"}},
       maxima},
      {"maxima of blocks after the local one written",
       "A5",
       {{"dense_attention.cu", "if (laneId() == 0 && first <= last)",
         "if (laneId() == 0 && firstBlock + b < 2)"}},
       with(maxima, [](Input &in) { in.queries = {2, 60}, in.keys = {300, 60}; })},
  };
}

/// What the check says about a run; empty when it finds nothing.
std::string findings(const Input &input, const KernelCompiler &compiler) {
  Op op = input.plan.op;
  auto made =
      verify::generate(input.plan, input.queries, input.keys,
                       op == Op::AttentionSplit ? std::vector{op} : phasesOf(op), input.options);
  if (!made)
    throw std::runtime_error(made.status().message());
  for (const char *name : {"q_scale", "k_scale", "v_scale"})
    if (verify::Tensor *scale = made->has(name) ? &made->tensors[name] : nullptr;
        scale && input.spreadScales)
      for (int64_t head = 0; head < scale->count(); ++head)
        scale->as<float>()[head] *= head % 2 ? 2.0f : 0.5f;
  SimDeviceOptions options;
  options.target = input.plan.target;
  auto device = makeSimDevice(options);
  if (!device)
    throw std::runtime_error(device.status().message());
  KernelRunner runner(**device, compiler);
  auto results = runner.runPhases(*made);
  if (results)
    return wrongText(*results);
  if (results.status().code() == StatusCode::CheckFailed) // the simulator trapped
    return results.status().message();
  throw std::runtime_error(results.status().message());
}

void findEach(const std::vector<Break> &breaks) {
  auto compiler = TemplateCompiler::open();
  if (!compiler) {
    WARN("SKIPPED: " << compiler.status().message());
    return;
  }
  for (const Break &each : breaks) {
    INFO(each.name << " (" << each.clause << ")");
    CHECK(findings(each.input, TemplateCompiler::with(*compiler)) == "");
    std::string found = findings(each.input, TemplateCompiler::with(*compiler, each.edits));
    CHECK(found != "");
    fmt::print("{:4} {:48} {}\n", each.clause, each.name, found.substr(0, found.find('\n')));
  }
}

} // namespace

TEST_CASE("wrong on purpose: index_scores", "[nvrtc][sim]") { findEach(indexBreaks()); }
TEST_CASE("wrong on purpose: topk_select", "[nvrtc][sim]") { findEach(selectionBreaks()); }
TEST_CASE("wrong on purpose: gather_plan", "[nvrtc][sim]") { findEach(gatherBreaks()); }
TEST_CASE("wrong on purpose: attention_split", "[nvrtc][sim]") { findEach(splitBreaks()); }
TEST_CASE("wrong on purpose: attention_combine", "[nvrtc][sim]") { findEach(combineBreaks()); }
TEST_CASE("wrong on purpose: dense_attention", "[nvrtc][sim]") { findEach(denseBreaks()); }
