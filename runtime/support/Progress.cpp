//===- Progress.cpp - long work shows that it lives -----------------------===//
//
// See Progress.h.
//
//===----------------------------------------------------------------------===//
#include "support/Progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

using std::chrono::steady_clock;

namespace msa {
namespace {

constexpr std::chrono::milliseconds redrawInterval{100};
constexpr size_t barCells = 24;
constexpr const char *clearLine = "\r\x1b[K";

double secondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

} // namespace

Progress::Progress(std::string label, uint64_t total, const ProgressOptions &options)
    : label(std::move(label)), total(total), options(options),
      terminal(!options.quiet && ::isatty(::fileno(options.stream)) == 1),
      start(steady_clock::now()), shown(start) {}

Progress::~Progress() { finish(); }

void Progress::advance(uint64_t steps, std::string_view note) {
  if (options.quiet)
    return;
  std::lock_guard lock(mutex);
  done += steps;
  if (!note.empty())
    current = note;
  show(false);
}

void Progress::note(std::string_view text) {
  if (options.quiet)
    return;
  std::lock_guard lock(mutex);
  current = text;
  show(terminal);
}

std::string Progress::line() const {
  std::string text = label;
  if (total > 0) {
    size_t filled = static_cast<size_t>(static_cast<double>(std::min(done, total)) /
                                        static_cast<double>(total) * barCells);
    if (terminal)
      text += fmt::format(" [{:#<{}}{:.<{}}]", "", filled, "", barCells - filled);
    text += fmt::format(" {}/{}", done, total);
  } else {
    text += fmt::format(" {}", done);
  }
  text += fmt::format(", {:.0f} s", secondsSince(start));
  if (!current.empty())
    text += ": " + current;
  return text;
}

void Progress::show(bool now) {
  if (finished)
    return;
  auto interval = terminal ? redrawInterval : options.logInterval;
  if (!now && steady_clock::now() - shown < interval)
    return;
  shown = steady_clock::now();
  drawn = true;
  std::string text = line();
  if (terminal)
    fmt::print(options.stream, "{}{}", clearLine,
               text.substr(0, static_cast<size_t>(std::max(options.columns, 1))));
  else
    fmt::print(options.stream, "{}\n", text);
  std::fflush(options.stream);
}

void Progress::finish() {
  if (options.quiet)
    return;
  std::lock_guard lock(mutex);
  if (finished)
    return;
  finished = true;
  // A log that never said anything needs no last word.
  if (!drawn)
    return;
  if (terminal)
    fmt::print(options.stream, "{}", clearLine);
  else
    fmt::print(options.stream, "{}: done, {:.1f} s\n", label, secondsSince(start));
  std::fflush(options.stream);
}

} // namespace msa
