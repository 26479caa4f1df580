//===- Expr.cpp - integer expressions over numbers the host knows ---------===//
//
// See Expr.h for the grammar. The parser is recursive descent that emits
// postfix nodes; evaluation is one loop over them. Nesting is limited, so that
// a stranger's text cannot exhaust the stack.
//
//===----------------------------------------------------------------------===//
#include "msa/Expr.h"

#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>

namespace msa {
namespace {

constexpr int deepest = 64;
constexpr size_t longest = 4096;

constexpr int64_t Bounds::*members[] = {
    &Bounds::tokens, &Bounds::requests, &Bounds::maxQuery, &Bounds::maxKv,     &Bounds::maxBlocks,
    &Bounds::pages,  &Bounds::maxPages, &Bounds::smCount,  &Bounds::slabBegin, &Bounds::slab};

bool isWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

} // namespace

const std::vector<std::string_view> &boundNames() {
  static const std::vector<std::string_view> names = {
      "tokens", "requests",  "max_query", "max_kv",     "max_blocks",
      "pages",  "max_pages", "sm_count",  "slab_begin", "slab"};
  static_assert(std::size(members) == 10);
  return names;
}

/// Each method parses one level of the grammar and returns the index of its node.
class ExprParser {
public:
  using Node = Expr::Node;
  using Kind = Node::Kind;

  explicit ExprParser(std::string_view text) : text(text) {}

  Expected<Expr> parse() {
    if (text.size() > longest)
      return Status::invalid(
          fmt::format("an expression of {} characters; at most {}", text.size(), longest));
    MSA_RETURN_IF_ERROR(conjunction().status());
    if (peek() != '\0' || at != text.size())
      return wanted("an operator or the end");
    Expr expr;
    expr.source = text;
    expr.nodes = std::make_shared<const std::vector<Node>>(std::move(nodes));
    return expr;
  }

private:
  Expected<int> conjunction() {
    MSA_ASSIGN_OR_RETURN(int lhs, comparison());
    while (take("&&")) {
      MSA_ASSIGN_OR_RETURN(int rhs, comparison());
      lhs = add(Kind::And, lhs, rhs);
    }
    return lhs;
  }

  Expected<int> comparison() {
    MSA_ASSIGN_OR_RETURN(int lhs, sum());
    std::optional<Kind> kind = comparisonSign();
    if (!kind)
      return lhs;
    MSA_ASSIGN_OR_RETURN(int rhs, sum());
    // a < b < c reads like mathematics and would compare a truth value.
    if (comparisonSign())
      return wanted("one comparison; chain with &&");
    return add(*kind, lhs, rhs);
  }

  Expected<int> sum() {
    MSA_ASSIGN_OR_RETURN(int lhs, product());
    while (true) {
      bool plus = take("+");
      if (!plus && !take("-"))
        return lhs;
      MSA_ASSIGN_OR_RETURN(int rhs, product());
      lhs = add(plus ? Kind::Add : Kind::Sub, lhs, rhs);
    }
  }

  Expected<int> product() {
    MSA_ASSIGN_OR_RETURN(int lhs, unary());
    while (true) {
      bool times = take("*");
      if (!times && !take("/"))
        return lhs;
      MSA_ASSIGN_OR_RETURN(int rhs, unary());
      lhs = add(times ? Kind::Mul : Kind::Div, lhs, rhs);
    }
  }

  Expected<int> unary() {
    bool negate = false;
    while (take("-"))
      negate = !negate;
    MSA_ASSIGN_OR_RETURN(int operand, primary());
    return negate ? add(Kind::Neg, operand, -1) : operand;
  }

  Expected<int> primary() {
    char c = peek();
    if (isDigit(c))
      return integer();
    if (isWordStart(c))
      return word();
    if (!take("("))
      return wanted("a number, a name or '('");
    return nested([&] { return conjunction(); });
  }

  Expected<int> integer() {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc())
      return wanted("an integer below 2^63");
    at = static_cast<size_t>(end - text.data());
    nodes.push_back({Kind::Int, value});
    return last();
  }

  Expected<int> word() {
    size_t begin = at;
    while (at < text.size() && (isWordStart(text[at]) || isDigit(text[at])))
      ++at;
    std::string_view name = text.substr(begin, at - begin);
    for (auto [function, kind] :
         {std::pair("ceildiv", Kind::CeilDiv), {"min", Kind::Min}, {"max", Kind::Max}})
      if (name == function)
        return call(kind);
    const std::vector<std::string_view> &names = boundNames();
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      return Status::invalid(fmt::format("column {}: unknown name {}{}, ceildiv(a,b), min(a,b), "
                                         "max(a,b)",
                                         begin + 1, quoteText(name), suggestion(name, names)));
    nodes.push_back({Kind::Name, found - names.begin()});
    return last();
  }

