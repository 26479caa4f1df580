//===- TargetTableTest.cpp - targets and what runs where ------------------===//
#include "plan/TargetTable.h"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <tuple>

using namespace msa;

namespace {

const Target &target(std::string_view name) {
  const Target *found = findTarget(name);
  INFO(name);
  REQUIRE(found);
  return *found;
}

} // namespace

TEST_CASE("targets are named after their numbers, oldest first, once each") {
  std::set<std::string_view> names;
  const Target *before = nullptr;
  for (const Target &t : targets()) {
    INFO(t.name);
    CHECK(t.name ==
          "sm_" + std::to_string(t.major) + std::to_string(t.minor) + (t.archSpecific ? "a" : ""));
    CHECK(names.insert(t.name).second);
    CHECK(t.smCount > 0);
    CHECK(t.sharedBytes >= 48 * 1024);
    if (before)
      CHECK(std::tie(before->major, before->minor, before->archSpecific) <
            std::tie(t.major, t.minor, t.archSpecific));
    before = &t;
  }
  CHECK(targets().front().name == "sm_75");
  CHECK(targets().back().name == "sm_121a");
  CHECK_FALSE(findTarget("sm_70"));
  CHECK_FALSE(findTarget(""));
}

TEST_CASE("the questions have the answers of the PTX ISA") {
  CHECK_FALSE(target("sm_75").cpAsync);
  CHECK_FALSE(target("sm_75").bf16Convert);
  CHECK(target("sm_80").cpAsync);
  CHECK(target("sm_80").redux);
  CHECK_FALSE(target("sm_86").fp8Convert);
  CHECK(target("sm_89").fp8Convert);
  CHECK_FALSE(target("sm_89").tma);
  CHECK(target("sm_90a").wgmma);
  CHECK_FALSE(target("sm_90").wgmma);
  CHECK_FALSE(target("sm_100a").wgmma);
  CHECK(target("sm_100a").tensorMemory);
  CHECK_FALSE(target("sm_100").tensorMemory);
  CHECK_FALSE(target("sm_120a").tensorMemory);
  CHECK(target("sm_100a").fp4Convert);
  CHECK_FALSE(target("sm_90a").fp4Convert);
  CHECK(target("sm_100a").ptxVersion == "8.8");
  CHECK(target("sm_90a").ptxVersion == "8.0");
  CHECK(target("sm_90a").sharedBytes == 227 * 1024);
}

TEST_CASE("an image runs on its chip and newer ones, an arch-specific one on its own only") {
  CHECK(runsOn(target("sm_75"), target("sm_121a")));
  CHECK(runsOn(target("sm_80"), target("sm_80")));
  CHECK(runsOn(target("sm_80"), target("sm_86")));
  CHECK_FALSE(runsOn(target("sm_86"), target("sm_80")));
  CHECK(runsOn(target("sm_90"), target("sm_90a")));
  CHECK(runsOn(target("sm_90a"), target("sm_90")));
  CHECK_FALSE(runsOn(target("sm_90a"), target("sm_100a")));
  CHECK_FALSE(runsOn(target("sm_100a"), target("sm_103a")));
  CHECK_FALSE(runsOn(target("sm_100a"), target("sm_90a")));
}
