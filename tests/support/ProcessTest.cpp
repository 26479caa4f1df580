//===- ProcessTest.cpp - children and what they answer --------------------===//
#include "support/Process.h"

#include "TemporaryFolder.h"
#include "support/File.h"

#include <catch2/catch.hpp>

#include <csignal>

using namespace msa;
using namespace msa::test;

namespace {

ProcessResult shell(const std::string &script, const ProcessOptions &options = {}) {
  Expected<ProcessResult> result = runProcess({"/bin/sh", "-c", script}, options);
  REQUIRE(result.status().message() == "");
  return *result;
}

} // namespace

TEST_CASE("both streams and the exit code come back") {
  ProcessResult result = shell("echo out; echo err >&2; exit 3");
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK(result.exitCode == 3);
  CHECK(result.signal == 0);
  CHECK_FALSE(result.ok());
  CHECK(shell("true").ok());
}

TEST_CASE("arguments reach the child as they are") {
  Expected<ProcessResult> result = runProcess({"printf", "%s|", "a b", "", "$HOME", "*", "\"'\\"});
  REQUIRE(result.ok());
  CHECK(result->output == "a b||$HOME|*|\"'\\|");
}

TEST_CASE("a child that fills one pipe and then the other is read to its end") {
  ProcessResult result =
      shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; head -c 1000 /dev/zero >&2");
  CHECK(result.output.size() == 3000000);
  CHECK(result.errors.size() == 3001000);
}

TEST_CASE("a child's death by a signal is told") {
  ProcessResult result = shell("kill -SEGV $$");
  CHECK(result.signal == SIGSEGV);
  CHECK_FALSE(result.ok());
}

TEST_CASE("standard input is empty") { CHECK(shell("cat").output.empty()); }

TEST_CASE("no file that we write is open in the child") {
  TemporaryFolder folder;
  std::string before = shell("ls /proc/self/fd | wc -l").output;
  Expected<FileWriter> writer = FileWriter::create(folder.file("x"));
  REQUIRE(writer.ok());
  CHECK(shell("ls /proc/self/fd | wc -l").output == before);
}

TEST_CASE("what is not captured is not kept") {
  ProcessResult result = shell("echo seen", {.captureErrors = false});
  CHECK(result.output == "seen\n");
  CHECK(result.errors.empty());
}

TEST_CASE("a flood is cut off and the child ended") {
  Expected<ProcessResult> result =
      runProcess({"/bin/sh", "-c", "exec cat /dev/zero"}, {.outputLimit = 100000});
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().message().find("more than 100000 bytes") != std::string::npos);
}

TEST_CASE("a program that is not there is missing") {
  for (const char *name : {"msa-no-such-program", "/no/such/program", "/etc/passwd", "/"}) {
    Expected<ProcessResult> result = runProcess({name});
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::Missing);
    CHECK(result.status().message().find(name) != std::string::npos);
  }
  CHECK(runProcess({}).status().code() == StatusCode::Internal);
}
