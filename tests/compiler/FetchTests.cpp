// tools/fetch-cuda-wheels without a network: usage, and doing nothing twice.
#include "CliSupport.h"

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;

namespace {

ProcessResult fetch(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MSA_FETCH_SCRIPT);
  auto result = runProcess(arguments);
  if (!result.ok())
    throw std::runtime_error(result.status().message());
  return std::move(*result);
}

} // namespace

TEST_CASE("fetch-cuda-wheels: usage", "[wheels][negative]") {
  CHECK(fetch({}).exitCode == 2);
  CHECK(fetch({"a", "b"}).exitCode == 2);
  ProcessResult unknown = fetch({"--force"});
  CHECK(unknown.exitCode == 2);
  CHECK_THAT(unknown.errors, Contains("unknown option '--force'"));
  ProcessResult help = fetch({"--help"});
  CHECK(help.exitCode == 0);
  CHECK_THAT(help.output, Contains("tools/fetch-cuda-wheels BUILD"));
}

TEST_CASE("fetch-cuda-wheels: an installed release is left alone", "[wheels]") {
  ScratchFolder scratch;
  spill(scratch / ("cuda-wheels/.installed-" + std::string(pinnedCudaVersion)), "");
  ProcessResult result = fetch({scratch.path().string()});
  CHECK(result.exitCode == 0);
  CHECK_THAT(result.output, Contains("already holds release 13.0.88"));
  CHECK(scratch.entries() == 1);
}

TEST_CASE("fetch-cuda-wheels: without pip it says what to install and leaves nothing",
          "[wheels][negative]") {
  ScratchFolder scratch;
  spill(scratch / "tools/python3", "#!/bin/sh\nexit 1\n");
  std::filesystem::permissions(scratch / "tools/python3", std::filesystem::perms::owner_all);
  auto result =
      runProcess({"/usr/bin/env", "PATH=" + (scratch / "tools").string() + ":/usr/bin:/bin",
                  MSA_FETCH_SCRIPT, (scratch / "build").string()});
  REQUIRE(result.ok());
  CHECK(result->exitCode == 3);
  CHECK_THAT(result->errors, Contains("apt-get install python3-pip"));
  CHECK_FALSE(std::filesystem::exists(scratch / "build"));
}
