//===- Json.h - strict JSON with kind errors ------------------------------===//
//
// Every JSON text that a person or a stranger gives us is read here: malformed
// text is an error with line and column, duplicate keys, trailing text and deep
// nesting are errors, and no exception escapes. JsonFields then reads an object
// key by key, so that wrong types and unknown keys name their path.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// Parses one JSON value (RFC 8259, no comments) with at most `maxDepth` nested arrays and objects.
Expected<nlohmann::json> parseJson(std::string_view text, int maxDepth = 32);

/// The type of a value as a person says it: "an integer", "a string", ...
std::string_view jsonTypeName(const nlohmann::json &);

/// Reads one object. Each call names a key that the object may have; `finish` reports the first
/// failure, or else a key that no call named. A key that is absent leaves `out` alone.
///
///   JsonFields fields(value, "heads");
///   fields.integer("query", heads.query);
///   MSA_RETURN_IF_ERROR(fields.finish());
class JsonFields {
public:
  /// `path` is the object's own place ("" for the root); `value` must outlive the reader. A value
  /// that is not an object is a failure.
  JsonFields(const nlohmann::json &value, std::string path);

  void integer(std::string_view key, int &out);
  void integer64(std::string_view key, int64_t &out);
  /// Not negative.
  void unsigned64(std::string_view key, uint64_t &out);
  /// Any finite number.
  void number(std::string_view key, double &out);
  void boolean(std::string_view key, bool &out);
  void text(std::string_view key, std::string &out);
  void texts(std::string_view key, std::vector<std::string> &out);
  void integers(std::string_view key, std::vector<int> &out);
  void integers64(std::string_view key, std::vector<int64_t> &out);
  /// The member itself, or null when absent.
  const nlohmann::json *child(std::string_view key);
  /// Like `child`, of an array; any other type is a failure.
  const nlohmann::json *array(std::string_view key);
  /// An absent key is a failure.
  void require(std::string_view key);

  /// The path of a member: "heads.query".
  std::string pathOf(std::string_view key) const;
  /// Records a failure of the caller's; the first one counts.
  void fail(Status);
  /// Records "<path>: expected <wanted>, got <type>".
  void failType(std::string_view key, std::string_view wanted, const nlohmann::json &got);
  bool ok() const { return failure.ok(); }
  Status finish();

private:
  const nlohmann::json *find(std::string_view key);
  template <typename T> bool integral(const nlohmann::json &, const std::string &at, T &out);
  template <typename T> void integralList(std::string_view key, std::vector<T> &out);

  const nlohmann::json &value;
  std::string path;
  std::vector<std::string_view> known; ///< keys that were asked for; the caller's strings
  Status failure;
};

} // namespace msa
