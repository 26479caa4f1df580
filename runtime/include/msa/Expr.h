//===- Expr.h - integer expressions over numbers the host knows -----------===//
//
// Grids, workspace sizes, scalar arguments and guards of a program are
// expressions, so that no length enters a plan (interfaces.md section 7).
// Grammar, lowest precedence first: `&&`, comparisons (< <= > >= == !=),
// `+ -`, `* /` (floor), unary `-`, and primary: integer, name,
// `ceildiv(a,b)`, `min(a,b)`, `max(a,b)`, parentheses. Truth is 1 and 0; both
// sides of `&&` are always evaluated.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// All that a host knows without reading the device.
struct Bounds {
  int64_t tokens = 0;    ///< S, query tokens in the call
  int64_t requests = 0;  ///< R
  int64_t maxQuery = 0;  ///< longest query length
  int64_t maxKv = 0;     ///< longest KV length
  int64_t maxBlocks = 0; ///< max over requests of ceil(L_r / B)
  int64_t pages = 0;     ///< physical pages (paged), or T, the KV tokens in all (contiguous)
  int64_t maxPages = 0;  ///< columns of the page table; 0 when contiguous
  int64_t smCount = 1;
  /// The slab of S that a looped group works on: [slabBegin, slabBegin + slab). Set by the
  /// launcher.
  int64_t slabBegin = 0;
  int64_t slab = 0;
};

/// Names that expressions may use, in the order of Bounds: tokens, requests, max_query, max_kv,
/// max_blocks, pages, max_pages, sm_count, slab_begin, slab.
const std::vector<std::string_view> &boundNames();

/// A parsed expression; immutable, cheap to copy.
class Expr {
public:
  /// Errors name the column, and suggest the nearest name for an unknown one. Nesting is limited.
  static Expected<Expr> parse(std::string_view text);
  /// Floor division and multiplication are checked: overflow and division by zero are errors.
  Expected<int64_t> evaluate(const Bounds &) const;
  /// The text it was parsed from.
  const std::string &text() const { return source; }

private:
  struct Node {
    enum class Kind : uint8_t {
      Int,
      Name,
      Neg,
      Add,
      Sub,
      Mul,
      Div,
      CeilDiv,
      Min,
      Max,
      Lt,
      Le,
      Gt,
      Ge,
      Eq,
      Ne,
      And
    };
    Kind kind;
    int64_t value = 0; ///< Int: the value; Name: index into boundNames()
    int lhs = -1, rhs = -1;
  };
  std::string source;
  std::shared_ptr<const std::vector<Node>> nodes; ///< postfix order; the root is last
  friend class ExprParser;
};

} // namespace msa
