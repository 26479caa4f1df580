//===- CacheTest.cpp - hits, misses, damage and folders that vanish -------===//
#include "SampleProgram.h"
#include "TemporaryFolder.h"

#include "program/Bundle.h"
#include "program/Cache.h"

#include <catch2/catch.hpp>

#include <set>

using namespace msa;
using namespace msa::test;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  std::vector<std::string> reports;
  Program program = sampleProgram();
  CacheRequest request = {program.plan, "ptx", "compiler-1"};

  DiskCache cache() { return cacheAt(folder.file("cache")); }
  DiskCache cacheAt(const fs::path &path) {
    return {path, [this](const std::string &line) { reports.push_back(line); }};
  }
};

} // namespace

TEST_CASE("what was stored is found, by another process too") {
  Fixture f;
  CHECK_FALSE(f.cache().find(f.request));
  f.cache().store(f.request, f.program);
  std::optional<Program> found = f.cache().find(f.request);
  REQUIRE(found);
  CHECK(found->plan == f.program.plan);
  CHECK(found->kernels[0].ptx == f.program.kernels[0].ptx);
  CHECK(f.reports.empty());
  CHECK(f.cache().fileOf(f.request).filename() == cacheKey(f.request) + ".msab");
}

TEST_CASE("every field of the request is in the key, and nothing else") {
  Fixture f;
  CacheRequest plan = f.request, target = f.request, needs = f.request, compiler = f.request,
               route = f.request;
  plan.plan.topk = 8;
  target.plan.target = "sm_90";
  needs.needs = "ptx+cubin";
  compiler.fingerprint = "compiler-2";
  route.plan.schedule.route = Route::Cuda;
  std::set<std::string> keys;
  for (const CacheRequest &r : {f.request, plan, target, needs, compiler, route}) {
    CHECK(cacheKey(r).size() == 32);
    CHECK(keys.insert(cacheKey(r)).second);
  }
  CHECK(cacheKey(f.request) == cacheKey(Fixture().request));
  f.cache().store(f.request, f.program);
  for (const CacheRequest &r : {plan, target, needs, compiler, route})
    CHECK_FALSE(f.cache().find(r));
}

TEST_CASE("fields cannot run into each other") {
  CacheRequest a = {Plan(), "ptx", "x"}, b = {Plan(), "ptxx", ""};
  CHECK(cacheKey(a) != cacheKey(b));
}

TEST_CASE("a damaged entry is set aside, reported, and rebuilt") {
  Fixture f;
  f.cache().store(f.request, f.program);
  fs::path entry = f.cache().fileOf(f.request);
  std::string bytes = slurp(entry);
  bytes[bytes.size() / 2] ^= 1;
  spill(entry, bytes);
  CHECK_FALSE(f.cache().find(f.request));
  CHECK_FALSE(fs::exists(entry));
  CHECK(slurp(entry.string() + ".bad") == bytes);
  REQUIRE(f.reports.size() == 1);
  CHECK(f.reports[0].find("is damaged and was set aside as") != std::string::npos);
  f.cache().store(f.request, f.program);
  CHECK(f.cache().find(f.request));
  CHECK(f.reports.size() == 1);
}

TEST_CASE("an empty entry and one of another plan are set aside") {
  Fixture f;
  f.cache().store(f.request, f.program);
  fs::path entry = f.cache().fileOf(f.request);
  spill(entry, "");
  CHECK_FALSE(f.cache().find(f.request));
  Program other = f.program;
  other.plan.topk = 8;
  REQUIRE(writeBundle(entry, {other}).ok());
  CHECK_FALSE(f.cache().find(f.request));
  REQUIRE(writeBundle(entry, {f.program, f.program}).ok());
  CHECK_FALSE(f.cache().find(f.request));
  REQUIRE(f.reports.size() == 3);
  CHECK(f.reports[1].find("another plan") != std::string::npos);
}

TEST_CASE("a folder that cannot be made is told once and does no harm") {
  Fixture f;
  spill(f.folder.file("file"), "in the way");
  DiskCache cache = f.cacheAt(f.folder.file("file") / "cache");
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(cache.find(f.request));
    cache.store(f.request, f.program);
  }
  REQUIRE(f.reports.size() == 1);
  CHECK(f.reports[0].find("cannot be used") != std::string::npos);
  CHECK(slurp(f.folder.file("file")) == "in the way");
}

TEST_CASE("a read-only folder serves what it has") {
  Fixture f;
  f.cache().store(f.request, f.program);
  fs::path folder = f.folder.file("cache");
  // Root writes anywhere; a file system without room for new files stands in for permissions.
  DiskCache nowhere = f.cacheAt("/proc/msa-cache");
  nowhere.store(f.request, f.program);
  nowhere.store(f.request, f.program);
  CHECK_FALSE(nowhere.find(f.request));
  CHECK(f.reports.size() == 1);
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(f.cache().find(f.request));
  fs::permissions(folder, fs::perms::owner_all);
}

TEST_CASE("a folder that vanishes is made again") {
  Fixture f;
  DiskCache cache = f.cache();
  cache.store(f.request, f.program);
  fs::remove_all(f.folder.file("cache"));
  CHECK_FALSE(cache.find(f.request));
  cache.store(f.request, f.program);
  CHECK(cache.find(f.request));
  CHECK(f.reports.empty());
}

TEST_CASE("an entry that is a folder is no hit") {
  Fixture f;
  DiskCache cache = f.cache();
  fs::create_directories(cache.fileOf(f.request));
  CHECK_FALSE(cache.find(f.request));
  CHECK(f.reports.size() == 1);
}
