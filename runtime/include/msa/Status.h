//===- Status.h - recoverable failure without exceptions ------------------===//
//
// What every function below `tools/` returns when its input can be wrong. A
// message says what was asked, what is wrong, and what would be accepted.
// Programs turn the code into their exit code (docs: interfaces, section 1).
//
//===----------------------------------------------------------------------===//
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace msa {

/// Why something failed. The values are the programs' exit codes.
enum class StatusCode : int {
  Ok = 0,
  CheckFailed = 1,  ///< it ran, and an answer is wrong (or a kernel trapped)
  InvalidInput = 2, ///< the caller's input is wrong; nothing was done
  Missing = 3,      ///< something is not available here: CUDA, a device, a library
  Internal = 4,     ///< our bug
};

/// Success, or a code with a message for a person. Cheap to move.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message) : failCode(code), text(std::move(message)) {}

  static Status checkFailed(std::string m) { return {StatusCode::CheckFailed, std::move(m)}; }
  static Status invalid(std::string m) { return {StatusCode::InvalidInput, std::move(m)}; }
  static Status missing(std::string m) { return {StatusCode::Missing, std::move(m)}; }
  static Status internal(std::string m) { return {StatusCode::Internal, std::move(m)}; }

  bool ok() const { return failCode == StatusCode::Ok; }
  explicit operator bool() const { return ok(); }
  StatusCode code() const { return failCode; }
  const std::string &message() const { return text; }
  /// The program's exit code.
  int exitCode() const { return static_cast<int>(failCode); }
  /// The same failure with "<where>: " put before the message.
  Status in(const std::string &where) const {
    return ok() ? *this : Status(failCode, where + ": " + text);
  }

private:
  StatusCode failCode = StatusCode::Ok;
  std::string text;
};

/// A value, or the Status that says why there is none.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : state(std::in_place_index<0>, std::move(value)) {}
  /// `failure` must not be ok.
  Expected(Status failure) : state(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state.index() == 0; }
  explicit operator bool() const { return ok(); }
  T &operator*() & { return std::get<0>(state); }
  const T &operator*() const & { return std::get<0>(state); }
  T &&operator*() && { return std::get<0>(std::move(state)); }
  T *operator->() { return &std::get<0>(state); }
  const T *operator->() const { return &std::get<0>(state); }
  /// The failure, or an ok Status when there is a value.
  Status status() const { return ok() ? Status() : std::get<1>(state); }

private:
  std::variant<T, Status> state;
};

} // namespace msa

/// Returns the failure of `expr` (a Status) from the enclosing function.
#define MSA_RETURN_IF_ERROR(expr)                                                                  \
  do {                                                                                             \
    if (::msa::Status msaStatus = (expr); !msaStatus.ok())                                         \
      return msaStatus;                                                                            \
  } while (false)

#define MSA_CONCAT_IMPL(a, b) a##b
#define MSA_CONCAT(a, b) MSA_CONCAT_IMPL(a, b)
/// `MSA_ASSIGN_OR_RETURN(auto x, f());` declares x from an Expected or returns its failure.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define MSA_ASSIGN_OR_RETURN(decl, expr)                                                           \
  auto MSA_CONCAT(msaExpected, __LINE__) = (expr);                                                 \
  if (!MSA_CONCAT(msaExpected, __LINE__).ok())                                                     \
    return MSA_CONCAT(msaExpected, __LINE__).status();                                             \
  decl = std::move(*MSA_CONCAT(msaExpected, __LINE__))
