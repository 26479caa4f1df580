//===- Progress.h - long work shows that it lives -------------------------===//
//
// A bar that is redrawn on a terminal, a line now and then in a log, nothing
// when quiet. Always on standard error, so that results stay clean.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace msa {

struct ProgressOptions {
  bool quiet = false;
  std::FILE *stream = stderr;
  int columns = 79; ///< width of a redrawn line
  /// Time between two lines of a log; a bar is redrawn every tenth of a second.
  std::chrono::milliseconds logInterval{5000};
};

/// Counts steps of one piece of work; any thread may advance it.
///
///   Progress progress("simulate", phases, {.quiet = quiet});
///   progress.advance(1, "topk_select");
class Progress {
public:
  /// `total` 0 = unknown: the count is shown without a share.
  Progress(std::string label, uint64_t total, const ProgressOptions & = {});
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  /// Ends it when `finish` was not called.
  ~Progress();

  /// `note` says what is going on now; it replaces the last note.
  void advance(uint64_t steps = 1, std::string_view note = {});
  /// Shows what is going on without a step, at once.
  void note(std::string_view text);
  /// Removes the bar, or ends the log with the time taken. Idempotent.
  void finish();

private:
  void show(bool now);
  std::string line() const;

  const std::string label;
  const uint64_t total;
  const ProgressOptions options;
  const bool terminal;
  const std::chrono::steady_clock::time_point start;
  std::mutex mutex; ///< guards what follows
  std::chrono::steady_clock::time_point shown;
  uint64_t done = 0;
  std::string current;
  bool drawn = false, finished = false;
};

} // namespace msa