  Expected<int> call(Kind kind) {
    if (!take("("))
      return wanted("'('");
    int lhs = -1, rhs = -1;
    return nested([&]() -> Expected<int> {
      MSA_ASSIGN_OR_RETURN(lhs, conjunction());
      if (!take(","))
        return wanted("','");
      MSA_ASSIGN_OR_RETURN(rhs, conjunction());
      return add(kind, lhs, rhs);
    });
  }

  /// The inside of parentheses that are already open.
  template <typename Inside> Expected<int> nested(Inside inside) {
    if (++depth > deepest)
      return Status::invalid(
          fmt::format("column {}: nested deeper than {} levels", at + 1, deepest));
    MSA_ASSIGN_OR_RETURN(int node, inside());
    --depth;
    if (!take(")"))
      return wanted("')'");
    return node;
  }

  std::optional<Kind> comparisonSign() {
    // The longer sign first.
    constexpr std::array<std::pair<std::string_view, Kind>, 6> signs = {{{"<=", Kind::Le},
                                                                         {">=", Kind::Ge},
                                                                         {"==", Kind::Eq},
                                                                         {"!=", Kind::Ne},
                                                                         {"<", Kind::Lt},
                                                                         {">", Kind::Gt}}};
    for (auto [sign, kind] : signs)
      if (take(sign))
        return kind;
    return std::nullopt;
  }

  int add(Kind kind, int lhs, int rhs) {
    nodes.push_back({kind, 0, lhs, rhs});
    return last();
  }
  int last() const { return static_cast<int>(nodes.size()) - 1; }

  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
      ++at;
    return at < text.size() ? text[at] : '\0';
  }
  bool take(std::string_view token) {
    peek();
    if (!text.substr(at).starts_with(token))
      return false;
    at += token.size();
    return true;
  }
  Status wanted(std::string_view what) {
    std::string got = at < text.size() ? quoteText(text.substr(at, 12)) : "the end";
    return Status::invalid(fmt::format("column {}: expected {}, got {}", at + 1, what, got));
  }

  std::string_view text;
  size_t at = 0;
  int depth = 0;
  std::vector<Node> nodes;
};

namespace {

/// Floor of a / b; `b` is not 0 and the quotient fits.
int64_t floorDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

Status divide(int64_t a, int64_t b, bool up, int64_t &out) {
  if (b == 0)
    return Status::invalid(fmt::format("division of {} by zero", a));
  if (a == std::numeric_limits<int64_t>::min() && b == -1)
    return Status::invalid("a quotient does not fit 64 bits");
  out = floorDivide(a, b) + (up && a % b != 0 ? 1 : 0);
  return {};
}

} // namespace

Expected<Expr> Expr::parse(std::string_view text) { return ExprParser(text).parse(); }

Expected<int64_t> Expr::evaluate(const Bounds &bounds) const {
  if (!nodes || nodes->empty())
    return Status::internal("an expression that was never parsed was evaluated");
  std::vector<int64_t> values(nodes->size());
  for (size_t i = 0; i < values.size(); ++i) {
    const Node &node = (*nodes)[i];
    int64_t a = node.lhs >= 0 ? values[static_cast<size_t>(node.lhs)] : 0;
    int64_t b = node.rhs >= 0 ? values[static_cast<size_t>(node.rhs)] : 0;
    int64_t &out = values[i];
    bool overflow = false;
    switch (node.kind) {
    case Node::Kind::Int:
      out = node.value;
      break;
    case Node::Kind::Name:
      out = bounds.*members[node.value];
      break;
    case Node::Kind::Neg:
      overflow = __builtin_sub_overflow(int64_t(0), a, &out);
      break;
    case Node::Kind::Add:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Node::Kind::Sub:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Node::Kind::Mul:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    case Node::Kind::Div:
    case Node::Kind::CeilDiv:
      MSA_RETURN_IF_ERROR(divide(a, b, node.kind == Node::Kind::CeilDiv, out).in(source));
      break;
    case Node::Kind::Min:
      out = std::min(a, b);
      break;
    case Node::Kind::Max:
      out = std::max(a, b);
      break;
    case Node::Kind::Lt:
      out = a < b;
      break;
    case Node::Kind::Le:
      out = a <= b;
      break;
    case Node::Kind::Gt:
      out = a > b;
      break;
    case Node::Kind::Ge:
      out = a >= b;
      break;
    case Node::Kind::Eq:
      out = a == b;
      break;
    case Node::Kind::Ne:
      out = a != b;
      break;
    case Node::Kind::And:
      out = a != 0 && b != 0;
      break;
    }
    if (overflow)
      return Status::invalid(source + ": a value does not fit 64 bits");
  }
  return values.back();
}

} // namespace msa
