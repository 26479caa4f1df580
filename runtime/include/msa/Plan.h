//===- Plan.h - everything that changes generated code --------------------===//
//
// A plan is a head configuration: plain data with print, parse, compare and
// hash. Lengths, pointers, batch sizes, streams and SM counts are never in it.
// JSON keys, `--set` keys and `#msa` attribute parameters are the same words
// (interfaces.md sections 2 and 6). `checkPlan` holds every rule of clause L1
// and L2; the dialect's verifiers call it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// A phase (one algorithm) or a pipeline of phases.
enum class Op : uint8_t {
  IndexScores,
  TopkSelect,
  GatherPlan,
  AttentionSplit,
  AttentionCombine,
  DenseAttention,
  SparseAttention, ///< pipeline: gather_plan, attention_split, attention_combine
  Prefill,         ///< pipeline: index_scores, topk_select, then sparse_attention
  Decode,          ///< named by the interface, refused until it exists
};

/// Operand types (clauses N1 to N3). `nvfp4` and `mxfp4` are two elements a byte.
enum class DType : uint8_t { BF16, F16, F32, E4M3, NVFP4, MXFP4 };

enum class KvKind : uint8_t { Contiguous, Paged };

/// Order of the selection's axes (clause T4).
enum class SelectionOrder : uint8_t {
  HeadMajor,  ///< [Hidx, S, k]
  TokenMajor, ///< [S, Hidx, k]
};

/// How a kernel is generated: the tile dialect, or portable CUDA C++ through NVRTC.
enum class Route : uint8_t { Auto, Tile, Cuda };

struct Heads {
  int query = 64;  ///< Hq
  int kv = 4;      ///< Hkv; the GQA ratio G is query / kv
  int index = 4;   ///< index query heads; equals kv
  int indexKv = 1; ///< index key heads; divides index
  bool operator==(const Heads &) const = default;
};

struct Precision {
  DType q = DType::BF16, k = DType::BF16, v = DType::BF16;
  DType indexQ = DType::BF16, indexK = DType::BF16;
  DType o = DType::BF16;
  DType partial = DType::BF16; ///< storage of partial_o (clause A4): f32 or bf16
  bool operator==(const Precision &) const = default;
};

struct KvLayout {
  KvKind kind = KvKind::Paged;
  int pageSize = 128; ///< tokens a page; 0 when contiguous
  bool operator==(const KvLayout &) const = default;
};

/// The part of a plan that the compiler chooses; a field with a value is pinned.
struct Schedule {
  std::optional<Route> route;
  /// Listed queries of one (KV head, block) that one split CTA takes; a multiple of 1.
  std::optional<int> chunk;
  bool isAuto() const { return !route && !chunk; }
  bool operator==(const Schedule &) const = default;
};

struct Plan {
  Op op = Op::Prefill;
  Heads heads;
  int headDim = 128;   ///< D
  int indexDim = 128;  ///< D_idx
  int blockSize = 128; ///< B, keys a block
  int topk = 16;       ///< k
  int forceFirst = 0;
  Precision precision;
  KvLayout kvLayout;
  SelectionOrder selectionOrder = SelectionOrder::HeadMajor;
  std::optional<double> softmaxScale; ///< none: 1/sqrt(D)
  bool blockMaxima = false;           ///< dense_attention also writes `scores` (clause A5)
  bool checked = false;               ///< kernels report contract errors into `status`
  std::string target = "sm_100a";
  Schedule schedule;

  int gqa() const { return heads.query / heads.kv; }
  /// The FP32 factor on raw logits.
  float scale() const;
  bool operator==(const Plan &) const = default;
};

/// The words of the interface for each enumerator, and back.
std::string_view toString(Op);
std::string_view toString(DType);
std::string_view toString(KvKind);
std::string_view toString(SelectionOrder);
std::string_view toString(Route);
std::optional<Op> parseOp(std::string_view);
std::optional<DType> parseDType(std::string_view);
std::optional<KvKind> parseKvKind(std::string_view);
std::optional<SelectionOrder> parseSelectionOrder(std::string_view);
std::optional<Route> parseRoute(std::string_view);

/// Bits of one element in memory: 32, 16, 8 or 4.
int bitsOf(DType);
/// Elements that share one block scale: 16 for nvfp4, 32 for mxfp4, else 0.
int scaleBlockOf(DType);
/// The phases that an op becomes, in launch order; a phase is itself.
std::vector<Op> phasesOf(Op);

/// Every rule of L1, L2 and A2 that needs no lengths; the first broken rule names its clause, the
/// value, and what is legal. The target must be in the target table.
Status checkPlan(const Plan &);

/// Parses schema 1. Missing keys take their defaults; unknown keys are errors that suggest the
/// nearest key; wrong types name the key's path. Does not run checkPlan.
Expected<Plan> parsePlanJson(std::string_view text);
/// Canonical form: sorted keys, every default written, no white space. This is what is hashed.
std::string canonicalJson(const Plan &);
/// The same content indented for people, keys in the order of the interface.
std::string prettyJson(const Plan &);
/// Sets one dotted key (`heads.query`, `precision.q`, `schedule.route`, ...) from text.
Status setPlanKey(Plan &, std::string_view key, std::string_view value);
/// 128-bit XXH3 of the canonical form, 32 hex digits.
std::string planHash(const Plan &);

/// A named plan that `--preset` accepts.
struct Preset {
  std::string_view name;
  std::string_view summary;
  Plan plan;
};
const std::vector<Preset> &presets();
/// The preset, or an error that lists the names and suggests the nearest.
Expected<Plan> findPreset(std::string_view name);

/// The candidate nearest to `word` by edit distance, or empty when none is near enough to suggest.
std::string_view nearestWord(std::string_view word,
                             const std::vector<std::string_view> &candidates);

} // namespace msa
