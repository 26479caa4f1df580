//===- MlirText.cpp - refuses what MLIR's readers may not survive ---------===//
//
// A small scanner: strings and comments are skipped, brackets counted, runs of
// `-` outside arrows counted as nesting of their own, and aliases weighed.
//
//===----------------------------------------------------------------------===//
#include "compiler/MlirText.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

namespace msa {
namespace {

/// What the text is once every alias in it is written out, in bytes: `#b = [#a, #a]` is twice #a.
constexpr uint64_t maxExpansion = uint64_t(64) << 20;

/// "name:line:column: " of an offset.
std::string place(std::string_view text, size_t at, const std::string &name) {
  size_t line = 1, lineBegin = 0;
  for (size_t i = 0; i < at; ++i)
    if (text[i] == '\n') {
      ++line;
      lineBegin = i + 1;
    }
  return name + ":" + std::to_string(line) + ":" + std::to_string(at - lineBegin + 1) + ": ";
}

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool isNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '$';
}

class Scanner {
public:
  Scanner(std::string_view text, const std::string &name) : text(text), name(name) {}

  Status run() {
    // The magic may follow a split marker, so it is looked for everywhere.
    if (size_t at = text.find("ML\xEFR"); at != std::string_view::npos)
      return fail(at, "MLIR bytecode is not read; give MLIR text");
    for (size_t i = 0; i < text.size();) {
      // MLIR 22 allocates a resource with the alignment that the text gives, whatever it is.
      if (text.substr(i, 3) == "{-#")
        return fail(i, "resource sections are not read; none of our attributes needs one");
      size_t next = skipOpaque(i);
      if (next == i) {
        next = token(i);
        if (before == "array<" && isTrap(text.substr(i, next - i)))
          return fail(i, "an array's elements are integers or floats, written without an alias");
        remember(text.substr(i, next - i));
      }
      if (depth > maxNesting || minuses > maxNesting)
        return fail(i, "nested deeper than " + std::to_string(maxNesting) + " levels");
      bytes += next - i;
      if (bytes > maxExpansion)
        return fail(i, "aliases of aliases expand to more than " +
                           std::to_string(maxExpansion >> 20) + " MiB of text");
      i = next;
    }
    return {};
  }

private:
  Status fail(size_t at, const std::string &what) const {
    return Status::invalid(place(text, at, name) + what);
  }

  /// End of the string or comment that starts at `i`, or `i` when none does.
  size_t skipOpaque(size_t i) const {
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i)
        i += text[i] == '\\';
      return std::min(i + 1, text.size());
    }
    if (text.substr(i, 2) == "//")
      return std::min(text.find('\n', i), text.size());
    return i;
  }

  /// The end of the token that starts at `i`; counts what it opens, closes or expands to.
  size_t token(size_t i) {
    if (text[i] == '#' || text[i] == '!')
      return alias(i);
    if (!isNameChar(text[i]))
      return count(i);
    minuses = 0;
    return endOfName(i);
  }

  /// MLIR 22 reads the bit width of an array's element type before it knows that there is one:
  /// `array<index: 1>` ends the process.
  static bool isTrap(std::string_view word) { return word == "index" || word[0] == '!'; }

  void remember(std::string_view word) {
    if (isBlank(word[0]))
      return;
    before = before == "array" && word == "<" ? std::string_view("array<") : word;
  }

  size_t endOfName(size_t i) const {
    while (i < text.size() && isNameChar(text[i]))
      ++i;
    return i;
  }

  /// A definition starts a new weight, a use adds that of its alias. Returns the end of the name.
  size_t alias(size_t i) {
    size_t end = endOfName(i + 1);
    std::string_view word = text.substr(i, end - i);
    size_t after = end;
    while (after < text.size() && isBlank(text[after]))
      ++after;
    if (after < text.size() && text[after] == '=' && depth == 0) {
      weights[current] = bytes;
      current = word;
      bytes = 0;
    } else if (auto known = weights.find(word); known != weights.end()) {
      bytes = std::min(maxExpansion + 1, bytes + known->second);
    }
    minuses = 0;
    return end;
  }

  size_t count(size_t i) {
    char c = text[i];
    bool arrow = c == '>' && i > 0 && (text[i - 1] == '-' || text[i - 1] == '=');
    if (c == '(' || c == '[' || c == '{' || c == '<')
      ++depth;
    else if ((c == ')' || c == ']' || c == '}' || c == '>') && !arrow)
      depth = std::max(0, depth - 1);
    if (c == '-')
      ++minuses;
    else if (!isBlank(c))
      minuses = 0;
    return i + 1;
  }

  std::string_view text;
  const std::string &name;
  int depth = 0, minuses = 0;
  std::string_view before; ///< the token before; "array<" for that pair
  /// Bytes of each alias written out; the text outside of definitions goes to the last one.
  std::unordered_map<std::string_view, uint64_t> weights;
  std::string_view current;
  uint64_t bytes = 0;
};

} // namespace

Status checkMlirText(std::string_view text, const std::string &name) {
  return Scanner(text, name).run();
}

} // namespace msa
