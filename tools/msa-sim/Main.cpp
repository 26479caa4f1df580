//===- Main.cpp - msa-sim --------------------------------------------------===//
//
// Runs and checks PTX on the CPU. Nothing is thrown past main: what a library
// of ours reports is a Status, what is left is a lack of memory or our bug.
//
//===----------------------------------------------------------------------===//
#include "Commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

using namespace msa;
using namespace msa::sim;

static Expected<int> dispatch(const Options &options) {
  switch (options.command) {
  case Options::Command::Run:
    return runCommand(options);
  case Options::Command::Lint:
    return lintCommand(options);
  case Options::Command::Coverage:
    return coverageCommand(options);
  }
  return Status::internal("unknown command");
}

static int fail(const Status &status) {
  fmt::print(stderr, "msa-sim: {}\n", status.message());
  if (status.code() == StatusCode::Internal)
    fmt::print(stderr, "msa-sim: this is a bug of ours: please report the command line, the PTX "
                       "and the launch file\n");
  return status.exitCode();
}

int main(int argc, char **argv) {
  try {
    ParsedLine line = parseCommandLine(argc, argv);
    if (!line.options) {
      std::fputs(line.text.c_str(), line.exitCode ? stderr : stdout);
      return line.exitCode;
    }
    Expected<int> code = dispatch(*line.options);
    return code.ok() ? *code : fail(code.status());
  } catch (const std::bad_alloc &) {
    return fail(Status::missing("not enough memory for this launch"));
  } catch (const std::exception &error) {
    return fail(Status::internal(error.what()));
  }
}
