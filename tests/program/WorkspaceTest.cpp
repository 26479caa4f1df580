//===- WorkspaceTest.cpp - layouts and slabs ------------------------------===//
#include "SampleProgram.h"

#include "program/Launcher.h"

#include <catch2/catch.hpp>

using namespace msa;
using msa::test::sampleProgram;

namespace {

Bounds sampleBounds(int64_t tokens) { return {.tokens = tokens, .requests = 3}; }

} // namespace

TEST_CASE("without pressure the slab is the whole call") {
  Expected<WorkspaceLayout> layout = layoutWorkspace(sampleProgram(), sampleBounds(100));
  REQUIRE(layout.status().message() == "");
  CHECK(layout->slab == 100);
  REQUIRE(layout->tensors.size() == 2);
  CHECK(layout->tensors[0].name == "scores");
  CHECK(layout->tensors[0].offset == 0);
  CHECK(layout->tensors[0].bytes == 4 * 100 * 4);
  CHECK(layout->tensors[1].offset == 1792); // 1600 on a 256-byte boundary
  CHECK(layout->tensors[1].bytes == 3 * 4 * 4);
  CHECK(layout->bytes == 1792 + 256);
}

TEST_CASE("the slab is the largest that keeps the cap") {
  Program program = sampleProgram();
  for (int64_t tokens : {1, 2, 17, 100, 5000})
    for (uint64_t cap = 512; cap < 20000; cap += 177) {
      Expected<WorkspaceLayout> layout = layoutWorkspace(program, sampleBounds(tokens), cap);
      REQUIRE(layout.status().message() == "");
      CHECK(layout->bytes <= cap);
      CHECK(layout->slab >= 1);
      CHECK(layout->slab <= tokens);
      if (layout->slab < tokens) {
        // One more token would not fit.
        auto more = static_cast<uint64_t>(layout->slab + 1) * 16;
        CHECK((more + 255) / 256 * 256 + 256 > cap);
      }
    }
}

TEST_CASE("a cap below one token names the smallest that would do") {
  Status status = layoutWorkspace(sampleProgram(), sampleBounds(100), 511).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("a slab of one token") != std::string::npos);
  CHECK(status.message().find("cap that does: 512") != std::string::npos);
  CHECK(layoutWorkspace(sampleProgram(), sampleBounds(100), 512)->slab == 16);
}

TEST_CASE("a program without slabs needs its whole workspace") {
  Program program = sampleProgram();
  program.recipe[0].slabbed = false;
  CHECK(layoutWorkspace(program, sampleBounds(100))->slab == 100);
  Status status = layoutWorkspace(program, sampleBounds(100), 2047).status();
  CHECK(status.message().find("cap that does: 2048") != std::string::npos);
  program.workspace.clear();
  CHECK(layoutWorkspace(program, sampleBounds(100), 0)->bytes == 0);
}

TEST_CASE("an empty call has a layout of one token") {
  Expected<WorkspaceLayout> layout = layoutWorkspace(sampleProgram(), sampleBounds(0));
  REQUIRE(layout.ok());
  CHECK(layout->slab == 1);
}

TEST_CASE("offsets pass 32 bits") {
  Program program = sampleProgram();
  program.workspace[0].shape = {"slab", "4", "16", "16", "128"};
  Expected<WorkspaceLayout> layout =
      layoutWorkspace(program, sampleBounds(40000), uint64_t(1) << 40);
  REQUIRE(layout.ok());
  CHECK(layout->slab == 40000);
  CHECK(layout->tensors[1].offset == uint64_t(40000) * 4 * 16 * 16 * 128 * 4);
}

TEST_CASE("sizes that no memory has are refused") {
  Program program = sampleProgram();
  program.workspace[0].shape = {"4611686018427387904", "4"};
  CHECK(layoutWorkspace(program, sampleBounds(1))
            .status()
            .message()
            .find("scores: it is larger than any memory") != std::string::npos);
  program.workspace[0].shape = {"requests - 4"};
  CHECK(layoutWorkspace(program, sampleBounds(1))
            .status()
            .message()
            .find("scores: extent requests - 4 is -1") != std::string::npos);
}

TEST_CASE("bounds beyond L1 are refused") {
  auto refusal = [](const Bounds &bounds) { return checkBounds(bounds).message(); };
  CHECK(checkBounds({.tokens = 2147483647, .maxBlocks = 65536}).ok());
  CHECK(refusal({.tokens = int64_t(1) << 31}) == "L1: tokens = 2147483648; legal: 0..2147483647");
  CHECK(refusal({.maxKv = int64_t(1) << 31}).find("L1: max_kv") == 0);
  CHECK(refusal({.maxBlocks = 65537}) == "L1: max_blocks = 65537; legal: 0..65536");
  CHECK(refusal({.requests = -1}).find("L1: requests = -1") == 0);
  CHECK_FALSE(layoutWorkspace(sampleProgram(), {.maxBlocks = 65537}).ok());
}
