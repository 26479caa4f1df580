//===- ProgressTest.cpp - what a log and a terminal see -------------------===//
#include "support/Progress.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace msa;

namespace {

/// What the work wrote into a file that stands for a log.
template <typename Work> std::string logOf(Work work) {
  std::FILE *file = std::tmpfile();
  REQUIRE(file);
  work(file);
  auto size = static_cast<size_t>(std::ftell(file));
  std::rewind(file);
  std::string out(size, '\0');
  REQUIRE(std::fread(out.data(), 1, size, file) == size);
  std::fclose(file);
  return out;
}

} // namespace

TEST_CASE("a log gets lines now and then, and a last one") {
  std::string log = logOf([](std::FILE *file) {
    Progress progress("simulate", 4, {.stream = file, .logInterval = std::chrono::milliseconds(0)});
    progress.advance(1, "index_scores");
    progress.advance(3);
  });
  CHECK(log == "simulate 1/4, 0 s: index_scores\nsimulate 4/4, 0 s: index_scores\n"
               "simulate: done, 0.0 s\n");
}

TEST_CASE("short work says nothing in a log") {
  CHECK(logOf([](std::FILE *file) {
          Progress progress("simulate", 4, {.stream = file});
          for (int i = 0; i < 4; ++i)
            progress.advance();
        }).empty());
}

TEST_CASE("quiet work says nothing") {
  CHECK(logOf([](std::FILE *file) {
          Progress progress(
              "simulate", 2,
              {.quiet = true, .stream = file, .logInterval = std::chrono::milliseconds(0)});
          progress.advance();
          progress.note("x");
          progress.finish();
        }).empty());
}

TEST_CASE("an unknown total is a count, and finish is idempotent") {
  std::string log = logOf([](std::FILE *file) {
    Progress progress("read", 0, {.stream = file, .logInterval = std::chrono::milliseconds(0)});
    progress.advance(7);
    progress.finish();
    progress.finish();
    progress.advance(1);
  });
  CHECK(log == "read 7, 0 s\nread: done, 0.0 s\n");
}

TEST_CASE("any thread may advance it") {
  std::string log = logOf([](std::FILE *file) {
    Progress progress("count", 4000, {.stream = file, .logInterval = std::chrono::hours(1)});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i)
          progress.advance();
      });
    for (std::thread &thread : threads)
      thread.join();
  });
  CHECK(log.empty());
}

TEST_CASE("a terminal gets a bar that is redrawn and removed") {
  int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) {
    WARN("no pseudo terminal here: skipped");
    return;
  }
  std::FILE *terminal = std::fopen(::ptsname(master), "w");
  REQUIRE(terminal);
  {
    Progress progress("simulate", 2, {.stream = terminal, .columns = 40});
    progress.advance(1);
    progress.note("a note that is longer than the line is wide");
  }
  std::fclose(terminal);
  // The kernel hands over what was written in its own time: read to the end,
  // which is an error (EIO) once the other side is closed.
  std::string seen;
  char piece[256];
  for (ssize_t got; (got = ::read(master, piece, sizeof piece)) > 0;)
    seen.append(piece, static_cast<size_t>(got));
  ::close(master);
  CHECK(seen == "\r\x1b[Ksimulate [############............] 1/2,\r\x1b[K");
}
