//===- Json.cpp - strict JSON with kind errors ----------------------------===//
//
// See Json.h. nlohmann's SAX interface hands malformed text over as a value,
// so nothing is thrown and the tree never grows deeper than allowed.
//
//===----------------------------------------------------------------------===//
#include "support/Json.h"

#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

using nlohmann::json;

namespace msa {
namespace {

/// "line 3, column 14" of the last of the first `count` bytes.
std::string placeOf(std::string_view text, size_t count) {
  std::string_view before = text.substr(0, std::clamp<size_t>(count, 1, text.size() + 1) - 1);
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  size_t start = before.rfind('\n');
  size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fmt::format("line {}, column {}", line, column);
}

/// The part of nlohmann's message that is for a person, without bytes that a terminal may mind.
std::string reasonOf(std::string_view what) {
  for (std::string_view before : {": syntax error while parsing ", "]"})
    if (size_t at = what.find(before); at != std::string_view::npos) {
      what.remove_prefix(at + before.size());
      break;
    }
  std::string out;
  for (char c : what.substr(0, 200)) {
    auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out;
}

/// Builds the tree. Callbacks return false to end the parse.
class TreeBuilder : public json::json_sax_t {
public:
  TreeBuilder(std::string_view text, int maxDepth) : text(text), maxDepth(maxDepth) {}

  json root;
  Status failure;

  bool null() override { return add(nullptr); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t &) override { return add(v); }
  bool string(string_t &v) override { return add(std::move(v)); }
  bool binary(binary_t &) override { return false; } // not in text
  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t &name) override {
    if (stack.back()->contains(name)) {
      failure = Status::invalid(fmt::format("key {} appears twice in one object", quoteText(name)));
      return false;
    }
    pendingKey = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &e) override {
    failure = Status::invalid(
        fmt::format("{}: not JSON: {}", placeOf(text, position), reasonOf(e.what())));
    return false;
  }

private:
  template <typename T> bool add(T &&v) {
    place(json(std::forward<T>(v)));
    return true;
  }

  json *place(json &&v) {
    if (stack.empty()) {
      root = std::move(v);
      return &root;
    }
    json &parent = *stack.back();
    if (parent.is_array()) {
      parent.push_back(std::move(v));
      return &parent.back();
    }
    return &(parent[pendingKey] = std::move(v));
  }

  bool open(json &&v) {
    if (static_cast<int>(stack.size()) == maxDepth) {
      failure = Status::invalid(fmt::format("nested deeper than {} levels", maxDepth));
      return false;
    }
    stack.push_back(place(std::move(v)));
    return true;
  }

  bool close() {
    stack.pop_back();
    return true;
  }

  std::string_view text;
  int maxDepth;
  /// The open containers. A parent gets no new member while a child is open, so they do not move.
  std::vector<json *> stack;
  std::string pendingKey;
};

} // namespace

Expected<json> parseJson(std::string_view text, int maxDepth) {
  // nlohmann's lexer takes a NUL for the end of the text and would not see what follows it.
  if (size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Status::invalid(placeOf(text, nul + 1) + ": not JSON: a NUL byte");
  TreeBuilder builder(text, maxDepth);
  try {
    if (!json::sax_parse(text.begin(), text.end(), &builder) && builder.failure.ok())
      builder.failure = Status::invalid("not JSON");
  } catch (const std::exception &e) { // out of memory
    builder.failure = Status::invalid(fmt::format("not readable as JSON: {}", e.what()));
  }
  if (!builder.failure.ok())
    return builder.failure;
  return std::move(builder.root);
}

std::string_view jsonTypeName(const json &v) {
  switch (v.type()) {
  case json::value_t::null:
    return "null";
  case json::value_t::object:
    return "an object";
  case json::value_t::array:
    return "an array";
  case json::value_t::string:
    return "a string";
  case json::value_t::boolean:
    return "a boolean";
  case json::value_t::number_float:
    return "a number with a fraction or exponent";
  case json::value_t::number_integer:
  case json::value_t::number_unsigned:
    return "an integer";
  default:
    return "something else";
  }
}

JsonFields::JsonFields(const json &value, std::string path) : value(value), path(std::move(path)) {
  if (!value.is_object())
    fail(Status::invalid(fmt::format("{}: expected an object, got {}",
                                     this->path.empty() ? "the whole text" : this->path,
                                     jsonTypeName(value))));
}

std::string JsonFields::pathOf(std::string_view key) const {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

void JsonFields::fail(Status status) {
  if (failure.ok())
    failure = std::move(status);
}

void JsonFields::failType(std::string_view key, std::string_view wanted, const json &got) {
  fail(Status::invalid(
      fmt::format("{}: expected {}, got {}", pathOf(key), wanted, jsonTypeName(got))));
}

const json *JsonFields::find(std::string_view key) {
  known.push_back(key);
  if (!value.is_object())
    return nullptr;
  auto it = value.find(std::string(key));
  return it == value.end() ? nullptr : &*it;
}

template <typename T> bool JsonFields::integral(const json &v, const std::string &at, T &out) {
  constexpr T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  if (!v.is_number_integer()) {
    fail(Status::invalid(fmt::format("{}: expected an integer, got {}", at, jsonTypeName(v))));
    return false;
  }
  bool fits = v.is_number_unsigned() ? v.get<uint64_t>() <= static_cast<uint64_t>(most)
                                     : std::in_range<T>(v.get<int64_t>());
  if (!fits) {
    fail(Status::invalid(
        fmt::format("{}: {} is out of range; accepted: {} to {}", at, v.dump(), least, most)));
    return false;
  }
  out = v.get<T>();
  return true;
}

void JsonFields::integer(std::string_view key, int &out) {
  if (const json *v = find(key))
    integral(*v, pathOf(key), out);
}

void JsonFields::integer64(std::string_view key, int64_t &out) {
  if (const json *v = find(key))
    integral(*v, pathOf(key), out);
}

void JsonFields::unsigned64(std::string_view key, uint64_t &out) {
  if (const json *v = find(key))
    integral(*v, pathOf(key), out);
}

void JsonFields::number(std::string_view key, double &out) {
  const json *v = find(key);
  if (!v)
    return;
  if (!v->is_number())
    return failType(key, "a number", *v);
  out = v->get<double>();
}

void JsonFields::boolean(std::string_view key, bool &out) {
  const json *v = find(key);
  if (!v)
    return;
  if (!v->is_boolean())
    return failType(key, "true or false", *v);
  out = v->get<bool>();
}

void JsonFields::text(std::string_view key, std::string &out) {
  const json *v = find(key);
  if (!v)
    return;
  if (!v->is_string())
    return failType(key, "a string", *v);
  out = v->get_ref<const std::string &>();
}

void JsonFields::texts(std::string_view key, std::vector<std::string> &out) {
  const json *v = array(key);
  if (!v)
    return;
  out.clear();
  for (const json &element : *v) {
    if (!element.is_string())
      return failType(fmt::format("{}[{}]", key, out.size()), "a string", element);
    out.push_back(element.get_ref<const std::string &>());
  }
}

template <typename T> void JsonFields::integralList(std::string_view key, std::vector<T> &out) {
  const json *v = array(key);
  if (!v)
    return;
  out.clear();
  for (const json &element : *v) {
    T number = 0;
    if (!integral(element, fmt::format("{}[{}]", pathOf(key), out.size()), number))
      return;
    out.push_back(number);
  }
}

void JsonFields::integers(std::string_view key, std::vector<int> &out) { integralList(key, out); }

void JsonFields::integers64(std::string_view key, std::vector<int64_t> &out) {
  integralList(key, out);
}

const json *JsonFields::child(std::string_view key) { return find(key); }

const json *JsonFields::array(std::string_view key) {
  const json *v = find(key);
  if (v && !v->is_array()) {
    failType(key, "an array", *v);
    return nullptr;
  }
  return v;
}

void JsonFields::require(std::string_view key) {
  if (value.is_object() && !value.contains(std::string(key)))
    fail(Status::invalid(fmt::format("{}: missing", pathOf(key))));
}

Status JsonFields::finish() {
  if (failure.ok())
    for (const auto &[key, member] : value.items())
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        fail(Status::invalid(
            fmt::format("unknown key {}{}", quoteText(pathOf(key)), suggestion(key, known))));
        break;
      }
  return failure;
}

} // namespace msa
