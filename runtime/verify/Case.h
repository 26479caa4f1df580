//===- Case.h - a plan, its lengths and its tensors, as raw bits ----------===//
//
// What a case directory holds (interfaces.md section 3) and what the reference,
// the generators and the comparison work on. `Batch` derives every position
// (clauses P1 to P3) from the lengths; `tensorsOf` says which tensors a phase
// reads and writes and what shape each has.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Expr.h"
#include "msa/Plan.h"
#include "msa/Status.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace msa::verify {

/// How a tensor's bits are stored: the `.npy` types `<u2`, `|u1`, `<f4`, `<i4`.
enum class Element : uint8_t { U16, U8, F32, I32 };
size_t bytesOf(Element);
/// "<u2", "|u1", "<f4", "<i4".
std::string_view toString(Element);
/// The storage of one operand type; 4-bit types pack two elements in a U8.
Element elementOf(DType);

/// Raw bits, row-major.
struct Tensor {
  Element element = Element::F32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;

  Tensor() = default;
  /// All bits zero.
  Tensor(Element element, std::vector<int64_t> shape);
  int64_t count() const;
  template <typename T> T *as() { return reinterpret_cast<T *>(bytes.data()); }
  template <typename T> const T *as() const { return reinterpret_cast<const T *>(bytes.data()); }
  /// Fills with what unwritten cells hold: 0x7FC0DEAD words; U16 0x7FC0, or 0x7E00 when `f16`; U8
  /// 0x7F.
  void poison(bool f16 = false);
};

/// "[3, 4]".
std::string shapeText(const std::vector<int64_t> &);

/// Lengths of a call and what follows from them (clauses P1, P2).
class Batch {
public:
  Batch() = default;
  /// Fails (kindly) when the lists are empty, differ in length, or hold lengths that L1 excludes.
  static Expected<Batch> create(const Plan &, std::vector<int64_t> queryLens,
                                std::vector<int64_t> kvLens);

  std::vector<int64_t> queryLens, kvLens;
  std::vector<int32_t> cuQ, cuK;  ///< cu_seqlens, R + 1 entries
  std::vector<int32_t> requestOf; ///< request of each token
  int64_t blockSize = 1;
  int64_t maxBlocks = 0, maxQuery = 0, maxKv = 0;

  int64_t tokens() const { return cuQ.empty() ? 0 : cuQ.back(); }
  int64_t keys() const { return cuK.empty() ? 0 : cuK.back(); }
  int64_t requests() const { return static_cast<int64_t>(kvLens.size()); }
  /// Position of a token in its request; negative sees nothing (P1).
  int64_t position(int64_t token) const {
    int32_t r = requestOf[token];
    return kvLens[r] - queryLens[r] + (token - cuQ[r]);
  }
  /// The local block, or -1 when no block is visible (P2).
  int64_t localBlock(int64_t token) const {
    int64_t p = position(token);
    return p < 0 ? -1 : p / blockSize;
  }
};

/// A plan, lengths and tensors by name; inputs and outputs lie side by side.
struct Case {
  Plan plan;
  Batch batch;
  std::map<std::string, Tensor> tensors;

  bool has(const std::string &name) const { return tensors.count(name) != 0; }
  const Tensor *find(const std::string &name) const;
  bool paged() const { return plan.kvLayout.kind == KvKind::Paged; }
  /// Physical pages (paged) or rows T (contiguous), from whichever KV tensor is there.
  int64_t physicalPages() const;
  /// Columns of the page table; 0 when contiguous.
  int64_t maxPages() const;
  /// Row of position `position` of a request in a KV tensor of `heads` heads, in units of rows of
  /// the last axis (clause P3). The position must be below the request's KV length.
  int64_t kvRow(int64_t request, int64_t position, int64_t head, int64_t heads) const;
  /// What the host knows at launch; slab = tokens.
  Bounds bounds(int64_t smCount) const;
};

/// Which part a tensor plays in a phase.
enum class Part : uint8_t { Input, OptionalInput, Output };

/// A tensor of a phase. An extent of -1 is free (pages, KV rows, page table columns); a FP32 scale
/// is [1] or [scaleHeads].
struct TensorSpec {
  std::string name;
  Part part = Part::Input;
  Element element = Element::F32;
  std::vector<int64_t> shape;
  int64_t scaleHeads = 0;
  bool f16 = false;
};

/// The tensors that a phase reads and writes. `phase` is not a pipeline. The gather plan's arrays
/// are not case tensors and not listed.
std::vector<TensorSpec> tensorsOf(const Plan &, const Batch &, Op phase);
/// Every tensor of the plan's op: those of its phases, once each; a tensor that an earlier phase
/// writes is an Output.
std::vector<TensorSpec> tensorsOfOp(const Plan &, const Batch &);

/// Checks one tensor against its specification; the message names file, axis and both extents.
Status checkTensor(const TensorSpec &, const Tensor &);
/// Every required input of `phases` is there, each has its type and shape, page tables name
/// existing pages, and free extents agree with each other.
Status checkInputs(const Case &, const std::vector<Op> &phases);

} // namespace msa::verify
